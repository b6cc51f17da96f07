"""A batch that a person approves: the run is suspended with its plan in a form, and makes what is answered.

No worker is held while it waits. A resumed run begins again from its start, on whichever machine: what was shown and
what was approved are write-once objects of the archive, and decide from then on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from prefect.artifacts import acreate_markdown_artifact
from prefect.context import FlowRunContext
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from pydantic import BaseModel, Field, ValidationError, create_model

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting import events
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.media_upload import keep_media
from prefect_together_video.tasks.session.prospects import Prospects, foresee
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import ArchiveError, ConfigurationError, InputError, NotApproved
from together_video.gallery.plain_text import plain
from together_video.gallery.plan_markdown import plan_markdown
from together_video.inputs.media import MediaIntake
from together_video.ledger.approval import GRACE_SECONDS, Answer, Approved, Proposal, changed_words
from together_video.ledger.records import VideoPlan
from together_video.money import usd
from together_video.text import sentences

#: How often the form is shown again after an answer that cannot be used.
_ROUNDS = 5

Fact = TypeVar("Fact", Proposal, Approved)
#: Checks plans that were edited, and gives them with their prices and what may take over.
Replan = Callable[..., list[VideoPlan]]


class ApprovalForm(RunInput, Answer):
    """The form in which a suspended run is answered."""


@dataclass(frozen=True)
class ApprovalRun:
    """The flow run that asks: the same whenever it begins again, and so is the id of its batch."""

    id: str
    batch_id: str

    @classmethod
    def current(cls) -> ApprovalRun:
        """Raises ConfigurationError: there is no run that Prefect can suspend."""
        context = FlowRunContext.get()
        run = context.flow_run if context is not None else None
        if run is None or run.created is None:
            raise ConfigurationError(
                "A run waits for approval on a Prefect server, and there is none: set PREFECT_API_URL and start a "
                "deployment, or see the price with --dry-run."
            )
        if run.parent_task_run_id is not None:
            raise ConfigurationError(
                "A flow that another flow calls cannot wait for approval: start its deployment with run_deployment."
            )
        if run.deployment_id is None:
            raise ConfigurationError(
                "Only a run of a deployment can wait for approval, as Prefect starts it again after the answer: start "
                "one from the UI or with prefect deployment run. On a terminal, together-video asks by itself."
            )
        # The last digits: the first ones are a time in the ids of newer servers.
        return cls(str(run.id), f"{run.created:%Y%m%dT%H%M%S}-{run.id.hex[-6:]}")


async def approved(
    ledger: Ledger,
    run: ApprovalRun,
    propose: Callable[[], Awaitable[tuple[str, Sequence[VideoPlan]]]],
    replan: Replan,
    *,
    policy: RunPolicy,
    hours: float,
) -> Approved:
    """What a person has approved for this run. The run is suspended, by an exception of Prefect's, until there is an
    answer.

    Args:
        propose: gives title and plans, the first time.
        replan: is given plans that were edited.
        hours: how long an answer may take.

    Raises:
        NotApproved: it was declined, or nobody answered in time, or not in a way that can be used.
        VideoError: see `propose`.
    """
    if (known := await _read(ledger, run, "approved.json", Approved)) is not None:
        run_logger().info("Makes what was approved before: %d videos.", len(known.plans))
        return known
    proposal = await _proposal(ledger, run, propose, policy, hours)
    problem = ""
    for turn in range(1, _ROUNDS + 1):
        try:
            answer = await _ask(ledger, proposal, policy, turn, problem)
            if answer.decision == "decline":
                raise NotApproved("Not approved: declined. Nothing was bought.")
            if datetime.now(UTC) > proposal.until:
                raise NotApproved("Not approved: the answer came too late. Nothing was bought.")
            plans = await _checked(ledger, proposal, answer, replan)
        except InputError as error:
            problem = error.message
            run_logger().warning("The answer cannot be used, nothing was bought: %s", problem)
            continue
        budget = answer.limit_usd
        run_logger().info(
            "Approved: %s%s.",
            changed_words(proposal.plans, plans),
            "" if budget is None else f", at most {usd(budget)}",
        )
        made = Approved(
            run=run.id, batch_id=run.batch_id, title=proposal.title, plans=tuple(plans), budget_usd=budget
        )
        return await _keep(ledger, run, "approved.json", made)
    raise NotApproved(f"Not approved: {_ROUNDS} answers could not be used. {problem} Nothing was bought.")


async def _proposal(
    ledger: Ledger,
    run: ApprovalRun,
    propose: Callable[[], Awaitable[tuple[str, Sequence[VideoPlan]]]],
    policy: RunPolicy,
    hours: float,
) -> Proposal:
    if (known := await _read(ledger, run, "proposal.json", Proposal)) is not None:
        return known
    title, plans = await propose()
    if not plans:
        raise InputError("There is nothing to approve.")
    budget = policy.budget_usd
    if budget is None:
        forecast = (await foresee(ledger, plans, policy)).forecast
        budget = forecast.high_usd if forecast.buys and not forecast.unpriced else None
    made = Proposal(
        run=run.id,
        batch_id=run.batch_id,
        title=title,
        plans=tuple(plans),
        budget_usd=budget,
        until=datetime.now(UTC) + timedelta(hours=hours),
    )
    return await _keep(ledger, run, "proposal.json", made)


async def _ask(ledger: Ledger, proposal: Proposal, policy: RunPolicy, turn: int, problem: str) -> Answer:
    """Show the form, or read what was answered to it.

    Raises:
        InputError: what came back is no answer.
    """
    seconds = (proposal.until - datetime.now(UTC)).total_seconds()
    text = said = ""
    if not _was_asked(turn):
        if seconds <= 0:
            raise NotApproved("Not approved: nobody answered in time. Nothing was bought.")
        prospects = await foresee(ledger, proposal.plans, policy)
        text = await _show(proposal, prospects, problem)
        said = sentences(problem and "Answer again", problem, prospects.forecast.sentence)
    form = _form(text, said, proposal.initial())
    try:
        given = await asuspend_flow_run(
            wait_for_input=form, timeout=max(int(seconds), 0) + GRACE_SECONDS, key=f"approval-{turn}"
        )
    except ValidationError as error:
        raise InputError("The run was resumed without an answer: choose approve or decline.") from error
    return Answer.read(given.model_dump())


def _was_asked(turn: int) -> bool:
    """Whether this form was shown before: the run has been resumed."""
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    return run is not None and f"approval-{turn}" in (run.empirical_policy.pause_keys or set())


async def _show(proposal: Proposal, prospects: Prospects, problem: str) -> str:
    text = plan_markdown(proposal.title, proposal.plans, prospects.fates, prospects.forecast, problem=problem)
    await acreate_markdown_artifact(text, key="approval", description=plain(prospects.forecast.sentence, 400))
    events.approval_wanted(proposal, prospects.forecast)
    return text


def _form(text: str, said: str, initial: dict[str, Any]) -> type[ApprovalForm]:
    """The form with what its fields hold at first, and their descriptions, which Prefect's own way would drop."""
    fields: dict[str, Any] = {}
    for name, value in initial.items():
        known = ApprovalForm.model_fields[name]
        fields[name] = (
            known.annotation,
            Field(default=value, title=known.title, description=known.description),
        )
    decision = ApprovalForm.model_fields["decision"]
    # Where the form is long, the first UI leaves no room for the text above it.
    fields["decision"] = (decision.annotation, Field(description=sentences(said, decision.description)))
    form = create_model("Approval", __base__=ApprovalForm, **fields)
    form._description = text
    return form


