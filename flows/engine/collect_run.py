"""Finish everything in flight: the work of the flow `collect-videos`, which also runs without Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.index_tending import tend_index
from prefect_together_video.flows.engine.pipeline import Pipeline, open_pipeline
from prefect_together_video.flows.reporting import in_prefect
from prefect_together_video.flows.reporting.results import Ending, collected, refused
from prefect_together_video.tasks.running.prefect_run import flow_context
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.steps.purchase import Purchase, release_unsent
from together_video.errors import ArchiveError, VideoError
from together_video.ledger.records import Claim, LedgerState, Submission, VideoRecord
from together_video.ledger.settings import ArchiveSettings
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.polling.policy import PollPolicy
from together_video.text import counted, sentences

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials

#: Seconds in which the server must say which runs wait for approval.
_UNANSWERED_SECONDS = 30.0


async def run_collect(
    *,
    wait: float,
    in_flight: int,
    together: TogetherCredentials | None = None,
    archive: VideoArchive | ArchiveSettings | None = None,
) -> Ending:
    """The flow describes the parameters. The result is a `Summary`."""
    # With the shortest deadline, each job is polled once, immediately.
    poll = PollPolicy(first_seconds=0, deadline_seconds=max(wait, 0.001))
    try:
        async with open_pipeline(together, archive, RunPolicy(poll, in_flight), check=False) as pipeline:
            found = await pipeline.ledger.in_flight()
            run_logger().info("%d purchases in flight", len(found))
            if found:
                await pipeline.check()
            if pipeline.ledger.spending.limit is not None:
                left = await pipeline.ledger.spending.entries.left_behind(found)
                await pipeline.ledger.spending.entries.withdraw(left)
            await _sweep_spool(pipeline, found)
            await _end_unanswered()
            summary = await _collect(pipeline, found, in_flight)
            await in_prefect.emit_alerts(pipeline.ledger, found, summary.videos)
            await tend_index(pipeline.ledger)
            await in_prefect.show_artifacts(pipeline.ledger, pipeline.records, "Collected", summary)
            return collected(summary, troubles=pipeline.troubles)
    except VideoError as error:
        return refused(error)


async def _end_unanswered() -> None:
    """End batches that nobody approved in time. No paid video depends on it: errors are only logged."""
    if flow_context() is None:
        return
    from prefect.client.orchestration import get_client

    from prefect_together_video.flows.server.waiting_runs import end_unanswered

    try:
        async with asyncio.timeout(_UNANSWERED_SECONDS), get_client() as client:
            if ended := await end_unanswered(client):
                run_logger().info("Ended %s that nobody approved in time.", counted(ended, "run"))
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
        run_logger().warning(
            "Runs that wait for approval could not be ended: %s", str(error) or type(error).__name__
        )


async def _sweep_spool(pipeline: Pipeline, found: Collection[str]) -> None:
    """Remove what this machine still has of jobs that another machine archived.

    A job of the same request in another archive has another id, so its files stay.
    """
    for video in pipeline.spool.purchases() - set(found):
        try:
            record = await pipeline.ledger.record(video)
            if record is not None and record.job_id is not None:
                pipeline.spool.drop(video, record.job_id)
        except (ArchiveError, OSError) as error:
            run_logger().warning(
                "The rest of %s in %s could not be removed: %s", video, pipeline.spool.folder, error
            )


async def _collect(pipeline: Pipeline, found: Collection[str], places: int) -> Summary:
    limit = asyncio.Semaphore(places)

    async def look(video: str) -> Purchase | VideoOutcome | None:
        async with limit:
            try:
                return await _look(pipeline, video)
            except Exception as error:  # noqa: BLE001 - one purchase must not stop the others
                words = error.message if isinstance(error, VideoError) else f"Unexpected {error!r}."
                run_logger().error("%s: %s", video, words)
                pipeline.troubles += 1
                return VideoOutcome(id=video, state=VideoState.SUBMITTED, model="unknown", error=words)

    seen = await asyncio.gather(*(look(video) for video in found))
    finished = await pipeline.finish([one for one in seen if isinstance(one, Purchase)])
    rest = [one for one in seen if isinstance(one, VideoOutcome)]
    return Summary.of([*finished.videos, *rest], bought_before=True)


async def _look(pipeline: Pipeline, video: str) -> Purchase | VideoOutcome | None:
    """What to do about one purchase. None: it is done, or another run is creating it right now."""
    ledger = pipeline.ledger
    facts = await ledger.facts(video)
    if facts.record is not None:
        return await _tidy(ledger, facts.record)
    if facts.claim is None and facts.submission is not None:
        raise ArchiveError(
            f"Job {facts.submission.job_id} is in flight without its claim, so its request is not known. "
            "Run the batch that requested it: it waits for this job and buys nothing."
        )
    if facts.claim is None:
        return None
    submission = facts.submission or pipeline.spool.kept_submission(facts.claim)
    if submission is not None:
        if facts.submission is None:
            submission = await ledger.submitted(submission)
            pipeline.spool.drop_submission(facts.claim)
        return Purchase(claim=facts.claim, submission=submission, resumed=True)
    if await release_unsent(facts, ledger, pipeline.spool):
        run_logger().info("%s: its claim was left behind, and nothing was sent", facts.claim.plan.title)
        return None
    if facts.state is LedgerState.AMBIGUOUS:
        ambiguity = facts.ambiguity or await ledger.ambiguous(facts.claim, None)
        answer = await pipeline.bill.was_charged(facts.claim)
        words = sentences(
            f"Ambiguous since {ambiguity.found_at:%Y-%m-%d %H:%M} UTC: {ambiguity.reason.rstrip('.')}.",
            "It may have been charged.",
            answer.words,
            "The run that requested it buys it again: with --on-ambiguous resolve if the bill shows that it was not "
            "charged, with --on-ambiguous resubmit in any case.",
        )
        run_logger().warning("%s: %s", facts.claim.plan.title, words)
        return VideoOutcome.of_plan(facts.claim.plan, VideoState.AMBIGUOUS, error=words)
    return None


async def _tidy(ledger: Ledger, record: VideoRecord) -> Purchase | None:
    """The record is there, but so are facts in flight: either a clean-up was interrupted, or a purchase that was given
    up was made after all, and its video may come.
    """
    left = await ledger.facts_in_flight(record.id)
    if record.state == "abandoned" and left.submission is not None:
        claim = left.claim or _claim_of(record, left.submission, ledger)
        return Purchase(claim=claim, submission=left.submission, resumed=True, given_up=True)
    if left.claim is None:
        await ledger.tidy(record.id)
    else:
        await ledger.finish(record, left.claim)
    return None


def _claim_of(record: VideoRecord, submission: Submission, ledger: Ledger) -> Claim:
    """The original claim of a purchase that was given up while its process hung before the POST."""
    claimed_at = record.claimed_at or record.recorded_at
    video_key, poster_key = ledger.layout.media(record.plan, claimed_at)
    return Claim(
        id=record.id,
        token=submission.token,
        plan=record.plan,
        claimed_at=claimed_at,
        valid_seconds=0,
        video_key=video_key,
        poster_key=poster_key,
        run=record.run,
    )
