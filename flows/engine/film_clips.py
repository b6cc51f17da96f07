"""The clips of a film on this machine, before they are joined."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps.film import fetch_shot
from together_video.ledger.records import StoredObject

#: Each is streamed to the disk in pieces, so this limits the memory, too.
_AT_ONCE = 4


async def fetch_clips(
    clips: Iterable[tuple[str, StoredObject]], folder: Path, ledger: Ledger
) -> dict[str, Path]:
    """Copy clips, each with the name of its shot, into `folder`, a few at a time. Returns their paths by SHA-256.

    Raises:
        ObjectConflict: one is gone, or differs from its record. The others are cancelled.
        ArchiveError: the archive does not answer.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def fetched(title: str, clip: StoredObject) -> Path:
        async with places:
            path = folder / f"{clip.sha256[:16]}{Path(clip.key).suffix}"
            return await step(fetch_shot, clip, path, ledger, title)

    by_content = {clip.sha256: (title, clip) for title, clip in clips}
    works = [asyncio.ensure_future(fetched(*one)) for one in by_content.values()]
    try:
        paths = await asyncio.gather(*works)
    finally:
        # When `folder` is removed, nothing may write there any more.
        for work in works:
            work.cancel()
        await outlast(works)
    return dict(zip(by_content, paths, strict=True))
