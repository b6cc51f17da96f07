"""What an error means for a video: the state, and what is said of the money."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from prefect_together_video.flows.engine import outcomes
from tests.facts import record_of
from together_video.errors import (
    ArchiveError,
    BudgetReached,
    ConfigurationError,
    CreateAmbiguous,
    JobDeadlinePassed,
    JobInDoubt,
    RequestRefused,
    Spent,
    StoreUnavailable,
    VideoError,
)
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoState
from together_video.requests import VideoRequest

PLAN = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (
            RequestRefused("It said no", status=422),
            VideoState.REFUSED,
            "It said no. Nothing was created. Change the request: the same one would be refused again.",
        ),
        (
            RequestRefused("It said no", status=404, remedy="Take another model."),
            VideoState.REFUSED,
            "It said no. Nothing was created. Take another model.",
        ),
        (
            ConfigurationError("No client.", spent=Spent.NOTHING),
            VideoState.REFUSED,
            "No client. Nothing was created.",
        ),
        (
            StoreUnavailable("The bucket is away", remedy="This may be temporary: run again later."),
            VideoState.SKIPPED,
            "Not started: The bucket is away. This may be temporary: run again later.",
        ),
        (
            StoreUnavailable("The bucket is away"),
            VideoState.SKIPPED,
            "Not started: The bucket is away. Run again later.",
        ),
        (BudgetReached("no money."), VideoState.SKIPPED, "Not started: no money."),
        (
            CreateAmbiguous("No answer.", video_id="v", fresh=True, remedy="Look at the bill."),
            VideoState.AMBIGUOUS,
            "No answer. Look at the bill.",
        ),
        (
            ArchiveError("job.json is broken.", spent=Spent.PERHAPS, remedy="Look at it."),
            VideoState.AMBIGUOUS,
            "job.json is broken. It may have been charged. Look at it.",
        ),
    ],
)
def test_what_stops_a_create(error: VideoError, state: VideoState, words: str) -> None:
    """What happened, what it cost, what to do; never that nothing was created where that is not known."""
    found = outcomes.not_bought(PLAN, error)
    assert (found.state, found.error) == (state, words)


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (
            ConfigurationError("No client.", spent=Spent.NOTHING, remedy="Mend it."),
            VideoState.SUBMITTED,
            f"No client. Mend it. {outcomes.KEPT}",
        ),
        (
            StoreUnavailable("The bucket is away"),
            VideoState.SUBMITTED,
            f"The bucket is away. {outcomes.KEPT}",
        ),
        (JobDeadlinePassed("It goes on.", job_id="j"), VideoState.SUBMITTED, "It goes on."),
        (JobInDoubt("It is gone.", job_id="j"), VideoState.AMBIGUOUS, "It is gone."),
    ],
)
def test_what_stops_a_video_on_its_way_home(error: VideoError, state: VideoState, words: str) -> None:
    """The job is billed, whatever the call that failed has cost."""
    found = outcomes.not_brought_home(PLAN, error, "j")
    assert (found.state, found.error, found.job_id) == (state, words, "j")


@pytest.mark.parametrize(
    ("text", "code", "again"),
    [
        ("Job j failed: The prompt was refused by moderation.", None, False),
        ("Job j failed: Too long (invalidDuration).", "invalidDuration", False),
        ("Job j failed: Something broke.", "server_error", True),
        (None, None, True),
    ],
)
def test_a_failed_video_is_offered_again_where_that_can_help(
    text: str | None, code: str | None, again: bool
) -> None:
    """By what the record says, also one whose job is not kept."""
    record = record_of(PLAN, state="failed", recorded_at=datetime.now(UTC), error=text, error_code=code)
    found = outcomes.of_record(record, VideoState.FAILED, place=ArchivePlace(bucket="b"))
    assert ("--retry-failed" in (found.error or "")) is again
