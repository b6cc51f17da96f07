"""Links to videos in the archive, by the ids of videos, films or batches."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from prefect_together_video.blocks.ledger.finding import find_either, find_film
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.cli.galleries.gallery_export import rows_of_batch
from together_video.errors import ArchiveError, InputError, StoreUnavailable

#: The characters of an id, which becomes part of a key.
_ID = re.compile(r"[\w-][\w.-]{0,199}", re.ASCII)


class SharedLink(BaseModel):
    """One video and its link, or its path if the archive is a folder. Neither if the video is missing."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    link: str | None = None
    file: str | None = None


async def make(ledger: Ledger, ids: Iterable[str], *, seconds: int) -> list[SharedLink]:
    """Each video once, in the order of the ids, with links that work for `seconds`.

    Raises:
        InputError: there is no video, film or batch with such an id.
        ArchiveError: the archive cannot be read.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for given in ids:
        found |= await _videos(ledger, given)
    keys = [key for _, key in found.values() if key is not None]
    found_there = await asyncio.gather(*(_is_there(ledger, key) for key in keys))
    there = [key for key, is_there in zip(keys, found_there, strict=True) if is_there]
    folder = ledger.place.folder
    files = {} if folder is None else {key: str(Path(folder, key)) for key in there}
    links = await ledger.store.links(there, seconds=seconds)
    return [
        SharedLink(id=video, title=title, link=links.get(key or ""), file=files.get(key or ""))
        for video, (title, key) in found.items()
    ]


async def _is_there(ledger: Ledger, key: str) -> bool:
    try:
        return await ledger.store.head(key) is not None
    except StoreUnavailable:
        raise
    except ArchiveError:
        return False  # it is not a file that can be read


async def _videos(ledger: Ledger, given: str) -> dict[str, tuple[str, str | None]]:
    """Title and key, by id, of a video or film, or of each video in a batch."""
    if not _ID.fullmatch(given):
        raise InputError(f"{given[:80]!r} is not the id of a video or a batch.")
    if (film := await find_film(ledger, given)) is not None:
        return {film.id: (film.title, film.video.key)}
    batch, video = await find_either(ledger, given)
    if video is not None:
        if (record := await ledger.record(video)) is None:
            raise InputError(f"{video} is still in flight: there is no video to share yet.")
        key = record.video.key if record.video else None
        return {video: (record.plan.title, key if ledger.layout.is_video_file(key) else None)}
    assert batch is not None  # noqa: S101 - it is one of the two
    rows = await rows_of_batch(ledger, batch)
    return {
        row.outcome.id: (
            row.outcome.title_in(80),
            row.outcome.key if ledger.layout.is_video_file(row.outcome.key) else None,
        )
        for row in rows
    }
