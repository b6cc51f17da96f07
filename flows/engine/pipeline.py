"""The path of one video through the tasks, many at a time: create, wait, download, archive.

One client, one ledger, one event loop for a whole run. What happens to one video does not stop the others, unless no
video can succeed any more (no key, no credit, no bucket).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.opened import opened
from prefect_together_video.flows.engine import outcomes
from prefect_together_video.flows.engine.record_cache import RecordCache
from prefect_together_video.flows.engine.stopping import all_of
from prefect_together_video.flows.reporting.happenings import Phase, Planned, happens
from prefect_together_video.flows.reporting.in_prefect import progress_shown
from prefect_together_video.flows.reporting.progress import Progress, tell
from prefect_together_video.flows.reporting.results import interrupted
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.session.bill import BillReader
from prefect_together_video.tasks.session.buying import Buyer
from prefect_together_video.tasks.session.duration_history import DurationHistory
from prefect_together_video.tasks.session.finishing import Finisher
from prefect_together_video.tasks.session.model_offers import ModelOffers
from prefect_together_video.tasks.session.readiness import check_ready
from prefect_together_video.tasks.session.run_budget import RunBudget
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.steps.archive import record_failure
from prefect_together_video.tasks.steps.make import all_steps
from prefect_together_video.tasks.steps.purchase import Purchase
from prefect_together_video.tasks.steps.purchase_session import CREATING_AT_ONCE
from together_video.api.client import TogetherClient
from together_video.api.from_env import client_from_env
from together_video.errors import (
    BudgetReached,
    JobDeadlinePassed,
    JobFailed,
    JobInDoubt,
    VideoError,
)
from together_video.ledger.account import NOTHING
from together_video.ledger.records import WATCHED_SECONDS, LedgerState, VideoPlan, VideoRecord
from together_video.ledger.settings import ArchiveSettings
from together_video.ledger.spool import Spool
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.media.link_checks import LinkChecks
from together_video.money import usd
from together_video.polling.policy import PollPolicy

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials

T = TypeVar("T")

#: One video, and the function that makes it; it calls its argument as soon as there is a job to wait for.
Work = tuple[VideoPlan, Callable[[Callable[[], None]], Awaitable[VideoOutcome]]]

#: Up to this many videos in a run, each step is a Prefect task run; above, each video is one. Prefect's server
#: and its pages slow down with their number.
STEPS_SHOWN = 50


class Pipeline:
    """Makes videos with shared resources; `records` has the final records that it met, by plan id."""

    def __init__(
        self,
        client: TogetherClient,
        ledger: Ledger,
        policy: RunPolicy = RunPolicy(),  # noqa: B008 - frozen
        *,
        spool: Spool | None = None,
        link_checks: LinkChecks | None = None,
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.poll = policy.poll or PollPolicy()
        self.durations = DurationHistory(ledger, self.poll) if self.poll.adaptive else None
        self.offers = ModelOffers(client, ledger)
        self.spool = spool or Spool()
        self.records = RecordCache()
        #: How many jobs stay at the provider for a reason other than a passed deadline.
        self.troubles = 0
        self._finisher = Finisher(client, ledger, self.spool, self.poll, self.durations)
        self._budget_usd = policy.budget_usd
        self._budget = RunBudget(policy.budget_usd)
        self.bill = BillReader(client, ledger)
        self.buyer = Buyer(
            client,
            ledger,
            self.spool,
            budget=self._budget,
            link_checks=link_checks,
            policy=policy,
            bill=self.bill,
            tell=self._tell,
        )
        self._in_flight = policy.in_flight
        self._hopeless: VideoError | None = None
        self._out_of_budget: set[str] = set()
        self._under_way = 0
        self._done = 0
        self._total = 0

    async def check(self) -> None:
        """See `readiness.check_ready`: before anything is claimed."""
        happens(Phase("Checking the API, the archive and this machine"))
        await check_ready(self.client, self.ledger, self.spool)

    async def produce(self, plans: Sequence[VideoPlan]) -> Summary:
        """Make all of them, at most `in_flight` at a time. Errors of one video are not raised."""
        await self.buyer.standings.look_ahead(plans)
        return await self._all([(plan, partial(self._make, plan)) for plan in plans])

    def turns(self, total: int) -> Turns:
        """For videos that the caller makes in its own order; see `Turns`."""
        self._total += total
        happens(Planned(self._total, self._budget_usd, self._usual_seconds))
        return Turns(self)

    async def finish(self, purchases: Sequence[Purchase]) -> Summary:
        """Collect what was bought earlier: nothing is created."""
        return await self._all(
            [(bought.claim.plan, partial(self._bring_home, bought)) for bought in purchases]
        )

    async def _all(self, works: Sequence[Work]) -> Summary:
        self._total += len(works)
        happens(Planned(self._total, self._budget_usd, self._usual_seconds))
        ended: dict[int, VideoOutcome] = {}
        left = iter(enumerate(works))
        is_large = len(works) > STEPS_SHOWN
        # If all were started at once, Prefect would make all their task runs before the first create.
        beginnings = asyncio.Semaphore(CREATING_AT_ONCE)

        async def take_turns() -> None:
            # An asyncio task for each video would keep its memory until the last video is over.
            for place, (plan, work) in left:
                with ExitStack() as beginning:
                    await beginnings.acquire()
                    beginning.callback(beginnings.release)
                    make = partial(work, beginning.close)
                    ended[place] = await (self._as_one(plan, make) if is_large else make())
                self._over(plan, ended[place])

        await self._to_the_end(take_turns() for _ in range(min(self._in_flight, len(works))))
        return Summary.of(ended[place] for place in range(len(works)))

    async def _to_the_end(self, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        try:
            return await all_of(works, slow_to_stop=self._stopping)
        except asyncio.CancelledError:
            # No new creates from here on; a POST that was already sent has stored its outcome.
            # The command line prints its own last line.
            words = interrupted(self._under_way, len(self.buyer.creating))
            run_logger().warning(words, extra={"is_last_line": True})
            raise

    def _usual_seconds(self, model: str) -> float | None:
        return None if self.durations is None else self.durations.learner.usual_seconds(model)

    def _stopping(self) -> None:
        if posted := len(self.buyer.creating):
            run_logger().warning(
                "Stopping as soon as the answers to %d creates are stored in the archive. Stopping at once (Ctrl-C "
                "again) may lose job ids: such videos are then held as perhaps charged.",
                posted,
            )

    async def _as_one(self, plan: VideoPlan, work: Callable[[], Awaitable[VideoOutcome]]) -> VideoOutcome:
        """All steps of a video in one task run. Whatever Prefect makes of it, the outcome is that of the work."""
        found: list[VideoOutcome] = []

        async def noted() -> VideoOutcome:
            found.append(await work())
            return found[0]

        try:
            await step(all_steps, plan, noted)
        except Exception as error:  # noqa: BLE001 - Failed, as the outcome says; or an error of Prefect's
            if not found:
                return await self.as_recorded(plan, self._unexpected(plan, error))
        return found[0]

    def _over(self, plan: VideoPlan, outcome: VideoOutcome) -> None:
        self._done += 1
        line = f"{plan.title}: {outcome.state}" + (f": {outcome.error}" if outcome.error else "")
        run_logger().log(logging.INFO if outcome.state in GOOD else logging.ERROR, line)
        self._tell(plan, outcome.state.value, outcome.error or "", outcome)

    async def _make(self, plan: VideoPlan, begun: Callable[[], None] = lambda: None) -> VideoOutcome:
        """Reuse or buy one video and archive it; if the provider fails it, try again, as the plan allows."""
        failed: list[VideoOutcome] = []
        while True:
            found = await self._try(plan, begun)
            if failed and found.id == failed[-1].id:
                # There is no further attempt.
                return outcomes.after(failed[:-1], found)
            if failed and found.state in {VideoState.SKIPPED, VideoState.REFUSED}:
                return outcomes.not_made_again(failed, found)
            is_recorded = found.state is VideoState.FAILED and found.id in self.records
            if not (is_recorded and plan.is_tried_again) or self._hopeless is not None:
                return outcomes.after(failed, found)
            failed.append(found)
            with suppress(VideoError):
                following, record = await self.buyer.standings.of(plan)
                if record is None:
                    self._tell(plan, "again", f"its job failed; next: {following.request.model}")

    async def _try(self, plan: VideoPlan, begun: Callable[[], None] = lambda: None) -> VideoOutcome:
        """One purchase, found or made, to its end. An error before the create is "refused", or "skipped" if the video
        was not refused.
        """
        if self._hopeless is not None:
            return outcomes.not_started(plan, self._hopeless)
        try:
            bought = await self.buyer.obtain(plan)
            if isinstance(bought, VideoRecord):
                return self._of_final(plan, bought)
            self._tell(bought.claim.plan, "resumed" if bought.resumed else "created", f"job {bought.job_id}")
            return self._as_paid(plan, bought, await self._bring_home(bought, begun, plan))
        except VideoError as error:
            if isinstance(error, BudgetReached):
                self._out_of_budget.add(plan.id)
            if outcomes.stops_creates(error) and self._hopeless is None:
                self._hopeless = error
            return outcomes.not_bought(self.buyer.trying.get(plan.id, plan), error)
        except Exception as error:  # noqa: BLE001 - one video's defect must not stop the others
            return await self.as_recorded(plan, self._unexpected(plan, error))

    async def as_recorded(self, plan: VideoPlan, words: str) -> VideoOutcome:
        """What the ledger knows about a video if nothing else can say how it ended; `words` say why."""
        try:
            at, record = await self.buyer.standings.of(plan)
            facts = await self.ledger.facts(at.id)
            if record is None and facts.state is LedgerState.ABSENT and at.attempt > 1:
                # Another attempt was due. What is known is how the last one ended.
                at = at.model_copy(update={"attempt": at.attempt - 1})
                facts = await self.ledger.facts(at.id)
        except VideoError:
            return outcomes.as_facts_say(plan, words, None)
        if facts.record is not None and facts.record.state != "abandoned":
            return self._of_final(plan, facts.record)
        found = outcomes.as_facts_say(at, words, facts)
        self.troubles += found.state is VideoState.SUBMITTED
        return found

    async def _in_doubt(self, planned: VideoPlan, purchase: Purchase, error: JobInDoubt) -> VideoOutcome:
        """A job that hangs, or that the provider no longer knows, is in doubt, like a create without an answer."""
        plan = purchase.claim.plan
        if purchase.given_up:
            return await self._given_up(plan, purchase, error)
        try:
            given_up = await self.buyer.give_up_job(purchase, error)
        except VideoError as trouble:
            run_logger().warning("%s: stays held: %s", plan.title, trouble)
            given_up = False
        if given_up:
            return await self._try(planned)
        return outcomes.not_brought_home(plan, error, error.job_id)

    async def _given_up(self, plan: VideoPlan, purchase: Purchase, error: JobInDoubt) -> VideoOutcome:
        """This job is no longer waited for: it is watched for a while, in case its video turns up."""
        may_come = error.may_come and purchase.age_seconds < WATCHED_SECONDS
        if not may_come:
            await self.ledger.tidy(plan.id)
        return outcomes.given_up(plan, error.what, error.job_id, may_come=may_come)

    async def _bring_home(
        self, purchase: Purchase, begun: Callable[[], None], planned: VideoPlan | None = None
    ) -> VideoOutcome:
        """From the job id to the archive. An error here leaves the job at the provider.

        `planned` is what the run had to make; this may be a later attempt, or one from another model.
        """
        begun()
        plan = purchase.claim.plan
        reserved = None if purchase.resumed else plan.estimate_usd
        cost, stays = None, False
        self._under_way += 1
        try:
            record = await self._finisher.finish(
                purchase, completed=lambda: self._tell(plan, "finished", "downloading")
            )
            cost = record.cost_usd
            self._under_way -= 1
            if cost is not None and plan.estimate_usd is not None and cost > plan.estimate_usd:
                run_logger().warning(
                    "%s: the provider charged %s, more than the highest estimate of %s.",
                    plan.title,
                    usd(cost),
                    usd(plan.estimate_usd),
                )
            return self._of_record(record, VideoState.ARCHIVED)
        except JobFailed as error:
            cost = error.job.cost_usd
            self._under_way -= 1
            return await self._failed(plan, purchase, error)
        except JobInDoubt as error:
            self._under_way -= 1
            return await self._in_doubt(planned or plan, purchase, error)
        except VideoError as error:
            if outcomes.stops_waiting(error) and self._hopeless is None:
                self._hopeless = error
            self.troubles += not isinstance(error, JobDeadlinePassed)
            stays = True
            return outcomes.not_brought_home(plan, error, purchase.job_id)
        except Exception as error:  # noqa: BLE001 - one video's defect must not stop the others
            self.troubles += 1
            return outcomes.in_flight(plan, self._unexpected(plan, error), purchase.job_id)
        finally:
            await self._budget.settle(reserved, cost, in_flight=stays)

    def _as_paid(self, plan: VideoPlan, bought: Purchase, found: VideoOutcome) -> VideoOutcome:
        """Several runs may wait for one job: only the run that made the create has paid for it. If a job is in doubt,
        this run may have bought it again in the meantime.
        """
        is_others = bought.resumed and not self.buyer.has_paid(plan, bought.claim)
        return (
            found.model_copy(update={"paid_earlier": True})
            if is_others and found.id == bought.claim.id
            else found
        )

    def _of_final(self, plan: VideoPlan, record: VideoRecord) -> VideoOutcome:
        """The outcome of a video that had already ended: a part that runs again finds what its first run paid for."""
        ours = self.buyer.has_paid(plan, record)
        found = self._of_record(record, VideoState.ARCHIVED if ours else VideoState.REUSED)
        # Labels are not part of what was bought: readers of this run look for its own labels.
        return found.model_copy(update={"labels": plan.request.labels, "paid_earlier": not ours})

    def _of_record(self, record: VideoRecord, state: VideoState) -> VideoOutcome:
        self.records.keep(record)
        return outcomes.of_record(record, state, place=self.ledger.place)

    async def _failed(self, plan: VideoPlan, purchase: Purchase, error: JobFailed) -> VideoOutcome:
        try:
            return self._of_record(await record_failure(purchase, error, self.ledger), VideoState.FAILED)
        except VideoError as trouble:
            return outcomes.failed_without_record(plan, error, trouble)

    def _unexpected(self, plan: VideoPlan, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return "The step took longer than its time limit."
        run_logger().error("%s: unexpected", plan.title, exc_info=error)
        return f"Unexpected {type(error).__name__}: {error}."

    def _tell(
        self, plan: VideoPlan, stage: str, detail: str = "", outcome: VideoOutcome | None = None
    ) -> None:
        tell(
            Progress(
                plan=plan,
                stage=stage,
                detail=detail,
                done=self._done,
                total=self._total,
                outcome=outcome,
                account=NOTHING if outcome is None else outcome.account,
                out_of_budget=plan.id in self._out_of_budget,
            )
        )


class Turns:
    """Makes the videos of a pipeline one by one, in the caller's order."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def make(self, plan: VideoPlan) -> VideoOutcome:
        """Reuse or buy one video and archive it. Its errors are not raised."""
        outcome = await self._pipeline._make(plan)
        self._pipeline._over(plan, outcome)
        return outcome

    def over(self, plan: VideoPlan, state: VideoState, words: str) -> VideoOutcome:
        """A video that is not even started, and why."""
        outcome = VideoOutcome.of_plan(plan, state, error=words)
        self._pipeline._over(plan, outcome)
        return outcome

    async def all(self, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """Run all of these to the end; if interrupted, let creates store their answers first."""
        return await self._pipeline._to_the_end(works)


@asynccontextmanager
async def open_pipeline(
    together: TogetherCredentials | None,
    archive: VideoArchive | ArchiveSettings | None,
    policy: RunPolicy = RunPolicy(),  # noqa: B008 - frozen
    *,
    check: bool = True,
) -> AsyncIterator[Pipeline]:
    """A pipeline over blocks, or over what the environment names. The machine and the bucket are checked first, unless
    the caller does that before it writes.

    Raises:
        ConfigurationError, BucketRefused, StoreUnsafe, StoreUnavailable
    """
    # Before the archive: if both are missing, the error about the key comes first.
    calls = client_from_env() if together is None else together.get_client()
    spool = Spool()
    spool.sweep()
    async with (
        calls as client,
        opened(archive) as ledger,
        LinkChecks(client.trusted_hosts) as link_checks,
        progress_shown(),
    ):
        pipeline = Pipeline(client, ledger, policy, spool=spool, link_checks=link_checks)
        if check:
            await pipeline.check()
        try:
            yield pipeline
        finally:
            await pipeline.offers.close()
        if pipeline.durations is not None:
            await pipeline.durations.keep()
