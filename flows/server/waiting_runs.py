"""Runs that are suspended until a person approves their plan: found, answered and, if nobody answers, ended."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterState
from prefect.client.schemas.filters import FlowRunFilterStateName as StateName
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelled

from together_video.errors import InputError, NotApproved, VideoError
from together_video.ledger.approval import GRACE_SECONDS
from together_video.text import one_line

#: The flows whose runs can wait for approval.
_FLOWS = ["generate-batch", "generate-film"]
_PAGE = 200
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class WaitingRun:
    """A run with its plan, as Markdown, and the deadline for an answer."""

    id: UUID
    name: str
    until: datetime | None
    plan: str = ""


async def waiting_runs(client: PrefectClient) -> list[WaitingRun]:
    """All batches and films that are waiting for approval, the oldest first."""
    found: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=_FLOWS)),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(name=StateName(any_=["Suspended"]))),
            limit=_PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < _PAGE:
            break
    waiting = [_waiting(run) for run in found if _asks(run)]
    return sorted(waiting, key=lambda run: (run.until is None, run.until, str(run.id)))


async def waiting_run(client: PrefectClient, name: str) -> WaitingRun:
    """The run with this id or with this address in Prefect's UI, with its plan.

    Raises:
        InputError: this is not an id, there is no such run, or it is not waiting for approval.
    """
    ids = _ID.findall(name)
    if not ids:
        raise InputError(
            f"{one_line(name, 100)!r} is neither the id of a run nor its address in Prefect's UI."
        )
    try:
        run = await client.read_flow_run(UUID(ids[-1]))
    except ObjectNotFound:
        raise InputError(f"This Prefect server has no run {ids[-1]}.") from None
    if not _asks(run):
        state = run.state.name if run.state else "not begun"
        raise InputError(f"Run {run.name} is not waiting for approval: it is {state}.")
    plan = ""
    keys = (run.state and run.state.state_details.run_input_keyset) or {}
    try:
        said = json.loads(await client.read_flow_run_input(run.id, keys.get("description", "")))
        plan = said if isinstance(said, str) else ""
    except (PrefectHTTPStatusError, ObjectNotFound, ValueError):
        pass
    return _waiting(run, plan)


async def answer(client: PrefectClient, run: UUID, given: dict[str, Any]) -> None:
    """Resume a run with an answer.

    Raises:
        VideoError: the server does not accept it; the run is as it was.
    """
    result = await client.resume_flow_run(run, run_input=given)
    if result.status is not SetStateStatus.ACCEPT:
        reason = getattr(result.details, "reason", None) or "no reason was given"
        raise VideoError(
            f"The Prefect server does not accept the answer: {one_line(str(reason), 300).rstrip('.')}. Nothing was "
            "bought."
        )


async def end_unanswered(client: PrefectClient) -> int:
    """End runs that nobody answered in time as Cancelled. Returns how many."""
    ended = 0
    for run in await waiting_runs(client):
        if run.until is not None and run.until < datetime.now(UTC):
            message = NotApproved("Not approved: nobody answered in time. Nothing was bought.").message
            await client.set_flow_run_state(run.id, Cancelled(message=message), force=True)
            ended += 1
    return ended


def _asks(run: FlowRun) -> bool:
    state = run.state
    return (
        state is not None
        and state.is_paused()
        and str(state.state_details.pause_key or "").startswith("approval-")
    )


def _waiting(run: FlowRun, plan: str = "") -> WaitingRun:
    limit = run.state.state_details.pause_timeout if run.state else None
    return WaitingRun(
        run.id, one_line(run.name, 100), limit and limit - timedelta(seconds=GRACE_SECONDS), plan
    )
