"""Opening videos beside the event loop, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

#: Bytes of a video that takes milliseconds and next to no memory; beside other threads, its decoder mostly waits
#: for the interpreter.
_SMALL = 500_000
_SMALL_AT_ONCE = 8

_large: RunVar[CapacityLimiter] = RunVar("large decoders")
_small: RunVar[CapacityLimiter] = RunVar("small decoders")


async def decode(work: Callable[[Path], T], path: Path) -> T:
    """Run `work` on a file in a thread: of large ones at most one for each core at a time, as a decoder holds
    megabytes and keeps a core busy.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if path.stat().st_size <= _SMALL:
        limiter = _limiter(_small, _SMALL_AT_ONCE)
    else:
        limiter = _limiter(_large, max(2, os.cpu_count() or 2))
    return await to_thread.run_sync(work, path, limiter=limiter)


def _limiter(kind: RunVar[CapacityLimiter], places: int) -> CapacityLimiter:
    """One for each event loop."""
    try:
        return kind.get()
    except LookupError:
        limiter = CapacityLimiter(places)
        kind.set(limiter)
        return limiter
