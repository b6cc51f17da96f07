"""Records that a run keeps until its gallery: as they were, in little memory."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from prefect_together_video.flows.engine.record_cache import CachedRows, RecordCache
from tests.facts import record_of
from together_video.gallery import GalleryRow
from together_video.ledger.place import ArchivePlace
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import StoredObject, VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest

PLANS = plan_videos([VideoRequest(model="m", prompt=f"kite {number}") for number in range(300)])


def recorded(number: int) -> VideoRecord:
    plan = PLANS[number]
    stored = StoredObject(
        key=f"videos/{plan.id}.mp4", size=1000 + number, sha256="0" * 64, content_type="video/mp4"
    )
    return record_of(
        plan,
        state="archived",
        job_id=f"job-{number}",
        recorded_at=datetime(2026, 11, 21, 12, 0, number % 60, 999_999, tzinfo=UTC),
        cost_usd=Decimal("0.28"),
        video=stored,
        poster=stored.model_copy(update={"key": f"posters/{plan.id}.jpg"}),
        clip=ClipInfo(seconds=5.041, width=64, height=48, fps=24.0, codec="h264", has_audio=True),
        job={
            "id": f"job-{number}",
            "status": "completed",
            "outputs": {"cost": 0.28, "video_url": "https://v"},
        },
    )


def test_a_record_comes_back_as_it_was() -> None:
    kept = RecordCache()
    kept.keep(recorded(0))
    assert (len(kept), list(kept)) == (1, [PLANS[0].id])
    assert kept[PLANS[0].id] == recorded(0)
    assert PLANS[1].id not in kept
    assert kept.get(PLANS[1].id) is None
    with pytest.raises(KeyError):
        kept[PLANS[1].id]


def test_rows_are_those_of_the_summary_in_its_order() -> None:
    kept = RecordCache()
    kept.keep(recorded(1))
    outcomes = [
        VideoOutcome.of_plan(PLANS[0], VideoState.SKIPPED, error="no money"),
        VideoOutcome.of_record(recorded(1), VideoState.ARCHIVED, place=ArchivePlace(bucket="b")),
    ]
    rows = CachedRows(Summary.of(outcomes), PLANS[:2], kept)
    assert (
        list(rows)
        == rows[:]
        == [
            GalleryRow(outcome=outcomes[0], plan=PLANS[0]),
            GalleryRow(outcome=outcomes[1], record=recorded(1), plan=PLANS[1]),
        ]
    )
    assert rows[-1].outcome.size == 1001
    with pytest.raises(IndexError):
        rows[2]


def test_many_records_take_little_memory() -> None:
    """2 kB each at most: a batch of 10,000 keeps 20 MB for its gallery, not 70."""
    tracemalloc.start()
    try:
        kept = RecordCache()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(300):
            kept.keep(recorded(number))
        assert tracemalloc.get_traced_memory()[0] - before < 300 * 2_000
    finally:
        tracemalloc.stop()
