"""The pictures that `gallery` makes of many videos: a contact sheet and an animated preview."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import from_thread, to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from prefect_together_video.flows.cli.galleries.gallery_copies import cannot_write, fetched
from prefect_together_video.flows.cli.screen.steps import SILENT, Steps
from together_video.atomic_files import part_of, settle, write_whole
from together_video.errors import InputError
from together_video.gallery import contact_sheet as sheets
from together_video.gallery import preview as previews
from together_video.gallery.files import poster_of, video_of
from together_video.gallery.public_text import public_text
from together_video.gallery.wording import WORDS
from together_video.ledger.titles import varied
from together_video.media.stills import frames_of, still_of

#: Files that are downloaded at the same time.
_AT_ONCE = 4


async def contact_sheet(ledger: Ledger, chosen: Chosen, file: Path, steps: Steps = SILENT) -> int:
    """Write a JPEG of the posters. A video without a poster is a plain tile with its state.

    Returns:
        How many videos are on it.

    Raises:
        ArchiveError: the archive cannot be read.
        DownloadError: the file cannot be written.
    """
    rows = chosen.pictured[: sheets.MOST_TILES]
    size = sheets.tile_size((row.outcome.width, row.outcome.height) for row in rows)
    keys = [poster_of(row, ledger.layout) for row in rows]
    places = asyncio.Semaphore(_AT_ONCE)
    steps.begin(f"Drawing {file}", len(rows), "poster")

    async def tile(number: int) -> sheets.Tile:
        outcome = rows[number].outcome
        async with places, _copy(ledger, keys[number]) as poster:
            pixels = await to_thread.run_sync(still_of, poster, size) if poster else None
        steps.advance()
        return sheets.Tile(
            public_text(outcome.prompt or outcome.model),
            WORDS[outcome.state][0],
            pixels,
            public_text(varied(outcome.varies or {})),
        )

    tiles = await asyncio.gather(*map(tile, range(len(rows))))
    picture = await to_thread.run_sync(sheets.contact_sheet, public_text(chosen.title), tiles, size)
    try:
        write_whole(file, picture)
    except OSError as error:
        raise cannot_write(file, error) from error
    return len(tiles)


async def preview(ledger: Ledger, chosen: Chosen, file: Path, steps: Steps = SILENT) -> int:
    """Write an animation with a second or two of each clip, as GIF or WEBP depending on the file's ending.

    Returns:
        How many clips are in it.

    Raises:
        InputError: none of the clips can be shown.
        ArchiveError: the archive cannot be read.
        DownloadError: the file cannot be written.
    """
    form: previews.Form = "GIF" if file.suffix.lower() == ".gif" else "WEBP"
    with_clip = [(row, key) for row in chosen.pictured if (key := video_of(row, ledger.layout))]
    shown = with_clip[: previews.MOST_CLIPS]
    tile = sheets.tile_size((row.outcome.width, row.outcome.height) for row, _ in shown)
    size = previews.frame_size(form, tile)
    count = previews.frames_each(len(shown))
    clips = 0
    steps.begin(f"Drawing {file}", len(shown), "clip")

    async def frames(key: str) -> list[bytes]:
        async with _copy(ledger, key) as clip:
            if clip is None:
                return []
            return await to_thread.run_sync(lambda: frames_of(clip, size, count=count, rate=previews.RATE))

    def all_frames() -> Iterator[bytes]:
        nonlocal clips
        for _, key in shown:
            found = from_thread.run(frames, key)
            clips += bool(found)
            yield from found
            steps.advance()

    def write() -> None:
        part = part_of(file)
        try:
            with part.open("xb") as out:
                if previews.write_preview(out, form, all_frames(), size):
                    settle(out, part, file)
        finally:
            part.unlink(missing_ok=True)

    try:
        await to_thread.run_sync(write)
    except OSError as error:
        raise cannot_write(file, error) from error
    if not clips:
        raise InputError("None of the clips can be shown, so there is no preview.")
    return clips


@asynccontextmanager
async def _copy(ledger: Ledger, key: str | None) -> AsyncIterator[Path | None]:
    """A temporary copy of a file of the archive; None if it does not exist or cannot be read."""
    if key is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="together-video-") as folder:
        path = Path(folder, "file")
        yield path if await fetched(ledger, key, path) else None
