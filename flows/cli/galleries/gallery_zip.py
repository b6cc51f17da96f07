"""A gallery as one ZIP file: the page, the videos and their posters. It works wherever it is unpacked."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from prefect_together_video.flows.cli.galleries.gallery_copies import cannot_write, fetched
from prefect_together_video.flows.cli.screen.steps import SILENT, Steps
from together_video.atomic_files import part_of, settle
from together_video.gallery import relative_link, render_pages
from together_video.gallery.files import safe_names

#: Files that are downloaded at the same time. They stay in a temporary folder until they are in the ZIP file.
_AT_ONCE = 4
_PAGE = "index.html"


async def write_zip(ledger: Ledger, chosen: Chosen, file: Path, steps: Steps = SILENT) -> list[str]:
    """Write the ZIP file under a temporary name, and rename it when it is complete.

    Videos are stored uncompressed, one after the other: memory does not grow with their size.

    Returns:
        The keys that the archive lacks.

    Raises:
        ArchiveError: the archive cannot be read.
        DownloadError: the file cannot be written.
    """
    chosen = chosen.for_others
    keys = list(dict.fromkeys(chosen.files(ledger.layout)))
    names = safe_names(keys, ledger.layout)
    part = part_of(file)
    steps.begin(f"Writing {file}", len(names))
    try:
        with part.open("xb") as out, tempfile.TemporaryDirectory(prefix="together-video-") as folder:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
                missing = await _add_files(ledger, archive, names, Path(folder), steps)
                there = {key: name for key, name in names.items() if key not in missing}
                await to_thread.run_sync(_add_pages, archive, chosen, there)
            await to_thread.run_sync(settle, out, part, file)
    except OSError as error:
        raise cannot_write(file, error) from error
    finally:
        part.unlink(missing_ok=True)
    return missing


async def _add_files(
    ledger: Ledger, archive: zipfile.ZipFile, names: Mapping[str, str], folder: Path, steps: Steps
) -> list[str]:
    """Add each file under its name, in this order. Returns the missing keys. A few files are downloaded ahead."""
    places = asyncio.Semaphore(_AT_ONCE)
    missing: list[str] = []

    async def fetch(number: int, key: str) -> Path | None:
        # Released once the file is in the ZIP file: files that are downloaded ahead take space on the disk.
        await places.acquire()
        path = folder / str(number)
        return path if await fetched(ledger, key, path) else None

    waiting = [asyncio.create_task(fetch(number, key)) for number, key in enumerate(names)]
    try:
        for (key, name), task in zip(names.items(), waiting, strict=True):
            path = await task
            if path is None:
                missing.append(key)
            else:
                await to_thread.run_sync(archive.write, path, name)
                path.unlink()
            places.release()
            steps.advance()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return missing


def _add_pages(archive: zipfile.ZipFile, chosen: Chosen, names: Mapping[str, str]) -> None:
    links = {key: relative_link(_PAGE, name) for key, name in names.items()}
    pages = render_pages(
        chosen.title,
        chosen.rows,
        first=_PAGE,
        made_at=datetime.now(UTC),
        summary=chosen.summary,
        summary_sentence=chosen.sentence,
        link=links.get,
        about=chosen.about,
        film=chosen.film,
    )
    for name, text in pages:
        archive.writestr(name, text.encode(), zipfile.ZIP_DEFLATED)