async def _checked(ledger: Ledger, proposal: Proposal, answer: Answer, replan: Replan) -> list[VideoPlan]:
    """The approved plans with their prices.

    Raises:
        InputError: an edited request cannot work, or has no price and there is a budget.
    """
    needs_price = answer.budget_usd is not None
    shown = {plan.id for plan in proposal.plans}
    plans = proposal.edited(answer)

    def stays(plan: VideoPlan) -> bool:
        """What was not edited is made as it was shown."""
        return plan.id in shown and (plan.estimate_usd is not None or not needs_price)

    edited = [plan for plan in plans if not stays(plan)]
    again = iter(replan(edited, needs_price=needs_price) if edited else [])
    made = [plan if stays(plan) else next(again) for plan in plans]
    # Media that were shown are in the archive; an edit cannot name others.
    await keep_media(MediaIntake([plan.request for plan in made], {}), ledger)
    return made


async def _read(ledger: Ledger, run: ApprovalRun, name: str, kind: type[Fact]) -> Fact | None:
    key = ledger.layout.batch(run.batch_id, name)
    stored = await ledger.store.get(key)
    if stored is None:
        return None
    try:
        fact = kind.model_validate_json(stored.data)
    except ValidationError:
        fact = None
    if fact is None or (fact.run, fact.batch_id) != (run.id, run.batch_id):
        raise ArchiveError(
            f"{ledger.store.uri(key)} is not what this run wrote.",
            remedy="Look at it by hand. Nothing was bought.",
        )
    return fact


async def _keep(ledger: Ledger, run: ApprovalRun, name: str, fact: Fact) -> Fact:
    key = ledger.layout.batch(run.batch_id, name)
    data = _json(fact)
    if await ledger.store.put_once(key, data):
        return fact
    return await _read(ledger, run, name, type(fact)) or fact


def _json(fact: BaseModel) -> bytes:
    return fact.model_dump_json(indent=1).encode()
