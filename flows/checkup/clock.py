"""Compare this machine's clock with the servers': signed requests are valid for a few minutes only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import httpx

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.s3.errors import told_time
from prefect_together_video.flows.checkup.bucket import ATTEMPTS
from prefect_together_video.flows.checkup.line import CLOCK, CheckLine, failed, ok, skipped, warning
from together_video.errors import VideoError
from together_video.network.connections import Connections

#: Seconds. Amazon S3 refuses requests that are signed more than 900 s off.
_TOO_FAR, _FAR = 300, 60
_SECONDS = 5.0
_REMEDY = "Synchronise the clock with a time server, for example: sudo timedatectl set-ntp true"

AskTime = Callable[[], Awaitable[datetime | None]]


async def check_clock(servers: Mapping[str, AskTime], clock: Callable[[], float] = time.time) -> CheckLine:
    """Compare `clock` with the time that each named server reports. Servers that do not answer are left out."""
    offsets = await asyncio.gather(*(_offset(ask, clock) for ask in servers.values()))
    told = {name: offset for name, offset in zip(servers, offsets, strict=True) if offset is not None}
    if not told:
        return skipped(CLOCK, "Not compared: no server reported its time.")
    name = max(told, key=lambda one: abs(told[one]))
    off = abs(told[name])
    side = "ahead of" if told[name] > 0 else "behind"
    words = f"This machine's clock is {_duration(off)} {side} that of {name}."
    if off > _TOO_FAR:
        return failed(CLOCK, f"{words} S3 refuses requests that are dated more than 15 minutes off.", _REMEDY)
    if off > _FAR:
        return warning(CLOCK, words, _REMEDY)
    return ok(CLOCK, f"Agrees with {' and '.join(told)}.")


async def api_time(base_url: str) -> datetime | None:
    """The API's time. The key is not sent."""
    no_copy = {"Cache-Control": "no-cache"}
    client = Connections().client(limits=httpx.Limits(), timeout=_SECONDS, headers=no_copy)
    async with client:
        return told_time((await client.get(base_url)).headers)


async def s3_time(archive: VideoArchive) -> datetime | None:
    """The time of the archive's server. None for a folder: the clock of a network folder can differ from ours.

    Raises:
        VideoError: the server does not answer.
    """
    if archive.folder is not None:
        return None
    async with archive.open(attempts=ATTEMPTS) as ledger:
        return await ledger.store.clock(ledger.layout.key(""))


async def _offset(ask: AskTime, clock: Callable[[], float]) -> float | None:
    """Seconds by which our clock is ahead of a server's; None if that is unknown."""
    before = clock()
    try:
        async with asyncio.timeout(_SECONDS):
            theirs = await ask()
    except (VideoError, httpx.HTTPError, httpx.InvalidURL, OSError):
        return None
    if theirs is None:
        return None
    # The server answered between our two readings, and reports whole seconds.
    low, high = before - theirs.timestamp() - 1, clock() - theirs.timestamp()
    return low if low > 0 else min(high, 0.0)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
