"""The collector, where a purchase was given up while its process stood still and then bought all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.collect import collect_videos
from together_video.ledger.records import Submission, VideoPlan


@pytest.mark.anyio
async def test_a_job_that_comes_after_it_was_given_up_is_brought_home(
    api: Any, archive: VideoArchive, small: Callable[..., Any]
) -> None:
    """Its job id is all that lies in flight, without a claim: the video was paid for, so it is archived."""
    plan = VideoPlan(request=small("a fox that was late"))
    async with archive.open() as ledger, api.credentials().get_client() as client:
        claim = await ledger.claim(plan, valid_seconds=1)
        assert claim is not None
        await ledger.abandon(claim, "Bought again.")
        job = await client.create(plan.request)
        await ledger.submitted(Submission.of(claim, job))

        state = await collect_videos.fn(wait=20, together=api.credentials(), archive=archive)

        assert state.is_completed(), state.message
        late = await ledger.store.get(ledger.layout.late_record(plan.id))
        assert late is not None
        told = json.loads(late.data)
        assert (told["state"], told["job_id"], told["video"]["key"]) == ("archived", job.id, claim.video_key)
        assert await ledger.store.head(claim.video_key) is not None
        assert await ledger.in_flight() == {}
