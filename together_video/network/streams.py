"""Connections for large files. httpcore speaks HTTP over them; a caller that knows the length reads the file directly.

Asyncio, anyio, h11, httpcore and httpx copy a file several times, in pieces of 16 to 64 kB that cost 0.1 ms each.
Together that takes more CPU than its SHA-256. `Stream.take` reads into the caller's buffer, in the caller's thread.
Without TLS it reads rarely: after each read it pauses for some milliseconds, so that the next read finds more.
"""

from __future__ import annotations

import asyncio
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import httpcore

#: Pause in seconds while the system collects more of a file. Its buffer does not fill up in that time.
_PAUSE = 0.005
#: The end of an answer's headers, by h11's rule.
_END_OF_HEAD = re.compile(rb"\n\r?\n")
#: Longest headers, in bytes: h11 refuses longer ones earlier.
_LONGEST_HEAD = 1 << 18
#: The errors of a non-blocking socket that is not ready; TLS has its own.
_Blocked = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


async def connect(
    address: str,
    port: int,
    *,
    timeout: float | None,  # noqa: ASYNC109 - httpcore's name
    local_address: str | None,
    options: Iterable[Any] | None,
) -> Stream:
    """Connect to an address, not to a name.

    Raises:
        httpcore.ConnectTimeout, httpcore.ConnectError
    """
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for option in options or ():
                connection.setsockopt(*option)
            if local_address is not None:
                connection.bind((local_address, 0))
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return Stream(connection)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, in plain or over TLS, for one task at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        #: The part of an answer that was returned so far, until its headers are complete; None after them.
        self._head: bytes | None = None
        #: What arrived after the headers and was not returned yet.
        self._held = b""
        #: Whether all headers of an answer were returned, but nothing after them.
        self.is_at_body = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """The bytes that have arrived, or the next ones. Empty at the end. No piece crosses the end of the headers.

        Raises:
            httpcore.ReadTimeout, httpcore.ReadError
            ssl.SSLError: the other side violates TLS.
        """
        self.is_at_body = False
        data, self._held = self._held, b""
        if not data:
            data = await self._next(max_bytes, timeout)
        if self._head is None:
            return data
        before = len(self._head)
        head = self._head + data
        end = _END_OF_HEAD.search(head, max(0, before - 2))
        self._head = None if end or len(head) > _LONGEST_HEAD else head
        if end is None:
            return data
        self.is_at_body = True
        self._held = head[end.end() :]
        return head[before : end.end()]

    def take(self, buffer: memoryview, timeout: float | None) -> int:
        """Fill the buffer with the next bytes and return their number, which is smaller only at the end. This blocks,
        so call it in a thread; `interrupt` ends it. After the first call, use the connection only for this: httpcore
        has not seen these bytes.

        Raises:
            httpcore.ReadTimeout, httpcore.ReadError
            ssl.SSLError: the other side violates TLS.
        """
        filled = min(len(buffer), len(self._held))
        buffer[:filled] = self._held[:filled]
        self._held = self._held[filled:]
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(timeout)
            # With TLS, a read returns one record of at most 16 KiB, however many have arrived.
            may_pause = not isinstance(self._socket, ssl.SSLSocket)
            while filled < len(buffer):
                count = self._socket.recv_into(buffer[filled:])
                if not count:
                    break
                filled += count
                if may_pause and filled < len(buffer):
                    time.sleep(_PAUSE)
        return filled

    def interrupt(self) -> None:
        """End another thread's `take`, as if the other side had closed the connection."""
        with suppress(OSError):
            # SSLSocket's own method would remove TLS while the other thread reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Raises:
        httpcore.WriteTimeout, httpcore.WriteError
        """
        self._head, self.is_at_body = b"", False
        rest = memoryview(buffer)
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                try:
                    rest = rest[self._socket.send(rest) :]
                except _Blocked as blocked:
                    await self._ready(blocked, timeout, writing=True)

    async def aclose(self) -> None:
        self._socket.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
    ) -> Stream:
        """Raises:
        httpcore.ConnectTimeout, httpcore.ConnectError
        """
        connection = self._socket
        try:
            with _translated(httpcore.ConnectTimeout, httpcore.ConnectError, ssl.SSLError):
                connection = secured = ssl_context.wrap_socket(
                    connection, server_hostname=server_hostname, do_handshake_on_connect=False
                )
                stream = Stream(secured)
                async with asyncio.timeout(timeout):
                    while True:
                        try:
                            secured.do_handshake()
                            break
                        except _Blocked as blocked:
                            await stream._ready(blocked, None)
        except BaseException:
            connection.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        known: dict[str, Callable[[], Any]] = {
            "socket": lambda: self._socket,
            "client_addr": self._socket.getsockname,
            "server_addr": self._socket.getpeername,
            "ssl_object": lambda: self._socket if isinstance(self._socket, ssl.SSLSocket) else None,
            "is_readable": lambda: _is_readable(self._socket),
        }
        return known[info]() if info in known else None

    async def _next(self, max_bytes: int, timeout: float | None) -> bytes:  # noqa: ASYNC109 - httpcore's name
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            while True:
                try:
                    return self._socket.recv(max_bytes)
                except _Blocked as blocked:
                    await self._ready(blocked, timeout)

    async def _ready(
        self,
        blocked: OSError,
        timeout: float | None,  # noqa: ASYNC109 - httpcore's name
        *,
        writing: bool = False,
    ) -> None:
        """Wait until the socket is ready. TLS may have to read before it can write, and vice versa."""
        if isinstance(blocked, ssl.SSLError):
            writing = isinstance(blocked, ssl.SSLWantWriteError)
        loop, number = asyncio.get_running_loop(), self._socket.fileno()
        add, remove = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        ready = loop.create_future()
        add(number, _settle, ready)
        try:
            async with asyncio.timeout(timeout):
                await ready
        finally:
            remove(number)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


@contextmanager
def _translated(late: type[Exception], failed: type[Exception], *more: type[Exception]) -> Iterator[None]:
    """Turn the system's errors into httpcore's. TLS errors stay unchanged unless they are among `more`."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except ssl.SSLError as error:
        if not isinstance(error, more):
            raise
        raise failed(str(error)) from error
    except OSError as error:
        # Without the system's number, which differs between systems.
        raise failed(error.strerror or str(error)) from error


def _is_readable(connection: socket.socket) -> bool:
    """Whether an idle connection has something to read, such as its end. True for a closed one, too."""
    number = connection.fileno()
    if number < 0:
        return True
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
