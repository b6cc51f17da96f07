"""One purchase: claim, POST once, store the job id. The only place that spends money.

Plain functions with clock and sleep passed in; `prefect_together_video.tasks.steps.create` wraps them for Prefect.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from prefect_together_video.blocks.ledger.ledger import Facts, Ledger
from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.steps.held_claim import HeldClaim, hold
from prefect_together_video.tasks.steps.purchase_session import session_of
from together_video.api.client import TogetherClient
from together_video.errors import (
    ArchiveError,
    BudgetReached,
    ConfigurationError,
    CreateAmbiguous,
    CreatesShut,
    CreateWithdrawn,
    NoClearAnswer,
    RateLimited,
    Spent,
    TogetherError,
)
from together_video.ledger.records import Claim, LedgerState, RunRef, Submission, VideoPlan, VideoRecord
from together_video.ledger.spool import Spool
from together_video.media.references import references_of, with_links
from together_video.requests import VideoRequest
from together_video.text import as_sentence

T = TypeVar("T")
Log = Callable[[str], None]
Sleep = Callable[[float], Awaitable[None]]


class Purchase(BaseModel):
    """A video that the provider is making for us: paid for, or charged when it is done.

    `resumed` is True if an earlier or another run made the create, `given_up` if the video was bought again in the
    meantime because this job was in doubt.
    """

    model_config = ConfigDict(frozen=True)

    claim: Claim
    submission: Submission
    resumed: bool = False
    given_up: bool = False

    @property
    def job_id(self) -> str:
        return self.submission.job_id

    @property
    def title(self) -> str:
        return self.claim.plan.title

    @property
    def age_seconds(self) -> float:
        """How long ago the provider accepted the job, in seconds."""
        return (datetime.now(UTC) - self.submission.submitted_at).total_seconds()


#: Longest pause before creates that the API may ask for, in seconds. If it asks for more, a later run continues.
_PATIENCE = 900


_IN_DOUBT = (
    "--on-ambiguous resolve buys it again if the provider's bill shows that it was not charged, "
    "--on-ambiguous resubmit in any case."
)


def _shut_for_long(seconds: float) -> CreatesShut:
    opens = datetime.now(UTC) + timedelta(seconds=seconds)
    return CreatesShut(
        f"The API accepts no creates until {opens:%Y-%m-%d %H:%M} UTC (HTTP 429).",
        wait_seconds=seconds,
        spent=Spent.NOTHING,
        remedy="Run again after that.",
    )


async def _always() -> None:
    """The rate limit if there is none."""


async def buy(
    plan: VideoPlan,
    client: TogetherClient,
    ledger: Ledger,
    spool: Spool,
    *,
    run: RunRef | None = None,
    log: Log,
    rate_limit: Callable[[], Awaitable[None]] = _always,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.time,
) -> Purchase | VideoRecord:
    """Make sure that `plan` is bought exactly once, by this process or another.

    Returns the purchase to wait for, or the final record if it is already done. `rate_limit` is awaited before each
    claim: a place for a rate limit that other processes share.

    Raises:
        BudgetReached: the archive's monthly limit has no room for it, and nothing has bought it yet.
        CreateAmbiguous: it may have been paid for; held.
        TogetherError, ConfigurationError: refused or never sent; it is proven that nothing was created.
            `CreatesShut` if the API asks to wait longer than a run waits.
        ArchiveError: the ledger cannot be read or written.
    """
    session = session_of(client)
    while True:
        while (shut := session.rate_limiter.enter()) > 0:
            if shut > _PATIENCE:
                raise _shut_for_long(shut)
            await sleep(shut)
        await rate_limit()
        # Made for each attempt, and before the claim: links that are signed now outlive the job.
        links = await ledger.media.links(references_of(plan.request))
        request = with_links(plan.request, links.__getitem__)
        stop = asyncio.Event()
        try:
            async with session.places:
                attempt = _attempt(
                    plan, request, client, ledger, spool, run=run, log=log, clock=clock, stop=stop
                )
                bought = await _to_the_end(attempt, stop)
        except RateLimited as error:
            shut = session.rate_limiter.refused(error.wait_seconds)
            log(f"the API asks to slow down; the next create in {shut:.0f} s")
            continue
        if bought is _Again.CLAIMED_BY_ANOTHER:
            done = await _take_over(plan, ledger, spool, log, sleep)
            if done is not None:
                return done
        elif not isinstance(bought, _Again):
            if isinstance(bought, Purchase):
                session.rate_limiter.passed()
            return bought


class _Again(Enum):
    """Why an attempt bought nothing and may be repeated."""

    CLAIMED_BY_ANOTHER = auto()
    STOOD_STILL = auto()


async def _attempt(
    plan: VideoPlan,
    request: VideoRequest,
    client: TogetherClient,
    ledger: Ledger,
    spool: Spool,
    *,
    run: RunRef | None,
    log: Log,
    clock: Callable[[], float],
    stop: asyncio.Event,
) -> Purchase | VideoRecord | _Again:
    """Claim, look for a record, POST. Once started it runs to its end; after `stop` it creates nothing."""
    began = clock()
    try:
        held = await hold(plan, client, ledger, spool, run=run)
    except BudgetReached:
        # What was bought, or may have been, is still collected or held: that needs no more money.
        if not await ledger.is_taken(plan.id):
            raise
        held = None
    if held is None:
        return _Again.CLAIMED_BY_ANOTHER
    try:
        return await _buy_claimed(held, request, client, spool, log=log, clock=clock, began=began, stop=stop)
    except CreateWithdrawn:
        return _Again.STOOD_STILL
    finally:
        held.leave()


async def _buy_claimed(
    held: HeldClaim,
    request: VideoRequest,
    client: TogetherClient,
    spool: Spool,
    *,
    log: Log,
    clock: Callable[[], float],
    began: float,
    stop: asyncio.Event,
) -> Purchase | VideoRecord | _Again:
    claim, ledger = held.claim, held.ledger
    plan = claim.plan
    try:
        # Only now: finishing writes the record before it removes the claim, so this order leaves no gap.
        record = await ledger.record(plan.id)
        # This project never leaves a job without a claim, but a run that finds one must not pay again.
        left = None if record is not None else await ledger.job(plan.id)
    except ArchiveError:
        # Nothing was sent. If the archive accepts no deletion either, the claim ages into a false alarm.
        with contextlib.suppress(ArchiveError):
            await held.release()
        raise
    # If this process pauses for long, others may consider it dead and its claim left behind.
    # Counted from before the claim's PUT, which may have been repeated after a lost answer, or be an earlier attempt's.
    patience = client.timeouts.claim_margin_seconds / 2
    late = clock() - began > patience or (datetime.now(UTC) - claim.claimed_at).total_seconds() > patience
    if left is not None:
        log(f"job {left.job_id} was found without its claim; waiting for it, nothing is bought")
        return Purchase(claim=claim, submission=left, resumed=True)
    if record is not None or late or stop.is_set():
        await held.release()
        return record or _Again.STOOD_STILL
    submission = await _submit(held, request, client, spool, log)
    return Purchase(claim=claim, submission=submission)


async def _submit(
    held: HeldClaim, request: VideoRequest, client: TogetherClient, spool: Spool, log: Log
) -> Submission:
    """POST once, and store the job id before anything else happens."""
    claim, ledger = held.claim, held.ledger
    posted = session_of(client).posted
    posted.add(claim.id)
    sent_at = datetime.now(UTC)
    try:
        job = await client.create(request, departing=held.departing)
    except NoClearAnswer as error:
        try:
            await ledger.ambiguous(claim, error, sent_at=sent_at)
        except ArchiveError as trouble:
            # The claim stays, and becomes ambiguous by its age.
            log(f"the archive could not store that this create is ambiguous ({trouble})")
        raise CreateAmbiguous(
            f"{as_sentence(error.message)} It may have been charged, so it is held and not repeated.",
            video_id=claim.id,
            fresh=True,
            remedy=_IN_DOUBT,
        ) from error
    except (TogetherError, ConfigurationError):
        posted.discard(claim.id)
        await held.release()
        raise
    submission = Submission.of(claim, job, sent_at)
    try:
        stored = await ledger.submitted(submission)
        if stored.job_id != job.id:
            kept = spool.keep_submission(submission)
            log(f"job {job.id} was accepted although {stored.job_id} is on record; its id is kept in {kept}")
        return stored
    except ArchiveError as error:
        try:
            where = f"it is kept in {spool.keep_submission(submission)}"
        except OSError as trouble:
            # This process still waits for it: only if it dies now, the id is lost.
            where = f"nor could this machine's disk ({trouble.strerror or trouble}); write it down"
        log(f"job {job.id} was accepted, but the archive could not store its id ({error}); {where}")
        return submission


async def _take_over(
    plan: VideoPlan, ledger: Ledger, spool: Spool, log: Log, sleep: Sleep
) -> Purchase | VideoRecord | None:
    """Continue from another process's claim: wait for its job while the claim is alive. None: it was released."""
    pause = 1.0
    while True:
        facts = await ledger.facts(plan.id)
        if facts.record is not None:
            return facts.record
        claim = facts.claim
        if claim is None:
            return None
        submission = facts.submission
        if submission is None and (kept := spool.kept_submission(claim)) is not None:
            submission = await _bring_in(kept, ledger, claim, spool)
        if submission is not None:
            return Purchase(claim=claim, submission=submission, resumed=True)
        if await release_unsent(facts, ledger, spool):
            log("its claim was left behind, and nothing was sent; it is made now")
            return None
        if facts.state is LedgerState.AMBIGUOUS:
            raise await held(facts, ledger)
        if pause == 1.0:
            log("another run is creating it; waiting for its job id")
        await sleep(pause)
        pause = min(pause * 1.5, 10.0)


