"""A tiny HTTP server on loopback that does what a test tells it, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest


@dataclass(frozen=True)
class Heard:
    """One request as it arrived, with header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes


Answer = Callable[[Heard, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class TinyServer:
    """What it was asked, and over how many connections."""

    answer: Answer
    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            while not writer.is_closing():
                request = await self._read(reader)
                self.heard.append(request)
                await self.answer(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._running.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Heard:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Heard(method, target, headers, body, head + body)

    @contextlib.asynccontextmanager
    async def run(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[TinyServer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"{'https' if tls else 'http'}://{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await server.wait_closed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset, not an end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def http(body: bytes = b"", status: str = "200 OK", *, announce: int | None = None, **headers: str) -> bytes:
    """An answer as bytes; `announce` lies about its length, header names take _ for -."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body) if announce is None else announce}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def saying(*pieces: bytes | str) -> Answer:
    """Answers with these bytes; "close", "reset" and "hang" are done instead of sent."""

    async def answer(_: Heard, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            elif piece == "close":
                writer.close()
            elif piece == "reset":
                # What was written has to leave before the reset overtakes it.
                await asyncio.sleep(0.01)
                reset(writer)
            else:
                await asyncio.Event().wait()

    return answer


class Wire:
    """The pieces above, for tests that cannot import a conftest."""

    http = staticmethod(http)
    saying = staticmethod(saying)

    @staticmethod
    def serve(
        answer: Answer | bytes, tls: ssl.SSLContext | None = None
    ) -> AbstractAsyncContextManager[TinyServer]:
        return TinyServer(saying(answer) if isinstance(answer, bytes) else answer).run(tls)


@pytest.fixture
def wire() -> type[Wire]:
    """Makes tiny servers: `async with wire.serve(wire.http(b"{}")) as server`."""
    return Wire
