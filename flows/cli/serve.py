"""`together-video serve`: the deployments of `deployments/prefect.yaml` from one process, with no work pool."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any

from cyclopts import Parameter

from flows.cli.terminal import Terminal
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
    logging.raiseExceptions = False
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
        asyncio.run(_serve(chosen, server, limit, Terminal()))
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(entries: list[dict[str, Any]], server: str, limit: int, terminal: Terminal) -> None:
    from prefect import aserve
    from prefect.client.orchestration import get_client

    from flows.cli.running import reach
    from flows.definitions import blocks_of, served

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
    for deployment in deployments:
        terminal.say(f"  {deployment.flow_name}/{deployment.name}")
    terminal.say(f"Served to {server} until Ctrl-C; schedules are paused then.")
    await aserve(*deployments, limit=limit, print_starting_message=False)
