"""HTTP for links from others: only to public addresses, or to hosts that the operator trusts.

A name is resolved first, and the connection is made to a checked address, so a name server that answers differently a
moment later changes nothing. Each hop of a redirect is checked in the same way.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import anyio
import httpcore
import httpx

from together_video.network.addresses import is_local_name, is_public, is_reachable, literal
from together_video.network.streams import connect
from together_video.network.trusted_hosts import TrustedHosts
from together_video.text import printable

#: How long resolving a name may take if a proxy makes the connection, in seconds.
_RESOLVE_SECONDS = 5.0


class AddressRefused(httpx.TransportError):
    """Links must not lead to this address. Nothing was sent to it."""


class Guard:
    """Decides which addresses a link or its redirects may lead to.

    Args:
        trusted: hosts that are allowed to be private and to be called over plain http.
        https_only: whether all others need https.
    """

    def __init__(self, trusted: TrustedHosts, *, https_only: bool) -> None:
        self._trusted = trusted
        self._https_only = https_only

    def check(self, url: httpx.URL) -> None:
        """Check an address as it is written, without resolving it.

        Raises:
            AddressRefused: it is private, or plain http although https is required.
            httpx.UnsupportedProtocol: it is not an http or https address, or has an impossible host or port.
        """
        shown = printable(url.netloc.decode("ascii", "replace").rpartition("@")[2], 100)
        if url.scheme not in {"http", "https"}:
            raise httpx.UnsupportedProtocol(f"{printable(str(url), 100)} is not an http or https address")
        if not is_reachable(url):
            raise httpx.UnsupportedProtocol(f"{shown} has an impossible host or port")
        if self._trusted.covers(url):
            return
        if self._https_only and url.scheme != "https":
            raise AddressRefused(f"{shown} is called over plain http, but links must use https")
        address = literal(url.host)
        if address is not None and not is_public(address):
            raise private(shown)
        if address is None and is_local_name(url.host):
            raise private(shown)

    async def look_up(self, url: httpx.URL) -> None:
        """Like `check`, but also resolve the name here. An unknown name passes, because the proxy may know it.

        Raises:
            AddressRefused: see `check`; or the name resolves to private addresses.
        """
        self.check(url)
        if self._trusted.covers(url) or literal(url.host) is not None:
            return
        try:
            with anyio.fail_after(_RESOLVE_SECONDS):
                found = await _resolved(url.host, url.port or 443)
        except (OSError, TimeoutError, UnicodeError):
            return
        self.public_of(url.host, url.port, found)

    async def refuse_private_answers(self, host: str) -> None:
        """Check that the names of public servers resolve to public addresses here, which links need.

        Raises:
            AddressRefused: this one does not. If it is unknown, or nobody answers, nothing is raised.
        """
        try:
            with anyio.fail_after(_RESOLVE_SECONDS):
                found = await _resolved(host, 443)
        except (OSError, TimeoutError, UnicodeError):
            return
        if found and not any(
            is_public(ip_address(one)) or self._trusted.covers(_url_of(one, 443)) for one in found
        ):
            raise AddressRefused(found[0])

    def public_of(self, host: str, port: int | None, addresses: Iterable[str]) -> list[str]:
        """The addresses of a host that may be called.

        Raises:
            AddressRefused: there is none.
        """
        found = list(addresses)
        name = httpx.URL(scheme="any", host=host, port=port)
        if self._trusted.covers(name):
            return found
        kept = [
            one for one in found if is_public(ip_address(one)) or self._trusted.covers(_url_of(one, port))
        ]
        if not kept:
            raise private(printable(host, 100))
        return kept


def private(shown: str) -> AddressRefused:
    return AddressRefused(f"{shown} is at a private address, which links must not lead to")


class GuardedTransport(httpx.AsyncHTTPTransport):
    """A transport that connects only to addresses that the guard allows."""

    def __init__(self, guard: Guard, *, verify: ssl.SSLContext | bool, limits: httpx.Limits) -> None:
        super().__init__(verify=verify, limits=limits, trust_env=False)
        self._guard = guard
        # httpx cannot be told how to connect, but its pool, which is httpcore's, can.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify
            if isinstance(verify, ssl.SSLContext)
            else httpx.create_ssl_context(verify=verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_GuardedBackend(guard),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._guard.check(request.url)
        return await super().handle_async_request(request)


class CheckedTransport(httpx.AsyncBaseTransport):
    """Another transport, such as one through a proxy, with a check of each address.

    A proxy connects itself and decides to which address a name resolves. `resolves`: whether names are also resolved
    and checked here.
    """

    def __init__(self, guard: Guard, transport: httpx.AsyncBaseTransport, *, resolves: bool) -> None:
        self._guard, self._transport, self._resolves = guard, transport, resolves

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._resolves:
            await self._guard.look_up(request.url)
        else:
            self._guard.check(request.url)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves names itself, and connects to an address that the guard has checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        end = None if timeout is None else time.monotonic() + timeout
        try:
            with anyio.fail_after(timeout):
                found = await _resolved(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        allowed = self._guard.public_of(host, port, found)
        while True:
            address = allowed.pop(0)
            # Each gets its share of the time: the first one may be in an unreachable network.
            share = None if end is None else max(0.0, end - time.monotonic()) / (len(allowed) + 1)
            try:
                return await connect(
                    address, port, timeout=share, local_address=local_address, options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not allowed:
                    raise

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


async def _resolved(host: str, port: int) -> list[str]:
    """The addresses of a name, each once.

    Raises:
        OSError, UnicodeError: it has none, or is not a name.
    """
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def _url_of(address: str, port: int | None) -> httpx.URL:
    return httpx.URL(scheme="any", host=address, port=port)
