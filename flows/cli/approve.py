"""`together-video approve`: list the runs that wait for approval on a Prefect server, and answer them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.preamble import import_prefect, prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import InputError
from together_video.ledger.approval import Answer

#: Largest file of prompts that is read, in bytes.
_LARGEST = 1_000_000
_NO_SERVER = "Runs wait for approval on a Prefect server, but none is configured: set PREFECT_API_URL."


def approve(
    run: str | None = None,
    /,
    *,
    decline: Annotated[bool, Parameter(negative=())] = False,
    prompts: GivenPath | None = None,
    leave_out: str = "",
    model: str = "",
    budget_usd: float | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=())] = False,
) -> int:
    """Approve a batch or film that waits on a Prefect server, or --decline it. Without RUN, list what waits.

    Parameters
    ----------
    run
        The id of the run, or its address in Prefect's UI.
    decline
        End the run. Nothing is bought.
    prompts
        For a batch: a file with the prompts to make, one per line after its number in the plan, such as "3. a fox".
    leave_out
        For a batch: numbers of videos to leave out, such as 3, 7-9.
    model
        For a batch: another model for all videos.
    budget_usd
        The most that the run may spend, in US dollars, instead of the limit in the plan.
    yes
        Do not show the plan, and do not ask.
    """
    given: dict[str, Any] = {"decision": "decline" if decline else "approve"}
    if prompts is not None:
        given["prompts"] = _lines(prompts)
    if leave_out:
        given["leave_out"] = leave_out
    if model:
        given["model"] = model
    if budget_usd is not None:
        given["budget_usd"] = budget_usd
    if run is None and len(given) + decline > 1:
        raise InputError(
            "Name the RUN to answer: together-video approve without options lists the runs that wait."
        )
    if decline and len(given) > 1:
        raise InputError(
            "--decline takes no changes: leave out --prompts, --leave-out, --model and --budget-usd."
        )
    # Refuse a bad answer here, so that the run does not ask again.
    Answer.read(given)
    terminal = Terminal()
    prepare(terminal)
    with terminal.waiting("Starting …", in_pipe=False):
        import_prefect()
    return asyncio.run(_list(terminal) if run is None else _answer(run, given, terminal, asks=not yes))


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise InputError(f"{path} is larger than {_LARGEST // 10**6} MB.")
        return [line for line in data.decode("utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error


async def _list(terminal: Terminal) -> int:
    from prefect.client.orchestration import get_client

    from prefect_together_video.flows.server.asking import failing_clearly, reach_configured
    from prefect_together_video.flows.server.waiting_runs import waiting_runs

    server = await reach_configured(_NO_SERVER)
    with failing_clearly(server):
        async with get_client() as client:
            found = await waiting_runs(client)
    for one in found:
        until = "" if one.until is None else f"  until {one.until:%Y-%m-%d %H:%M} UTC"
        terminal.out.print(f"{one.id}  {one.name}{until}", markup=False, soft_wrap=True)
    if not found:
        terminal.say("No run waits for approval.")
    return 0


async def _answer(run: str, given: dict[str, Any], terminal: Terminal, *, asks: bool) -> int:
    from prefect.client.orchestration import get_client

    from prefect_together_video.flows.cli.confirmation import is_person_there, says_yes
    from prefect_together_video.flows.server.asking import failing_clearly, reach_configured
    from prefect_together_video.flows.server.waiting_runs import answer, waiting_run

    server = await reach_configured(_NO_SERVER)
    with failing_clearly(server):
        async with get_client() as client:
            found = await waiting_run(client, run)
            if asks and given["decision"] == "approve" and is_person_there():
                terminal.say(found.plan)
                if not await says_yes(f"Approve {found.name}? [y/N] "):
                    terminal.complain("Not approved: the run is still waiting.")
                    return 1
            await answer(client, found.id, given)
    if given["decision"] == "decline":
        terminal.say(f"Declined: {found.name}. Nothing is bought.")
    else:
        terminal.say(f"Approved: {found.name}. The run resumes; if it cannot use the answer, it asks again.")
    return 0
