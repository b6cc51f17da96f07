"""One request for many callers: who shares one, who waits for it, and what becomes of those who are cancelled."""

from __future__ import annotations

import asyncio

import pytest

from prefect_together_video.blocks.ledger.coalescing import Coalesced
from together_video.errors import StoreUnavailable

pytestmark = pytest.mark.anyio


class Server:
    """Notes what is served together, and when by its own clock, which only a sleep moves."""

    def __init__(self, pause: float) -> None:
        self.served: list[tuple[float, list[str]]] = []
        self.now = 100.0
        self.refuses = False
        self.call = Coalesced(self._serve, pause=pause, clock=lambda: self.now, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        for _ in range(5):  # others come in the meantime
            await asyncio.sleep(0)
        self.now += seconds

    async def _serve(self, asked: list[str]) -> None:
        self.served.append((self.now, sorted(asked)))
        if self.refuses:
            raise StoreUnavailable("S3 is away")


async def test_a_lone_caller_waits_for_nobody() -> None:
    server = Server(pause=0.25)
    await server.call("a")
    assert server.served == [(100.0, ["a"])]


async def test_those_who_come_soon_after_a_call_share_the_next() -> None:
    """A quarter of a second after the last one ended, and no later however many they are."""
    server = Server(pause=0.25)
    await server.call("a")
    server.now += 0.1
    await asyncio.gather(*map(server.call, "bcd"))
    assert server.served == [(100.0, ["a"]), (pytest.approx(100.25), ["b", "c", "d"])]


async def test_who_comes_later_waits_for_nobody() -> None:
    server = Server(pause=0.25)
    await server.call("a")
    server.now += 1
    await server.call("b")
    assert server.served[-1] == (101.0, ["b"])


async def test_without_a_pause_the_next_call_begins_at_once() -> None:
    server = Server(pause=0)
    await server.call("a")
    await server.call("b")
    assert [at for at, _ in server.served] == [100.0, 100.0]


async def test_what_a_cancelled_caller_asked_for_is_served_with_the_others() -> None:
    server = Server(pause=0.25)
    await server.call("a")
    first, second = asyncio.ensure_future(server.call("b")), asyncio.ensure_future(server.call("c"))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
    assert server.served[-1][1] == ["b", "c"]


async def test_all_who_were_served_together_hear_of_an_error() -> None:
    server = Server(pause=0)
    server.refuses = True
    found = await asyncio.gather(*map(server.call, "ab"), return_exceptions=True)
    assert [type(one) for one in found] == [StoreUnavailable, StoreUnavailable]
    assert len(server.served) == 1
    server.refuses = False
    await server.call("c")
    assert server.served[-1][1] == ["c"]
