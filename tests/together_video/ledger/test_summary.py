"""Summaries: the rows, the counts, the cost and the sentence at the end of a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.facts import record_of
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import StoredObject, VideoPlan, VideoRecord
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="A fox"))
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def row(state: VideoState, cost: str | None = None) -> VideoOutcome:
    return VideoOutcome(id="v", state=state, model="m", cost_usd=None if cost is None else Decimal(cost))


def test_a_row_of_a_plan_says_what_was_wanted() -> None:
    """Nothing is known of a file yet."""
    outcome = VideoOutcome.of_plan(PLAN, VideoState.AMBIGUOUS, error="no answer", job_id="j")
    assert outcome == VideoOutcome(
        id=PLAN.id, state=VideoState.AMBIGUOUS, job_id="j", prompt="A fox", model="m", error="no answer"
    )


def test_a_row_of_a_record_says_where_the_video_lies() -> None:
    """Everything of `--json`, from the record and the bucket's name."""
    record = record_of(
        PLAN,
        state="archived",
        job_id="j",
        recorded_at=NOW,
        cost_usd=Decimal("0.28"),
        video=StoredObject(key="videos/v.mp4", size=3, sha256="ab", content_type="video/mp4"),
        clip=ClipInfo(seconds=5.04, width=64, height=48),
    )
    assert VideoOutcome.of_record(record, VideoState.REUSED, place=ArchivePlace(bucket="b")).model_dump() == {
        "id": PLAN.id,
        "state": "reused",
        "job_id": "j",
        "prompt": "A fox",
        "labels": {},
        "model": "m",
        "asked_model": None,
        "asked_id": None,
        "paid_earlier": False,
        "failed": 0,
        "failed_usd": Decimal(0),
        "failed_perhaps_usd": Decimal(0),
        "estimate_usd": None,
        "cost_usd": Decimal("0.28"),
        "bucket": "b",
        "key": "videos/v.mp4",
        "uri": "s3://b/videos/v.mp4",
        "file": None,
        "sha256": "ab",
        "size": 3,
        "seconds": 5.04,
        "width": 64,
        "height": 48,
        "notes": (),
        "error": None,
        "varies": {},
    }


def test_a_row_of_a_folder_names_its_file() -> None:
    """There is no bucket, and what a URI cannot hold is escaped."""
    video = StoredObject(key="videos/a b.mp4", size=3, sha256="ab", content_type="video/mp4")
    record = VideoRecord(id="a" * 24, state="archived", plan=PLAN, recorded_at=NOW, video=video)
    outcome = VideoOutcome.of_record(record, VideoState.ARCHIVED, place=ArchivePlace(folder="/my films"))
    assert (outcome.bucket, outcome.uri) == (None, "file:///my%20films/videos/a%20b.mp4")


def test_a_row_of_a_failure_lies_nowhere() -> None:
    """No bucket is named for a file that is not there."""
    record = VideoRecord(id="a" * 24, state="failed", plan=PLAN, recorded_at=NOW, error="refused")
    outcome = VideoOutcome.of_record(record, VideoState.FAILED, place=ArchivePlace(bucket="b"))
    assert (outcome.bucket, outcome.key, outcome.uri, outcome.error) == (None, None, None, "refused")


def test_every_state_is_counted() -> None:
    """Those with none included, so that readers of the JSON find each name."""
    summary = Summary.of([row(VideoState.ARCHIVED), row(VideoState.ARCHIVED), row(VideoState.SKIPPED)])
    assert summary.counts == {
        "archived": 2,
        "reused": 0,
        "failed": 0,
        "refused": 0,
        "ambiguous": 0,
        "submitted": 0,
        "skipped": 1,
    }


def test_the_cost_is_what_this_run_paid() -> None:
    """To the cent; what was paid for earlier, or is unknown, adds nothing."""
    rows = [row(VideoState.ARCHIVED, "0.1") for _ in range(3)]
    rows += [row(VideoState.REUSED, "5"), row(VideoState.FAILED, "0.02"), row(VideoState.SUBMITTED)]
    assert Summary.of(rows).cost_usd == Decimal("0.32")
    assert Summary.of([]).cost_usd == 0


@pytest.mark.parametrize("state", VideoState)
def test_a_run_is_good_if_all_is_archived_or_reused(state: VideoState) -> None:
    """One row of any other kind makes it exit with 1."""
    summary = Summary.of([row(VideoState.ARCHIVED), row(VideoState.REUSED), row(state)])
    assert summary.is_good is (state.value in {"archived", "reused"})
    assert (state in GOOD) is summary.is_good


def test_the_final_sentence_counts_what_there_is() -> None:
    """For the run's state in the UI: no zeros, plain amounts."""
    rows = [row(VideoState.ARCHIVED, "10.00"), row(VideoState.REUSED, "1"), row(VideoState.FAILED)]
    expected = "3 videos: 1 archived, 1 reused, 1 failed; 10.00 USD paid in this run"
    assert Summary.of(rows).sentence == expected
    assert Summary.of(rows[1:2]).sentence == "1 video: 1 reused; 0.00 USD paid in this run"
    assert Summary.of([row(VideoState.ARCHIVED, "0.0000001")]).sentence.endswith(
        "; 0.00 USD paid in this run"
    )
    assert Summary.of([]).sentence == "0 videos: nothing to do"
    collected = Summary.of(rows[:1], bought_before=True)
    assert collected.sentence == "1 video: 1 archived; 10.00 USD paid by the runs that bought them"


def test_the_document_is_plain_json() -> None:
    """Numbers are numbers, unknown is null, and every promised name is there."""
    rows = [row(VideoState.ARCHIVED, "0.28"), row(VideoState.AMBIGUOUS)]
    document = json.loads(json.dumps(Summary.of(rows).as_json(), allow_nan=False))
    assert list(document) == ["videos", "counts", "cost_usd", "perhaps_paid_usd", "in_flight_usd"]
    names = (
        "id state job_id prompt model labels cost_usd bucket key uri file sha256 size seconds width height"
    )
    names += " error notes asked_model asked_id paid_earlier failed failed_usd failed_perhaps_usd estimate_usd varies"
    assert all(set(names.split()) == set(video) for video in document["videos"])
    assert [video["cost_usd"] for video in document["videos"]] == [0.28, None]
    assert [video["state"] for video in document["videos"]] == ["archived", "ambiguous"]
    assert document["cost_usd"] == 0.28


@pytest.mark.parametrize(
    ("states", "percent"),
    [
        ("", 0),
        ("archived", 0),
        ("archived archived failed", 34),
        ("refused", 100),
        ("ambiguous archived", 50),
        # Nothing of these was tried in this run, or it is not over.
        ("failed reused skipped submitted", 100),
        ("reused skipped submitted", 0),
    ],
)
def test_the_share_that_failed_is_of_what_was_tried(states: str, percent: int) -> None:
    """Rounded up, so that "more than 25 percent" holds of whole numbers as well."""
    summary = Summary.of([row(VideoState(state)) for state in states.split()])
    assert summary.failed_percent == percent
