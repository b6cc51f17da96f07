"""Opening videos outside of the event loop, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from together_video.media.bounds import AT_ONCE

T = TypeVar("T")

_limiter: RunVar[CapacityLimiter] = RunVar("decoders")


async def decode(work: Callable[[Path], T], path: Path) -> T:
    """Run `work` on a file in a thread, for as many files at a time as there are processes to open them. Others wait
    without a thread.
    """
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return await to_thread.run_sync(work, path, limiter=limiter)
