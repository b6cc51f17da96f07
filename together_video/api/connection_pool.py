"""HTTP clients with a connection each, of which a call takes one for itself.

A connection pool looks at every one of its connections, and asks the system about the idle ones, at the start
and at the end of every call: with 16 of them that takes longer than the call.

A client whose call failed or was cancelled is not used again: httpcore 1.0 may leave such a connection open and
busy for ever, if asyncio cancels it between two of its steps, and it would be the only one that its client may have.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

import httpx


class ClientPool:
    """At most `count` calls at the same time, each on a client of its own; the others wait for their turn.

    Without a count nobody waits.
    """

    def __init__(self, count: int | None, make: Callable[[], httpx.AsyncClient]) -> None:
        self._places = nullcontext() if count is None else asyncio.Semaphore(count)
        self._make = make
        self._taken: set[httpx.AsyncClient] = set()
        #: The last one is taken first: its connection is the likeliest to be open still.
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
