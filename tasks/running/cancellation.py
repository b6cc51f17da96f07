"""Waiting for work that must finish, even if the task that waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import anyio


async def outlast(works: Collection[asyncio.Future[Any]]) -> None:
    """Wait until all are done, however often we are cancelled in the meantime, by asyncio or by a scope of anyio.

    Such a cancellation is not passed on: the caller, which was cancelled, does that.
    """
    with anyio.CancelScope(shield=True):
        while not all(work.done() for work in works):
            try:
                await asyncio.wait(works)
            except asyncio.CancelledError:
                continue
