"""A batch that waits for approval: people can edit or leave out prompts, or choose another model for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect.input import RunInput

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.approval import ApprovalRun, Case, limit_offered
from prefect_together_video.tasks.session.media_upload import keep_media
from prefect_together_video.tasks.session.prospects import foresee
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import InputError
from together_video.gallery.plan_markdown import plan_markdown
from together_video.inputs.media import MediaIntake
from together_video.ledger.approval import Answer, Approved, Proposal, changed_words
from together_video.ledger.forecast import Forecast
from together_video.ledger.records import VideoPlan

#: Checks edited plans, and returns them with their prices and the models that may take over.
Replan = Callable[..., list[VideoPlan]]


class ApprovalForm(RunInput, Answer):
    """The form that approves or declines a suspended batch."""


@dataclass(frozen=True)
class BatchApproval(Case[Proposal, Approved]):
    """`propose_plans` gives title and plans, the first time; `replan` gets edited plans."""

    ledger: Ledger
    propose_plans: Callable[[], Awaitable[tuple[str, Sequence[VideoPlan]]]]
    replan: Replan
    policy: RunPolicy

    proposal = Proposal
    approved = Approved
    form = ApprovalForm

    async def propose(self, run: ApprovalRun, until: datetime) -> Proposal:
        title, plans = await self.propose_plans()
        if not plans:
            raise InputError("There is nothing to approve.")
        forecast = (await foresee(self.ledger, plans, self.policy)).forecast
        budget = limit_offered(self.policy, forecast)
        return Proposal(
            run=run.id, batch_id=run.batch_id, title=title, plans=tuple(plans), budget_usd=budget, until=until
        )

    async def shown(self, proposal: Proposal, problem: str) -> tuple[str, Forecast]:
        found = await foresee(self.ledger, proposal.plans, self.policy)
        text = plan_markdown(proposal.title, proposal.plans, found.fates, found.forecast, problem=problem)
        return text, found.forecast

    async def agreed(self, proposal: Proposal, given: dict[str, Any]) -> tuple[Approved, str]:
        answer = Answer.read(given)
        plans = await self._checked(proposal, answer)
        made = Approved(
            run=proposal.run,
            batch_id=proposal.batch_id,
            title=proposal.title,
            plans=tuple(plans),
            budget_usd=answer.limit_usd,
        )
        return made, changed_words(proposal.plans, plans)

    async def _checked(self, proposal: Proposal, answer: Answer) -> list[VideoPlan]:
        """The approved plans with their prices.

        Raises:
            InputError: an edited request cannot be made, or has no price although there is a budget.
        """
        needs_price = answer.budget_usd is not None
        shown = {plan.id for plan in proposal.plans}
        plans = proposal.edited(answer)

        def stays(plan: VideoPlan) -> bool:
            """Prompts that were not edited are made as they were shown."""
            return plan.id in shown and (plan.estimate_usd is not None or not needs_price)

        edited = [plan for plan in plans if not stays(plan)]
        again = iter(self.replan(edited, needs_price=needs_price) if edited else [])
        made = [plan if stays(plan) else next(again) for plan in plans]
        # Media that were shown are in the archive; an edit cannot name other media.
        await keep_media(MediaIntake([plan.request for plan in made], {}), self.ledger)
        return made
