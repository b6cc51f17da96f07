"""What docs/ambiguous.md advises for a video that was charged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.collect import collect_videos
from tests.docs.markdown import blocks, page
from together_video.ledger.records import VideoPlan

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]


async def test_a_job_id_that_is_written_down_by_hand_is_collected(
    archive: VideoArchive, s3_client: Any, api: Any, small: Make
) -> None:
    """Nothing is bought, and the video is archived."""
    async with archive.open() as ledger:
        plan = VideoPlan(request=small("an owl"))
        claim = await ledger.claim(plan, valid_seconds=250)
        assert claim is not None
        await ledger.ambiguous(claim, None)
        async with api.credentials().get_client() as client:
            job = await client.create(plan.request)
        (advised,) = (json.loads(text) for text in blocks(page("ambiguous"), "json"))
        body = {**advised, "id": claim.id, "token": claim.token, "job_id": job.id}
        key = ledger.layout.job(claim.id)
        s3_client.put_object(Bucket=archive.bucket, Key=key, Body=json.dumps(body).encode(), IfNoneMatch="*")
        state = await collect_videos.fn(wait=20, together=api.credentials(), archive=archive)
        assert state.is_completed(), state.message
        record = await ledger.record(claim.id)
    assert record is not None
    assert (record.state, record.job_id) == ("archived", job.id)
    assert api.posts == 1
