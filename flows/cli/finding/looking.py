"""The start of commands that only read the archive. If possible they do without Prefect, which takes seconds to
import.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.preamble import begin, prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import InputError
from together_video.ledger.settings import archive_from_env

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger


def begin_looking(place: LookOptions) -> Terminal:
    """The terminal of a command that reads the archive. Checks the options that name the archive.

    Raises:
        InputError: `--together` is given.
        ConfigurationError: there is no archive, or an address cannot be used.
    """
    if place.together is not None:
        raise InputError("This command only reads the archive: leave out --together.")
    if place.archive is not None:
        return begin(place, asks_api=False)
    terminal = Terminal(quiet=place.json)
    prepare(terminal, verbose=place.is_verbose, prefect=False)
    archive_from_env(place.archive_folder)
    return terminal


@contextmanager
def without_collector() -> Iterator[None]:
    """Turn off garbage collection. These commands make hundreds of thousands of small objects that stay until the end,
    and the collector would scan them again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@asynccontextmanager
async def opened_archive(place: LookOptions) -> AsyncIterator[Ledger]:
    """The ledger of the archive that the options name, or the environment.

    Raises:
        ConfigurationError: see `archive_of`.
    """
    place.refuse_two_archives()
    if place.archive is not None:
        from prefect_together_video.flows.cli.running import archive_of

        async with (await archive_of(place)).open() as ledger:
            yield ledger
        return
    from prefect_together_video.blocks.ledger.opened import ledger_of

    async with ledger_of(archive_from_env(place.archive_folder)) as ledger:
        yield ledger
