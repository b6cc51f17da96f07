"""`together-video open`: play a video or a film, or open the gallery of a batch."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.options import LookOptions
from together_video.errors import InputError

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger

#: Seconds for which links into a bucket work: for a video, and for the page of a batch.
_DAY, _WEEK = 24 * 3600, 7 * 24 * 3600


def open_(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Open a video, a film, or the gallery of a batch in this machine's viewer, and print its address.

    Without a display, only the address is printed. A link to a video in a bucket works for a day.

    Parameters
    ----------
    id_
        The id of a video, film or batch, or its beginning; or the key of a video's file or its job id.
    """
    terminal = begin_looking(place)

    async def find() -> str:
        async with opened_archive(place) as ledger:
            return await _address(ledger, id_)

    address = asyncio.run(find())
    if place.json:
        terminal.document({"address": address})
        return 0
    terminal.out.print(address, soft_wrap=True, markup=False)
    if has_display(os.environ, sys.platform) and not webbrowser.open(address):
        terminal.note("No program on this machine could open it.")
    return 0


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether windows can be shown. Without a display, `webbrowser` would start a browser inside the terminal."""
    if platform in {"darwin", "win32"}:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


async def _address(ledger: Ledger, given: str) -> str:
    from prefect_together_video.blocks.ledger.finding import find_either, find_film

    if (film := await find_film(ledger, given)) is not None:
        return await _opened(ledger, film.video.key)
    batch, video = await find_either(ledger, given)
    if batch is not None:
        return await _page(ledger, batch)
    assert video is not None  # noqa: S101 - it is one of the two
    record = await ledger.last_record(video)
    key = record.video.key if record and record.video else None
    if record is None or not ledger.layout.is_video_file(key):
        state = "in flight" if record is None else record.state
        raise InputError(
            f"{video} has no video in the archive: it is {state}. For details: together-video show {video}"
        )
    return await _opened(ledger, key)


async def _opened(ledger: Ledger, key: str) -> str:
    if await ledger.store.head(key) is None:
        raise InputError(f"{ledger.store.uri(key)} is missing. together-video audit lists all missing files.")
    if ledger.place.folder is not None:
        return Path(ledger.place.folder, key).as_uri()
    return (await ledger.store.links([key], seconds=_DAY))[key]


async def _page(ledger: Ledger, batch: str) -> str:
    """The page of a batch. Videos in a bucket need signed links, so the page is made on this machine."""
    key = ledger.layout.batch(batch, "index.html")
    if ledger.place.folder is not None and await ledger.store.head(key) is not None:
        return Path(ledger.place.folder, key).as_uri()
    from prefect_together_video.flows.cli.galleries.gallery_export import choose, export

    folder = Path(tempfile.mkdtemp(prefix="together-video-"))
    chosen = await choose(ledger, given=batch, latest=1)
    made = await export(ledger, folder, chosen, link_seconds=_WEEK)
    return made.page.as_uri()
