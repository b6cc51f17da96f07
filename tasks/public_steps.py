"""What all public steps share: finding the blocks, the session and the purchase, and saying what is billed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prefect.blocks.core import Block
from prefect.futures import PrefectFuture
from prefect.runtime import task_run

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials
from prefect_together_video.tasks.archived_video import ArchivedVideo, check_location, location_of
from prefect_together_video.tasks.job_ref import JobState, VideoJobRef
from prefect_together_video.tasks.running.prefect_compat import document_name
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.checked_request import as_request
from prefect_together_video.tasks.session.session import Session
from prefect_together_video.tasks.session.sessions import block_of, session_for
from prefect_together_video.tasks.steps.archive import record_failure
from prefect_together_video.tasks.steps.purchase import Purchase
from prefect_together_video.tasks.steps.purchase_session import is_bought_here
from together_video.errors import (
    SPENT_WORDS,
    CreateAmbiguous,
    InputError,
    JobDeadlinePassed,
    JobFailed,
    JobInDoubt,
    Spent,
    VideoError,
)
from together_video.jobs import VideoJob
from together_video.ledger.records import LedgerState, VideoRecord
from together_video.remedies import is_final
from together_video.text import as_sentence, one_line, sentences

GivenTogether = TogetherCredentials | str | None
GivenArchive = VideoArchive | str | None


@dataclass(frozen=True)
class Place:
    """A session, and the names under which later steps find its blocks."""

    session: Session
    together: str | None
    archive: str | None

    def archived(self, record: VideoRecord, *, reused: bool) -> ArchivedVideo:
        """The value that a step returns for a final record.

        Raises:
            JobFailed: the record is of a job that failed in an earlier run.
        """
        if record.state != "archived":
            raise failed_before(record)
        found = ArchivedVideo.of(record, self.session.ledger, reused=reused, archive=self.archive)
        if reused:
            run_logger().info("%s: reused, nothing was bought: %s", record.plan.title, found.uri)
        return found

    def finished(self, record: VideoRecord, *, resumed: bool) -> ArchivedVideo:
        """The value of the record of a purchase: reused, if another run made the purchase.

        Raises:
            JobFailed: see `archived`.
        """
        return self.archived(record, reused=resumed and not is_bought_here(record, self.session.client))

    def ref(self, found: Purchase | VideoRecord) -> VideoJobRef:
        """What `create_video` returns.

        Raises:
            JobFailed: see `archived`.
        """
        if isinstance(found, VideoRecord):
            return VideoJobRef.of_archived(self.archived(found, reused=True))
        self.session.remember(found)
        request = found.claim.plan.request
        return VideoJobRef(
            video_id=found.claim.id,
            state=JobState.SUBMITTED,
            title=request.title,
            model=request.model,
            job_id=found.job_id,
            resumed=found.resumed,
            location=location_of(self.session.ledger),
            together=self.together,
            archive=self.archive,
        )

    async def purchase(self, ref: VideoJobRef) -> Purchase | VideoRecord:
        """What the ledger knows about it: the job, or the record that was written in the meantime.

        Raises:
            CreateAmbiguous, InputError: the archive has no job of this purchase.
        """
        if (known := self.session.purchase(ref.video_id)) is not None:
            return known
        facts = await self.session.ledger.facts(ref.video_id)
        if facts.record is not None:
            return facts.record
        if facts.claim is not None and facts.submission is not None:
            purchase = Purchase(claim=facts.claim, submission=facts.submission, resumed=True)
            self.session.remember(purchase)
            return purchase
        if facts.state is LedgerState.ABSENT:
            raise InputError(
                f"The archive {ref.location} has no video {one_line(ref.video_id, 40)}: create it first."
            )
        raise CreateAmbiguous(
            f"Video {ref.video_id} was claimed, but has no job id.",
            video_id=ref.video_id,
            fresh=False,
            remedy="Call create_video again with the same request: it finds out what happened.",
        )


@asynccontextmanager
async def place_of(together: GivenTogether, archive: GivenArchive) -> AsyncIterator[Place]:
    """The session for these blocks.

    Raises:
        ConfigurationError: a block or a variable is missing or cannot be used.
    """
    ours = await block_of(TogetherCredentials, together)
    theirs = await block_of(VideoArchive, archive)
    async with session_for(ours, theirs) as session:
        yield Place(session, _saved_name(ours, together), _saved_name(theirs, archive))


def _saved_name(block: Block, given: object) -> str | None:
    """The name under which a later step finds this block again; None if it must be passed again."""
    return given if isinstance(given, str) else document_name(block)


@asynccontextmanager
async def place_of_job(
    ref: VideoJobRef, together: GivenTogether, archive: GivenArchive
) -> AsyncIterator[Place]:
    """The session for a job: with the given blocks, or with those that it was created with, if they are saved.

    Raises:
        ConfigurationError: as `place_of`; also if this is another archive.
    """
    together = ref.together if together is None else together
    archive = ref.archive if archive is None else archive
    async with place_of(together, archive) as place:
        check_location(ref.location, place.session.ledger)
        yield place


@asynccontextmanager
async def paid_for(purchase: Purchase, session: Session) -> AsyncIterator[None]:
    """Wraps the steps after a create: records a job that failed; makes any other error say that the job is kept.

    Raises:
        VideoError: the one that was raised inside.
    """
    try:
        yield
    except JobFailed as error:
        session.forget(purchase.claim.id)
        await record_failure(purchase, error, session.ledger)
        raise
    except (JobInDoubt, JobDeadlinePassed):
        # Another process may have archived it in the meantime: the next step looks it up in the archive.
        session.forget(purchase.claim.id)
        raise
    except VideoError as error:
        session.forget(purchase.claim.id)
        # What the error itself says about money concerns the call that failed, not the job.
        error.spent, error.said_of_money = Spent.YES, SPENT_WORDS[Spent.YES]
        kept = "Job {} is kept: run this again, or together-video collect; neither buys it again."
        error.remedy = sentences(error.remedy, kept.format(purchase.job_id))
        raise


async def completed_job(place: Place, purchase: Purchase) -> VideoJob:
    """The completed job with a link to its file: remembered from an earlier step or polled again."""
    known = place.session.job(purchase.claim.id)
    return known or await place.session.finisher(None).wait(purchase)


def failed_before(record: VideoRecord) -> JobFailed:
    """The error of a video whose job failed in an earlier run."""
    job = VideoJob.from_json({"id": record.job_id or "unknown", **record.job})
    can_help = not is_final(record.error_code, record.error or "")
    return JobFailed(
        f"{as_sentence(record.error or 'The provider gave no reason')} This happened in an earlier run.",
        job=job,
        remedy="retry_failed=True buys the video again." if can_help else job.remedy,
    )


def run_name(verb: str, parameter: str) -> str:
    """Names task runs after what they make, such as `create: a fox in the snow`."""
    given = task_run.parameters.get(parameter)
    if isinstance(given, PrefectFuture):
        # Prefect names a run before it resolves what earlier tasks return.
        if not given.state.is_completed():
            return verb
        given = given.result(raise_on_failure=False)
    try:
        title = VideoJobRef.of(given).title if parameter == "ref" else as_request(given)[0].title
    except VideoError:
        prompt = given.get("prompt") if isinstance(given, Mapping) else given
        title = one_line(str(prompt), 60)
    return f"{verb}: {title}"
