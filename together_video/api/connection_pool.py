"""HTTP clients with one connection each. Each call has a client to itself.

httpx's connection pool checks all its connections, and asks the system about the idle ones, at the start and the end of
every call. With 16 connections that takes longer than the call.

A client whose call failed or was cancelled is not used again: if asyncio cancels httpcore 1.0 between two of its steps,
the connection may stay open and busy for ever, and it is the only one of its client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

import httpx


class ClientPool:
    """At most `count` calls at the same time, each on its own client; the others wait for their turn. Without a count
    no call waits.
    """

    def __init__(self, count: int | None, make: Callable[[], httpx.AsyncClient]) -> None:
        self._places = nullcontext() if count is None else asyncio.Semaphore(count)
        self._make = make
        self._taken: set[httpx.AsyncClient] = set()
        #: The last one is taken first: its connection is the most likely to be still open.
        self._free: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        async with self._places:
            client = self._free.pop() if self._free else self._make()
            self._taken.add(client)
            try:
                yield client
            except BaseException:
                await client.aclose()
                raise
            else:
                self._free.append(client)
            finally:
                self._taken.discard(client)

    async def aclose(self) -> None:
        for client in (*self._free, *self._taken):
            await client.aclose()
