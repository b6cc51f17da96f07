"""The link of a finished job, retried while it is refused: it may not be ready yet, or may have expired.

Storage has been seen to answer 400, 403, 404 and 425 for up to a minute after the job was completed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from together_video.api.client import TogetherClient
from together_video.api.downloads import DownloadedFile
from together_video.errors import LinkRefused, TogetherError
from together_video.jobs import VideoJob

Log = Callable[[str], None]

#: Pauses between attempts, in seconds; the last one repeats. The first retry follows at once, with a fresh link.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
#: After this many attempts the job is polled for a fresh link.
_FRESH_EACH = 2


async def download_ready(
    job: VideoJob,
    path: Path,
    client: TogetherClient,
    *,
    max_bytes: int,
    seconds: float,
    log: Log,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> DownloadedFile:
    """Download the file of a finished job; if its link is refused, retry for `seconds`.

    Raises:
        LinkRefused: it is still refused at the end.
        DownloadError: as `TogetherClient.download`.
        TogetherError: the job cannot be polled for a fresh link, and a retry would not help.
    """
    start, tries = clock(), 0
    link = job.video_url or ""
    while True:
        try:
            return await client.download(link, path, max_bytes=max_bytes)
        except LinkRefused as error:
            pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
            if tries and clock() - start + pause > seconds:
                raise
            if tries == 1:
                log(f"job {job.id}: {error.what} Trying again for {seconds:.0f} s.")
        await sleep(pause)
        if tries % _FRESH_EACH == 0:
            link = await _fresh(job, client) or link
        tries += 1


async def _fresh(job: VideoJob, client: TogetherClient) -> str | None:
    """The link that the job has now; None if it gives none at this moment."""
    try:
        return (await client.retrieve(job.id)).video_url
    except TogetherError as error:
        if not error.retryable:
            raise
        return None
