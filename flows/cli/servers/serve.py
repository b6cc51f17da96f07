"""`together-video serve`: serve the deployments of `deployments/prefect.yaml` from one process, without a work pool."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath, refuse_unreadable
from prefect_together_video.flows.cli.preamble import import_prefect, prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.flows.cli.servers.stop_signals import StopSignals
from together_video.api.settings import timeouts_from_env
from together_video.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from prefect_together_video.flows.cli.servers.served_runs import ServedRunner

_INTERRUPTED = 130
#: Seconds that a deployment being created, or a runner being started, gets to finish.
_IN_A_MOMENT = 10.0
#: Seconds that a run gets to store the job id, on top of the time for a create.
_TO_STORE = 30.0


def serve(
    names: Annotated[list[str] | None, Parameter(negative=())] = None,
    /,
    *,
    limit: int = 10,
    prefect_file: GivenPath | None = None,
) -> int:
    """Serve all deployments, or those you name, until Ctrl-C: schedules, triggers, and runs from the UI.

    Runs use the blocks that together-video save-blocks saved, or else the environment of this process.

    Schedules that are paused on the server stay paused. The nightly batch is paused until you turn it on.

    Parameters
    ----------
    names
        Deployments to serve, such as generate-batch/nightly, or just nightly.
    limit
        How many runs may be active at the same time.
    prefect_file
        Your own prefect.yaml, such as one written by together-video init, instead of the one in the package.
    """
    if limit < 1:
        raise InputError("--limit must be at least 1.")
    if prefect_file is not None:
        refuse_unreadable(prefect_file)
    terminal = Terminal()
    prepare(terminal, verbose=True)
    logging.raiseExceptions = False
    patience = timeouts_from_env().create_seconds + _TO_STORE
    with shutdown.when_done(), terminal.waiting("Starting …", in_pipe=False):
        import_prefect()
        from prefect.settings import PREFECT_API_URL

        from prefect_together_video.flows.cli.servers.served_runs import ServedRunner
        from prefect_together_video.flows.server.served_deployments import read

    entries = read(prefect_file)
    known = {entry["name"] for entry in entries}
    asked = [name.rpartition("/")[2] for name in names or ()]
    if unknown := [name for name in asked if name not in known]:
        raise InputError(f"There is no deployment {unknown[0]}. Available: {', '.join(sorted(known))}.")
    server = PREFECT_API_URL.value()
    if not server:
        raise ConfigurationError(
            "Deployments need a Prefect server: start one with prefect server start, and set PREFECT_API_URL."
        )
    chosen = [entry for entry in entries if not asked or entry["name"] in asked]
    signals = StopSignals()
    runner = ServedRunner(limit=limit, on_sigterm=lambda: signals.pass_on(signal.SIGTERM))
    try:
        asyncio.run(_serve(runner, chosen, server, patience, signals, terminal))
    except KeyboardInterrupt:
        code = _INTERRUPTED
    else:
        code = _INTERRUPTED if signals.first is signal.SIGINT else 0
    # Only Prefect's own shutdown is left. A signal during it would print a traceback.
    shutdown.leave_on_signals(code)
    return code


async def _serve(
    runner: ServedRunner,
    entries: list[dict[str, Any]],
    server: str,
    patience: float,
    signals: StopSignals,
    terminal: Terminal,
) -> None:
    """Serve until a signal comes, then stop in order: first the runs, then the schedules."""
    signals.listen()
    asyncio.get_running_loop().set_exception_handler(_but_cancellations)
    names: list[str] = []
    preparing = asyncio.create_task(_prepare(runner, entries, server, names, signals, terminal))
    try:
        await signals.wait(preparing)
        if signals.first is not None:
            await asyncio.wait({preparing}, timeout=_IN_A_MOMENT)
            preparing.cancel()
            await asyncio.wait({preparing})
            return
        await preparing
        terminal.say(f"Serving these for {server} until Ctrl-C, which pauses them all.")
        serving = asyncio.create_task(runner.start())
        await signals.wait(serving)
        if signals.first is not None:
            await _end(runner, serving, server, patience, signals, terminal)
        await serving
    finally:
        if names:
            await _pause(names, server, terminal)


async def _prepare(
    runner: ServedRunner,
    entries: list[dict[str, Any]],
    server: str,
    names: list[str],
    signals: StopSignals,
    terminal: Terminal,
) -> None:
    """Create the deployments, until a signal comes. `names` gets the name of each before it is created."""
    from prefect.client.orchestration import get_client

    from prefect_together_video.flows.server.asking import reach
    from prefect_together_video.flows.server.served_deployments import blocks_of, flow_of, served
    from prefect_together_video.flows.server.served_schedules import read_earlier, what_is_off

    await reach(server)
    wanted = {block for entry in entries for block in blocks_of(entry).values()}
    async with get_client() as client:
        types = {found.id: found.slug for found in await client.read_block_types()}
        saved = {f"{types[d.block_type_id]}/{d.name}": d.id for d in await client.read_block_documents()}
        if missing := sorted(wanted - saved.keys()):
            terminal.note(
                f"Not saved on this server: {', '.join(missing)}. Runs use the environment of this process instead."
            )
        off: list[str] = []
        for entry in entries:
            name = f"{flow_of(entry).name}/{entry['name']}"
            deployment = await served(entry, saved, await read_earlier(client, name))
            if signals.first is not None:
                return
            names.append(name)
            await runner.aadd_deployment(deployment)
            terminal.say(f"  {name}")
            off += await what_is_off(client, name)
    for sentence in off:
        terminal.say(sentence)


async def _end(
    runner: ServedRunner,
    serving: asyncio.Task[None],
    server: str,
    patience: float,
    signals: StopSignals,
    terminal: Terminal,
) -> None:
    """Stop the runs that this process has claimed, and the runner; record how the runs ended."""
    from prefect_together_video.flows.cli.servers.served_runs import record_as_cancelled
    from prefect_together_video.flows.server.asking import answers

    terminal.say("Stopping …")
    reachable = await answers(server)
    if not await runner.has_started(serving, within=_IN_A_MOMENT):
        serving.cancel()
        await asyncio.wait({serving})
        return
    signals.when_repeated = lambda: terminal.say(
        f"Still waiting for {_runs(len(runner.claimed))} to store what is paid for."
    )
    if claimed := runner.claimed:
        terminal.say(f"Stopping {_runs(len(claimed))} after storing what is paid for.")
    await runner.end(patience=patience, reachable=reachable)
    await asyncio.wait({serving})
    unrecorded = len(claimed)
    if reachable:
        unrecorded = await record_as_cancelled(claimed, signalled=runner.signalled)
    if unrecorded:
        terminal.complain(
            f"The Prefect server did not record that {_runs(unrecorded)} ended here. In its UI, cancel those that it "
            "still shows as running."
        )


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _but_cancellations(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An open connection to a run's process is cancelled at the end. Python 3.11 would print that as a traceback."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


async def _pause(names: Iterable[str], server: str, terminal: Terminal) -> None:
    """Pause the deployments. Prefect does this itself, but tries for a minute to reach a server that is gone."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    from prefect_together_video.flows.server.asking import answers
    from prefect_together_video.flows.server.served_schedules import pause_until_served

    if not await answers(server):
        terminal.complain(
            f"The Prefect server at {server} does not answer, so the schedules are not paused: runs that fall due "
            "wait until the deployments are served again."
        )
        return
    running = []
    async with get_client() as client:
        for name in names:
            try:
                await pause_until_served(client, name)
            except ObjectNotFound:
                continue  # it was not created yet
            except (httpx.HTTPError, PrefectHTTPStatusError):
                running.append(name)
    if running:
        terminal.complain(f"The Prefect server did not pause {', '.join(running)}: pause them in its UI.")
    else:
        terminal.say("Paused until they are served again.")
