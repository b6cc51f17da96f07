"""Making sure that a video is bought: once, within the budget, and not again if an earlier run bought it.

The next purchase follows from the plan and from what is in the archive, and from nothing else. So a run that was killed
and started again, or two runs at once, come to the same purchase, and only one of them wins its claim:

- Each attempt at a video has its own id, and so has each model that takes over.
- A failed attempt is followed by the next one, until the model has failed `plan.attempts` times or for a reason that
  would apply again (see `remedies.is_final`). Failed attempts of earlier runs in the same edition count, so all runs of
  one command together buy no more than that. With `retry_failed` only those of this run count.
- Then the next model takes over, if there is one. The same happens if the create is refused, or is still turned away
  for lack of capacity after its last retry. That leaves no failed attempt behind, so it is recorded under the claim of
  the purchase that was not made (see `Ledger.pass_on`): later runs continue with the model that took over.
- A purchase that may have been charged is held, and nothing replaces it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from prefect_together_video.blocks.ledger.ledger import Facts, Ledger
from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.running.runs import current_run, is_this_run, run_logger, step
from prefect_together_video.tasks.session.bill import BillReader
from prefect_together_video.tasks.session.run_budget import RunBudget
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.session.standings import Standings
from prefect_together_video.tasks.steps.create import buy_video
from prefect_together_video.tasks.steps.held_claim import hold
from prefect_together_video.tasks.steps.purchase import Purchase, held, release_unsent
from prefect_together_video.tasks.steps.purchase_session import is_bought_here, session_of
from together_video.api.client import TogetherClient
from together_video.billing.doubts import Charged
from together_video.errors import (
    ApiOverloaded,
    BudgetReached,
    CreateAmbiguous,
    JobInDoubt,
    MediaRefused,
    RequestRefused,
    Spent,
    VideoError,
)
from together_video.ledger.records import Claim, LedgerState, VideoPlan, VideoRecord
from together_video.ledger.spool import Spool
from together_video.masking import without_passwords
from together_video.media.link_checks import LinkChecks
from together_video.remedies import concerns_model
from together_video.text import as_sentence, sentences


class Buyer:
    """Buys the videos of one run. `creating` are the ids of videos that may have a job that is not known yet; `tell` is
    called with "creating" and "stopped". `trying` has the current attempt of each video, by the id under which the
    video was planned.
    """

    def __init__(
        self,
        client: TogetherClient,
        ledger: Ledger,
        spool: Spool,
        *,
        budget: RunBudget,
        link_checks: LinkChecks | None,
        policy: RunPolicy,
        bill: BillReader,
        tell: Callable[[VideoPlan, str], None],
    ) -> None:
        self.creating: set[str] = set()
        self.trying: dict[str, VideoPlan] = {}
        self._client, self._ledger, self._spool = client, ledger, spool
        self._budget, self._link_checks, self._tell = budget, link_checks, tell
        self._policy, self._bill = policy, bill
        self._doubts: set[str] = set()
        self.standings = Standings(ledger, policy)

    def has_paid(self, plan: VideoPlan, bought: Claim | VideoRecord) -> bool:
        """Whether this run made the purchase, or another process did for the same batch."""
        return self.standings.is_ours(plan, bought) or is_bought_here(bought, self._client)

    async def charge_earlier(self, plans: Sequence[VideoPlan]) -> None:
        """Charge the budget with what an earlier run of the same batch has paid, or may have paid, for these.

        Raises:
            ArchiveError: the ledger cannot be read.
        """

        async def charge(plan: VideoPlan) -> None:
            while True:
                facts = await self._ledger.facts(plan.id)
                known = facts.record or facts.claim
                if known is not None and known.plan.batch_id == plan.batch_id:
                    paid = facts.record.cost_usd if facts.record else None
                    self._budget.charge(plan.estimate_usd, paid, in_flight=facts.submission is not None)
                if facts.record is None or facts.record.state == "archived":
                    return
                plan = plan.next_attempt()

        await asyncio.gather(*(charge(one) for plan in plans for one in plan.chain))

    async def obtain(self, plan: VideoPlan) -> Purchase | VideoRecord:
        """The purchase to wait for, made now or earlier, or the record of one that is archived or has failed. Called
        again after a failed purchase, it makes the next one, if there is one.

        Raises:
            VideoError: see `purchase.buy`. MediaRefused: a link is certainly dead.
        """
        while True:
            at, record = await self.standings.of(plan)
            self.trying[plan.id] = at
            if record is not None:
                return record
            try:
                found = await self.buy(at)
            except (RequestRefused, ApiOverloaded) as error:
                if not at.fallbacks or not concerns_model(error.status, error.code, error.what):
                    raise
                await self._pass_on(at, error)
                continue
            if isinstance(found, Purchase):
                if not found.resumed:
                    self.standings.ours.add(at.id)
                return found
            if found.state == "archived":
                return found

    async def _pass_on(self, at: VideoPlan, error: RequestRefused | ApiOverloaded) -> None:
        """Let the next model take over, unless another run has started to buy from this one in the meantime."""
        following = at.chain[1]

        async def hand_over() -> None:
            ours = await hold(at, self._client, self._ledger, self._spool, run=current_run())
            if ours is None:
                return
            try:
                if await self._ledger.record(at.id) is not None or await self._ledger.job(at.id) is not None:
                    await ours.release()
                    return
                await self._ledger.pass_on(ours.claim, error.message, to=following.id)
                ours.drop_note()
            finally:
                ours.leave()
            self.standings.ours.add(at.id)
            words = "%s: %s takes the place of %s: %s"
            run_logger().warning(
                words, at.title, following.request.model, at.request.model, as_sentence(error.what)
            )

        # If this stopped halfway, the claim would be left behind and become ambiguous.
        task = asyncio.ensure_future(hand_over())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await outlast([task])
            if not task.cancelled():
                task.exception()
            raise

    async def buy(self, plan: VideoPlan) -> Purchase | VideoRecord:
        """The create, within the budget."""
        await self._ask_for_media(plan)
        try:
            await self._budget.reserve(plan.estimate_usd)
        except BudgetReached:
            facts = await self._ledger.facts(plan.id)
            if facts.submission is not None:
                return await self._create(plan)
            if await self._is_held(facts):
                # Held, whatever the bill says: there is no money to buy it again.
                raise await held(facts, self._ledger) from None
            raise
        try:
            self.creating.add(plan.id)
            self._tell(plan, "creating")
            bought = await self._create(plan)
        except CreateAmbiguous as error:
            if error.fresh:
                # It may have been charged, so it counts at its estimate.
                await self._budget.settle(plan.estimate_usd, None)
            else:
                await self._budget.release(plan.estimate_usd)
            self.creating.discard(plan.id)
            raise
        except VideoError:
            await self._budget.release(plan.estimate_usd)
            self.creating.discard(plan.id)
            raise
        except Exception:
            # No answer proves that nothing was created: it counts as created.
            await self._budget.settle(plan.estimate_usd, None)
            raise
        self.creating.discard(plan.id)
        if isinstance(bought, VideoRecord) or bought.resumed:
            await self._budget.release(plan.estimate_usd)
        return bought

    async def _create(self, plan: VideoPlan) -> Purchase | VideoRecord:
        """Create it. If it is ambiguous, give it up and buy it again, if the policy says so."""
        first = plan
        try:
            while True:
                try:
                    return await step(buy_video, plan, self._client, self._ledger, self._spool)
                except CreateAmbiguous as error:
                    if error.fresh or not await self._give_up(plan, error):
                        raise
                    plan, record = await self.standings.latest(plan)
                    if record is not None:
                        return record
        except asyncio.CancelledError:
            if plan.id not in session_of(self._client).posted:
                self.creating.discard(first.id)
                self._tell(first, "stopped")
            raise

    async def _give_up(self, plan: VideoPlan, error: CreateAmbiguous) -> bool:
        """Close an ambiguous purchase of an earlier run, to let the video be bought again.

        Raises:
            CreateAmbiguous: it stays held. The error includes what the provider's bill says.
        """
        facts = await self._ledger.facts(plan.id)
        if facts.state is not LedgerState.AMBIGUOUS or facts.claim is None:
            return False
        if self._policy.on_ambiguous != "resubmit":
            return await self._resolve(plan, facts.claim, error)
        if is_this_run(facts.claim.run):
            # A retry of the run that made the claim is the same run.
            return False
        if not await self._can_buy_again(plan):
            return False
        await self._abandon(facts.claim, error)
        return True

    async def _resolve(self, plan: VideoPlan, claim: Claim, error: CreateAmbiguous) -> bool:
        answer = await self._bill.was_charged(claim)
        if answer.charged is Charged.NO and self._policy.on_ambiguous == "resolve":
            if not await self._can_buy_again(plan):
                return False
            run_logger().warning("%s: bought again. %s", claim.plan.title, answer.words)
            await self._ledger.abandon(claim, f"Bought again. {answer.words} {error.what}", is_free=True)
            return True
        raise CreateAmbiguous(
            sentences(error.what, answer.words), video_id=claim.id, fresh=False, remedy=error.remedy
        )

    async def give_up_job(self, purchase: Purchase, error: JobInDoubt) -> bool:
        """Close a purchase whose job is in doubt, if the policy says so. A job that the provider still knows stays in
        flight: if its video turns up, `collect` archives it.
        """
        if self._policy.on_ambiguous != "resubmit" or not purchase.resumed:
            # A run never buys again what it bought itself, however soon it is in doubt.
            return False
        if not await self._can_buy_again(purchase.claim.plan):
            return False
        await self._abandon(purchase.claim, error, in_doubt=error)
        return True

    async def _can_buy_again(self, plan: VideoPlan) -> bool:
        """Whether the monthly limit has room to buy it again: if not, it is not given up."""
        if await self._ledger.spending.has_room(plan.estimate_usd):
            return True
        run_logger().warning(
            "%s: stays held, because the monthly limit has no room to buy it again.", plan.title
        )
        return False

    async def _abandon(self, claim: Claim, error: VideoError, *, in_doubt: JobInDoubt | None = None) -> None:
        # Without the remedy, which is just followed.
        what = without_passwords(error.what)
        run_logger().warning(
            "%s: %s As you asked, it is given up now and bought again.", claim.plan.title, what
        )
        reason = f"Bought again although: {error.message}"
        if in_doubt is None:
            await self._ledger.abandon(claim, reason)
        else:
            await self._ledger.abandon(
                claim, reason, job_id=in_doubt.job_id, job=in_doubt.job, may_come=in_doubt.may_come
            )

    async def _is_held(self, facts: Facts) -> bool:
        """Whether it is ambiguous and stays held without any money: the policy does not buy it again in any case, and
        this machine has no proof that nothing was sent.
        """
        if facts.state is not LedgerState.AMBIGUOUS or facts.claim is None:
            return False
        return self._policy.on_ambiguous != "resubmit" and not await release_unsent(
            facts, self._ledger, self._spool
        )

    async def _ask_for_media(self, plan: VideoPlan) -> None:
        """Dead links stop a video that is not bought yet; other doubts are logged once."""
        doubts = [] if self._link_checks is None else await self._link_checks.doubts(plan.request)
        for doubt in doubts:
            if doubt.sure and (await self._ledger.facts(plan.id)).state is LedgerState.ABSENT:
                words = doubt.details if self._policy.trusts_requests else doubt.words
                raise MediaRefused(f"{words}.", spent=Spent.NOTHING)
            if doubt.details not in self._doubts:
                self._doubts.add(doubt.details)
                run_logger().warning("%s; the provider may see more than this machine.", doubt.details)
