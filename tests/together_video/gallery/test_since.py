"""A page that is made again shows what has been collected since."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from together_video.gallery.since import now_of
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.ledger.summary import VideoOutcome, VideoState
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="acme/dream-1", prompt="a fox"), estimate_usd=Decimal("0.3"))
PLACE = ArchivePlace(bucket="b")
ARCHIVED = VideoRecord(
    id=PLAN.id,
    state="archived",
    plan=PLAN,
    job_id="job-1",
    recorded_at=datetime(2026, 3, 4, tzinfo=UTC),
    cost_usd=Decimal("0.14"),
    video=StoredObject(key="videos/a.mp4", size=3, sha256="ab" * 32, content_type="video/mp4"),
)


@pytest.mark.parametrize(
    "state", [VideoState.SUBMITTED, VideoState.AMBIGUOUS, VideoState.FAILED, VideoState.SKIPPED]
)
def test_a_clip_that_was_collected_is_there(state: VideoState) -> None:
    """With its file and its cost, and with what the batch alone knew."""
    then = VideoOutcome.of_plan(PLAN, state, error="later").model_copy(
        update={"labels": {"shot": "3"}, "failed": 1, "failed_usd": Decimal("0.1")}
    )
    now = now_of(then, ARCHIVED, place=PLACE)
    assert (now.state, now.key, now.cost_usd, now.error) == (
        VideoState.ARCHIVED,
        "videos/a.mp4",
        Decimal("0.14"),
        None,
    )
    assert (now.labels, now.price.paid) == ({"shot": "3"}, Decimal("0.24"))


def test_a_job_that_failed_since_says_what_it_cost() -> None:
    """It is no longer being made, and not in doubt."""
    failed = ARCHIVED.model_copy(update={"state": "failed", "video": None, "error": "moderation"})
    now = now_of(VideoOutcome.of_plan(PLAN, VideoState.SUBMITTED, job_id="job-1"), failed, place=PLACE)
    assert (now.state, now.key, now.cost_usd, now.error) == (
        VideoState.FAILED,
        None,
        Decimal("0.14"),
        "moderation",
    )


def test_what_was_there_stays() -> None:
    """A reused clip is not paid for in this run; a purchase that was given up says nothing new."""
    reused = VideoOutcome.of_record(ARCHIVED, VideoState.REUSED, place=PLACE)
    assert now_of(reused, ARCHIVED, place=PLACE) is reused
    doubt = VideoOutcome.of_plan(PLAN, VideoState.AMBIGUOUS)
    assert now_of(doubt, ARCHIVED.model_copy(update={"state": "abandoned"}), place=PLACE) is doubt
