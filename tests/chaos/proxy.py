"""A small HTTP/1.1 proxy on loopback for all calls of one process.

It knows the request that a kill waits for, and kills at the chosen moment of it. Each call gets its own connection on
both sides. The Host header stays unchanged, because S3 signs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from tests.chaos.points import Moment, Point

Side = Literal["api", "s3"]

#: Hop-by-hop headers. The proxy itself answers `expect`. S3 signs none of them.
_OF_THE_HOP = (b"connection", b"keep-alive", b"expect")


@dataclass
class Strike:
    """Kill at the `countdown`-th request that reaches this point."""

    point: Point
    countdown: int = 1
    fired: bool = False

    def due(self, method: str, path: str) -> Moment | None:
        """The moment of this request at which to kill, if it is the one."""
        if self.fired or not self.point.is_at(method, path):
            return None
        self.countdown -= 1
        return self.point.moment if self.countdown == 0 else None


class Killed(Exception):
    """The process behind this connection is gone, and so is the call."""


class Proxy:
    """Two listening ports, for the API and for S3. `trace` lists the received calls, in order.

    `upstream` gives the current address of a server, because a restarted server has a new one.
    """

    def __init__(
        self,
        upstream: Callable[[Side], str],
        kill: Callable[[], None],
        *,
        strike: Strike | None = None,
        lag: float = 0.0,
    ) -> None:
        self.trace: list[str] = []
        self.urls: dict[Side, str] = {}
        self.creates = 0
        #: Creates that arrived here without a complete answer.
        self.open_creates = 0
        self.busy = asyncio.Event()
        self._upstream = upstream
        self._kill = kill
        self._strike = strike
        self._lag = lag
        self._servers: list[asyncio.Server] = []
        self._calls: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        for side in ("api", "s3"):
            self._servers.append(await self._listen(side))

    def disarm(self) -> None:
        """Kill nothing from now on, but keep passing on calls: links that were sent name this address."""
        self._strike = None

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _listen(self, side: Side) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            call = asyncio.current_task()
            assert call is not None
            self._calls.add(call)
            # Either side can disconnect at any time: that is the purpose of this test.
            with contextlib.suppress(OSError, EOFError, Killed, asyncio.CancelledError):
                try:
                    await self._pass_on(side, reader, writer)
                finally:
                    self._calls.discard(call)
                    writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.urls[side] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _pass_on(self, side: Side, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.busy.set()
        first, _, _ = head.partition(b"\r\n")
        method, target, _ = first.decode("latin-1").split(" ", 2)
        path = urlsplit(target).path
        moment = self._strike.due(method, path) if self._strike else None
        self.trace.append(f"{method} {target}" + (f"  <- killed {moment}" if moment else ""))
        is_create = method == "POST" and path == "/v2/videos"
        self.open_creates += is_create
        if self._lag:
            await asyncio.sleep(random.random() * self._lag)
        self._strike_if(moment is Moment.BEFORE)
        if _header(head, b"expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(_header(head, b"content-length") or 0)
        body = await reader.readexactly(length // 2 if moment is Moment.HALF_SENT else length)
        address = urlsplit(self._upstream(side))
        up_reader, up_writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            up_writer.write(_closing(head) + body)
            await up_writer.drain()
            self.creates += is_create and moment is not Moment.HALF_SENT
            self._strike_if(moment is Moment.HALF_SENT)
            answer = await up_reader.readuntil(b"\r\n\r\n")
            if moment is Moment.DONE:
                await up_reader.read()
                self._strike_if(True)
            writer.write(_closing(answer))
            if moment is Moment.HALF_ANSWERED:
                writer.write(await up_reader.readexactly(int(_header(answer, b"content-length") or 0) // 2))
                await writer.drain()
                self._strike_if(True)
            while piece := await up_reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
            self.open_creates -= is_create
        finally:
            up_writer.close()

    def _strike_if(self, now: bool) -> None:
        if now and self._strike:
            self._strike.fired = True
            self._kill()
            raise Killed


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n")[1:]:
        given, _, value = line.partition(b":")
        if given.strip().lower() == name:
            return value.strip().decode("latin-1")
    return ""


def _closing(head: bytes) -> bytes:
    """The same header for a connection that ends after this call."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines[1:] if line.partition(b":")[0].strip().lower() not in _OF_THE_HOP]
    return b"\r\n".join([lines[0], *kept, b"Connection: close", b"", b""])
