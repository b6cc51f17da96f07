"""Lanes: a call has a client for itself, which the next one takes over."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest

from together_video.api.connection_pool import ClientPool


class Made:
    """Makes clients, and keeps them."""

    def __init__(self) -> None:
        self.clients: list[httpx.AsyncClient] = []

    def __call__(self) -> httpx.AsyncClient:
        self.clients.append(httpx.AsyncClient())
        return self.clients[-1]


@pytest.mark.anyio
async def test_one_call_after_the_other_needs_one_client() -> None:
    made = Made()
    lanes = ClientPool(4, made)
    for _ in range(3):
        async with lanes.one() as client:
            assert client is made.clients[0]
    await lanes.aclose()
    assert [client.is_closed for client in made.clients] == [True]


@pytest.mark.anyio
@pytest.mark.parametrize(("count", "most"), [(3, 3), (None, 10)])
async def test_each_call_has_its_own(count: int | None, most: int) -> None:
    """Ten at once, of which only some continue. None of them shares a client."""
    made, busy, seen = Made(), set[int](), [0]
    lanes = ClientPool(count, made)

    async def call() -> None:
        async with lanes.one() as client:
            assert id(client) not in busy
            busy.add(id(client))
            seen[0] = max(seen[0], len(busy))
            await asyncio.sleep(0)
            busy.remove(id(client))

    await asyncio.gather(*(call() for _ in range(10)))
    assert seen[0] == len(made.clients) == most
    await lanes.aclose()


@pytest.mark.anyio
async def test_the_last_one_is_taken_first() -> None:
    """Its connection is the likeliest to be open."""
    lanes = ClientPool(2, Made())
    async with lanes.one() as first, lanes.one() as second:
        pass
    async with lanes.one() as again:
        assert again is first
        assert again is not second
    await lanes.aclose()


@pytest.mark.anyio
async def test_a_client_whose_call_failed_or_was_cancelled_is_closed() -> None:
    """Its lane is free for a new one."""
    made = Made()
    lanes = ClientPool(1, made)
    with pytest.raises(httpx.ReadError):
        async with lanes.one():
            raise httpx.ReadError("gone")

    async def hold() -> None:
        async with lanes.one():
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0)
    holding.cancel()
    await asyncio.wait([holding])
    async with asyncio.timeout(5), lanes.one() as client:
        assert client is made.clients[2]
        assert [one.is_closed for one in made.clients] == [True, True, False]
    await lanes.aclose()
    assert client.is_closed


@pytest.mark.anyio
async def test_no_moment_of_a_cancellation_spoils_a_lane(wire: Any) -> None:
    """Cancelled at each step of the event loop in turn, a call never takes the connection of the next one with it."""
    async with wire.serve(wire.http(b"{}")) as server:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        lanes = ClientPool(1, partial(httpx.AsyncClient, limits=limits, timeout=10, trust_env=False))

        async def call() -> None:
            async with lanes.one() as client:
                (await client.get(server.url)).raise_for_status()

        for steps in range(40):
            task = asyncio.create_task(call())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await call()
        await lanes.aclose()
