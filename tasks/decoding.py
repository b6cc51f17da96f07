"""Opening videos beside the event loop, a few at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_decoders: RunVar[CapacityLimiter] = RunVar("decoders")


async def decode(work: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
    """Run `work` in a thread, at most one for each core at a time: a decoder holds megabytes and keeps a core busy."""
    try:
        limiter = _decoders.get()
    except LookupError:
        limiter = CapacityLimiter(max(2, os.cpu_count() or 2))
        _decoders.set(limiter)
    return await to_thread.run_sync(work, *args, limiter=limiter)