async def release_unsent(facts: Facts, ledger: Ledger, spool: Spool) -> bool:
    """Release a claim without a job if this machine can prove that its create was never sent and never will be."""
    claim = facts.claim
    if claim is None or facts.submission is not None:
        return False
    if not spool.unsent.take(claim, is_old=facts.state is LedgerState.AMBIGUOUS):
        return False
    await ledger.release(claim)
    spool.unsent.forget(claim)
    return True


async def _bring_in(kept: Submission, ledger: Ledger, claim: Claim, spool: Spool) -> Submission:
    """Store a job id in the archive that had to wait on this machine."""
    submission = await ledger.submitted(kept)
    spool.drop_submission(claim)
    return submission


async def held(facts: Facts, ledger: Ledger) -> CreateAmbiguous:
    """Why an ambiguous purchase of an earlier run, which has a claim, is not made again."""
    claim = facts.claim
    assert claim is not None  # noqa: S101 - see above
    ambiguity = facts.ambiguity or await ledger.ambiguous(claim, None)
    return CreateAmbiguous(
        f"It may have been charged at {claim.claimed_at:%Y-%m-%d %H:%M} UTC and gave no job id: "
        f"{ambiguity.reason.rstrip('.')}. It is held and not repeated.",
        video_id=claim.id,
        fresh=False,
        remedy=_IN_DOUBT,
    )


async def _to_the_end(work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T:
    """Await `work` even if we are cancelled in the meantime: an answer to a POST must not be lost.

    `stop` makes `work` start nothing new. The cancellation is passed on once the outcome is stored, which takes no
    longer than the create's own time limit.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await outlast([task])
        if not task.cancelled():
            task.exception()  # the ledger has it; read it here, or asyncio warns
        raise
