"""`together-video serve`: the deployments of `deployments/prefect.yaml` from one process, with no work pool."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import Parameter

from flows.cli.preamble import import_prefect, prepare
from flows.cli.terminal import Terminal
from flows.server.address import refuse_wrong_address
from together_video.errors import ConfigurationError, InputError


def serve(
    names: Annotated[list[str] | None, Parameter(negative=())] = None,
    /,
    *,
    limit: int = 10,
) -> int:
    """Serve all deployments, or those that are named, until Ctrl-C: schedules, triggers, runs from the UI.

    Runs use the blocks that python -m deployments.save_blocks makes, or the environment of this process
    where there are none.

    Parameters
    ----------
    names
        Such as generate-batch/nightly, or only its part after the slash.
    limit
        How many runs may go on at the same time.
    """
    if limit < 1:
        raise InputError("--limit must be at least 1.")
    terminal = Terminal()
    prepare(terminal, verbose=True)
    logging.raiseExceptions = False
    # Prefect's own handler of SIGTERM forgets to await it.
    warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited", RuntimeWarning)
    refuse_wrong_address()
    import_prefect()
    from prefect.settings import PREFECT_API_URL

    from flows.definitions import read

    entries = read()
    known = {entry["name"] for entry in entries}
    asked = [name.rpartition("/")[2] for name in names or ()]
    if unknown := [name for name in asked if name not in known]:
        raise InputError(f"There is no deployment {unknown[0]}; there are {', '.join(sorted(known))}.")
    server = PREFECT_API_URL.value()
    if not server:
        raise ConfigurationError(
            "Deployments need a Prefect server: start one with prefect server start, and set PREFECT_API_URL."
        )
    chosen = [entry for entry in entries if not asked or entry["name"] in asked]
    try:
        asyncio.run(_serve(chosen, server, limit, terminal))
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(entries: list[dict[str, Any]], server: str, limit: int, terminal: Terminal) -> None:
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner

    from flows.definitions import blocks_of, served
    from flows.server.asking import reach

    await reach(server)
    wanted = {block for entry in entries for block in blocks_of(entry).values()}
    async with get_client() as client:
        types = {found.id: found.slug for found in await client.read_block_types()}
        saved = {f"{types[d.block_type_id]}/{d.name}": d.id for d in await client.read_block_documents()}
    if missing := sorted(wanted - saved.keys()):
        terminal.note(
            f"Not saved on this server: {', '.join(missing)}. Runs take the environment of this process instead."
        )
    deployments = [await served(entry, saved) for entry in entries]
    names = [f"{each.flow_name}/{each.name}" for each in deployments]
    # Schedules are paused below, in words of our own.
    runner = Runner(pause_on_shutdown=False, limit=limit)
    asyncio.get_running_loop().set_exception_handler(_but_cancellations)
    try:
        for name, deployment in zip(names, deployments, strict=True):
            await runner.aadd_deployment(deployment)
            terminal.say(f"  {name}")
        terminal.say(f"Served to {server} until Ctrl-C; all of these are paused then.")
        await runner.start()
    finally:
        await _pause(names, server, terminal)


def _but_cancellations(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A connection to a run's process that is open at the end is cancelled; Python 3.11 prints that as a traceback."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


async def _pause(names: Iterable[str], server: str, terminal: Terminal) -> None:
    """As Prefect does itself at the end; but it would try for a minute to reach a server that is gone."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    from flows.server.asking import reach

    try:
        await reach(server)
    except ConfigurationError:
        terminal.complain(
            f"The Prefect server at {server} does not answer, so the schedules are not paused: what falls due "
            "waits for whoever serves it next."
        )
        return
    running = []
    async with get_client() as client:
        for name in names:
            try:
                found = await client.read_deployment_by_name(name)
                await client.pause_deployment(found.id)
            except ObjectNotFound:
                continue  # it was not made yet
            except (httpx.HTTPError, PrefectHTTPStatusError):
                running.append(name)
    if running:
        terminal.complain(f"The Prefect server did not pause {', '.join(running)}: pause them in its UI.")
    else:
        terminal.say("Paused until they are served again.")
