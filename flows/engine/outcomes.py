"""Turns an error into the outcome of its video, with the message that users see. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from prefect_together_video.blocks.ledger.ledger import Facts
from together_video.errors import (
    SPENT_WORDS,
    AccountRefused,
    ApiOverloaded,
    ApiUnreachable,
    BucketRefused,
    BudgetReached,
    ConfigurationError,
    JobDeadlinePassed,
    JobFailed,
    JobInDoubt,
    RateLimited,
    RequestRefused,
    Spent,
    StoreUnavailable,
    VideoError,
)
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.summary import VideoOutcome, VideoState
from together_video.remedies import is_final
from together_video.text import as_sentence, sentences

#: After one of these no other create can succeed.
_HOPELESS = (AccountRefused, BucketRefused, ConfigurationError)
#: The video was not refused: it may be made as soon as this is over.
_PASSING = (ApiUnreachable, ApiOverloaded, RateLimited, StoreUnavailable)
#: Ends the message of a job that was paid for and is not archived yet.
KEPT = "The job is billed and kept in flight; the next run or together-video collect will archive it."


def stops_creates(error: VideoError) -> bool:
    """Whether this error would stop every other create of the run as well."""
    # A create that cannot be sent was tried for a minute: the others need not do the same.
    return isinstance(error, (*_HOPELESS, ApiUnreachable))


def stops_waiting(error: VideoError) -> bool:
    """Whether this error would keep every other job of the run from being archived as well."""
    return isinstance(error, _HOPELESS)


def outcome(plan: VideoPlan, state: VideoState, error: str, job_id: str | None = None) -> VideoOutcome:
    """The outcome of a video that has no record."""
    return VideoOutcome.of_plan(plan, state, error=error, job_id=job_id)


def not_started(plan: VideoPlan, error: VideoError) -> VideoOutcome:
    """This video was not refused; `error` keeps it, or every video, from being started."""
    remedy = error.remedy or ("Run again later." if isinstance(error, _PASSING) else None)
    words = sentences(as_sentence(error.what), error.said_of_money, remedy)
    return outcome(plan, VideoState.SKIPPED, f"Not started: {words}")


def not_bought(plan: VideoPlan, error: VideoError) -> VideoOutcome:
    """What stopped a video before its create was accepted, and what to do: it costs nothing."""
    if error.spent is Spent.PERHAPS:
        return outcome(plan, VideoState.AMBIGUOUS, error.message)
    if isinstance(error, (*_PASSING, BudgetReached)):
        return not_started(plan, error)
    remedy = error.remedy
    if remedy is None and isinstance(error, RequestRefused) and (error.status or 0) >= 400:
        remedy = "Change the request: the same one would be refused again."
    words = sentences(as_sentence(error.what), SPENT_WORDS[Spent.NOTHING], remedy)
    return outcome(plan, VideoState.REFUSED, words)


def after(failed: Sequence[VideoOutcome], found: VideoOutcome) -> VideoOutcome:
    """The outcome of a video that was bought again in this run, after attempts that failed."""
    if not failed:
        return found
    ours = [one for one in failed if not one.paid_earlier]
    known = sum((one.cost_usd for one in ours if one.cost_usd is not None), Decimal(0))
    perhaps = sum((one.estimate_usd or Decimal(0) for one in ours if one.cost_usd is None), Decimal(0))
    return found.model_copy(
        update={"failed": len(failed), "failed_usd": known, "failed_perhaps_usd": perhaps}
    )


def not_made_again(failed: Sequence[VideoOutcome], found: VideoOutcome) -> VideoOutcome:
    """The outcome of a video that failed and could not be bought again."""
    last = after(failed[:-1], failed[-1])
    words = (found.error or "").removeprefix("Not started: ")
    return last.model_copy(update={"error": sentences(last.error, f"It was not bought again: {words}")})


def not_brought_home(plan: VideoPlan, error: VideoError, job_id: str) -> VideoOutcome:
    """A job that stays at the provider, or that the provider no longer knows."""
    if isinstance(error, JobInDoubt):
        return outcome(plan, VideoState.AMBIGUOUS, error.message, job_id)
    if isinstance(error, JobDeadlinePassed):
        return outcome(plan, VideoState.SUBMITTED, error.message, job_id)
    # What the error itself says about money concerns the call that failed, not the job.
    return in_flight(plan, sentences(error.what, error.remedy), job_id)


def in_flight(plan: VideoPlan, words: str, job_id: str) -> VideoOutcome:
    """A job that is paid for and not archived yet; `words` say why."""
    return outcome(plan, VideoState.SUBMITTED, sentences(words, KEPT), job_id)


def given_up(plan: VideoPlan, words: str, job_id: str, *, may_come: bool) -> VideoOutcome:
    """A job that was in doubt; its video was bought again."""
    rest = "if this video comes, collect archives it." if may_come else "this job is no longer watched."
    return outcome(
        plan, VideoState.SUBMITTED, f"{as_sentence(words)} The video was bought again; {rest}", job_id
    )


def failed_without_record(plan: VideoPlan, error: JobFailed, trouble: VideoError) -> VideoOutcome:
    """The provider gave up on a job, and the archive could not record that."""
    words = f"{error.message} This could not be recorded ({trouble.message})"
    return outcome(plan, VideoState.FAILED, words, error.job_id)


def of_record(record: VideoRecord, state: VideoState, *, place: ArchivePlace) -> VideoOutcome:
    """The outcome of a video with a record; if the video failed, with what to do."""
    if record.state != "failed":
        return VideoOutcome.of_record(record, state, place=place)
    words = as_sentence(record.error or "The provider gave no reason")
    if not is_final(record.error_code, record.error or ""):
        words += " --retry-failed buys the video again."
    found = VideoOutcome.of_record(record, VideoState.FAILED, place=place)
    return found.model_copy(update={"error": words})


def as_facts_say(plan: VideoPlan, words: str, facts: Facts | None) -> VideoOutcome:
    """What the ledger knows about a video without a final record; `words` say what went wrong.

    Args:
        facts: None if the ledger could not be read.
    """
    if facts is None:
        return outcome(
            plan, VideoState.AMBIGUOUS, f"{words} The ledger cannot be read: it may have been charged."
        )
    if facts.record is None and facts.submission is not None:
        return in_flight(plan, words, facts.submission.job_id)
    if facts.record is None and facts.claim is not None:
        return outcome(plan, VideoState.AMBIGUOUS, f"{words} It may have been charged, so it is held.")
    return outcome(plan, VideoState.SKIPPED, f"Not started: {words} Nothing was created: run again later.")
