"""Waiting for work that must come to its end, although whoever waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import anyio


async def outlast(works: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all are done, however often we are cancelled meanwhile, by asyncio or by a scope of anyio.

    Such a cancellation is not passed on: that is the caller's, who has one already.
    """
    with anyio.CancelScope(shield=True):
        while not all(work.done() for work in works):
            try:
                await asyncio.wait(works)
            except asyncio.CancelledError:
                continue
