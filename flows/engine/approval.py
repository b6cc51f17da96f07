"""What a person approves: the run is suspended with its plan in a form, and makes what the person approves.

No worker is occupied while it waits. A resumed run starts again from the beginning, on any machine: what was shown and
what was approved are write-once objects of the archive, and apply from then on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

from prefect.artifacts import acreate_markdown_artifact
from prefect.context import FlowRunContext
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from pydantic import BaseModel, Field, ValidationError, create_model

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting import events
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import ArchiveError, ConfigurationError, InputError, NotApproved
from together_video.gallery.plain_text import plain
from together_video.ledger.approval import GRACE_SECONDS, ApprovalFact, Waiting
from together_video.ledger.forecast import Forecast
from together_video.money import usd
from together_video.text import sentences

#: How often the form is shown, again after each answer that cannot be used.
_ROUNDS = 5

Shown = TypeVar("Shown", bound=Waiting)
Agreed = TypeVar("Agreed", bound=ApprovalFact)
Fact = TypeVar("Fact", bound=ApprovalFact)


@dataclass(frozen=True)
class ApprovalRun:
    """The flow run that asks. It is the same run whenever it starts again, and its batch keeps the same id."""

    id: str
    batch_id: str

    @classmethod
    def current(cls) -> ApprovalRun:
        """Raises ConfigurationError: this is not a run that Prefect can suspend."""
        context = FlowRunContext.get()
        run = context.flow_run if context is not None else None
        if run is None or run.created is None:
            raise ConfigurationError(
                "A run waits for approval on a Prefect server, but there is no server: set PREFECT_API_URL and start a "
                "deployment, or see the price with --dry-run."
            )
        if run.parent_task_run_id is not None:
            raise ConfigurationError(
                "A flow that another flow calls cannot wait for approval: start its deployment with run_deployment."
            )
        if run.deployment_id is None:
            raise ConfigurationError(
                "Only a run of a deployment can wait for approval, because Prefect starts it again after the answer. "
                "Start one from the UI or with prefect deployment run. On a terminal, together-video asks directly."
            )
        # The last digits: in the ids of newer servers the first digits are a time.
        return cls(str(run.id), f"{run.created:%Y%m%dT%H%M%S}-{run.id.hex[-6:]}")


class Case(ABC, Generic[Shown, Agreed]):
    """What needs approval: how it is proposed and shown, and how an answer changes it."""

    proposal: ClassVar[type[Any]]
    approved: ClassVar[type[Any]]
    #: Its field `decision` is `approve` or `decline`.
    form: ClassVar[type[RunInput]]

    @abstractmethod
    async def propose(self, run: ApprovalRun, until: datetime) -> Shown:
        """What is shown the first time. Raises VideoError: there is nothing that can be made."""

    @abstractmethod
    async def shown(self, proposal: Shown, problem: str) -> tuple[str, Forecast]:
        """The plan as Markdown, and what it may cost. `problem` is what was wrong with an earlier answer."""

    @abstractmethod
    async def agreed(self, proposal: Shown, given: dict[str, Any]) -> tuple[Agreed, str]:
        """What is made after the answer `approve`, and its description. Raises InputError: it cannot be used."""


def limit_offered(policy: RunPolicy, forecast: Forecast) -> Decimal | None:
    """The limit that the form offers: the run's own, or the highest price of the plan."""
    if policy.budget_usd is not None:
        return policy.budget_usd
    return forecast.high_usd if forecast.buys and not forecast.unpriced else None


async def approved(ledger: Ledger, run: ApprovalRun, case: Case[Shown, Agreed], *, hours: float) -> Agreed:
    """What a person has approved for this run. Until there is an answer, the run is suspended by an exception of
    Prefect's.

    Args:
        hours: how long an answer may take.

    Raises:
        NotApproved: it was declined, nobody answered in time, or no answer could be used.
        VideoError: see `Case.propose`.
    """
    known: Agreed | None = await _read(ledger, run, "approved.json", case.approved)
    if known is not None:
        run_logger().info("Making what was approved before.")
        return known
    proposal: Shown | None = await _read(ledger, run, "proposal.json", case.proposal)
    if proposal is None:
        until = datetime.now(UTC) + timedelta(hours=hours)
        proposal = await _keep(ledger, run, "proposal.json", await case.propose(run, until))
    problem = ""
    for turn in range(1, _ROUNDS + 1):
        try:
            given = await _ask(case, proposal, turn, problem)
            if given.get("decision") == "decline":
                raise NotApproved("Not approved: declined. Nothing was bought.")
            if datetime.now(UTC) > proposal.until:
                raise NotApproved("Not approved: the answer came too late. Nothing was bought.")
            made, words = await case.agreed(proposal, given)
        except InputError as error:
            problem = error.message
            run_logger().warning("The answer cannot be used. Nothing was bought. %s", problem)
            continue
        budget = made.budget_usd
        run_logger().info("Approved: %s%s.", words, "" if budget is None else f", at most {usd(budget)}")
        return await _keep(ledger, run, "approved.json", made)
    raise NotApproved(f"Not approved: {_ROUNDS} answers could not be used. {problem} Nothing was bought.")


async def _ask(case: Case[Shown, Agreed], proposal: Shown, turn: int, problem: str) -> dict[str, Any]:
    """Show the form, or read the answer to it.

    Raises:
        InputError: what came back is not an answer.
    """
    seconds = (proposal.until - datetime.now(UTC)).total_seconds()
    text = said = ""
    if not _was_asked(turn):
        if seconds <= 0:
            raise NotApproved("Not approved: nobody answered in time. Nothing was bought.")
        text, forecast = await case.shown(proposal, problem)
        await acreate_markdown_artifact(text, key="approval", description=plain(forecast.sentence, 400))
        events.approval_wanted(proposal, forecast)
        said = sentences(problem and "Answer again", problem, forecast.sentence)
    form = _form(case.form, text, said, proposal.initial())
    try:
        given = await asuspend_flow_run(
            wait_for_input=form, timeout=max(int(seconds), 0) + GRACE_SECONDS, key=f"approval-{turn}"
        )
    except ValidationError as error:
        raise InputError("The run was resumed without an answer: choose approve or decline.") from error
    return given.model_dump()


def _was_asked(turn: int) -> bool:
    """Whether this form was shown before: the run has been resumed."""
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    return run is not None and f"approval-{turn}" in (run.empirical_policy.pause_keys or set())


def _form(base: type[RunInput], text: str, said: str, initial: dict[str, object]) -> type[RunInput]:
    """The form with initial values and descriptions, which Prefect's usual way would drop."""
    fields: dict[str, Any] = {}
    for name, value in initial.items():
        known = base.model_fields[name]
        fields[name] = (
            known.annotation,
            Field(default=value, title=known.title, description=known.description),
        )
    decision = base.model_fields["decision"]
    # If the form is long, the first UI leaves no room for the text above it.
    fields["decision"] = (decision.annotation, Field(description=sentences(said, decision.description)))
    form = create_model("Approval", __base__=base, **fields)
    form._description = text
    return form


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
            remedy="Inspect it by hand. Nothing was bought.",
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
