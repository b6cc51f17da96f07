"""HTTP clients that verify servers and use proxies as the environment says, and whether a call of theirs was sent."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from together_video.errors import ConfigurationError, Spent
from together_video.network.certificates import tls_context
from together_video.network.guard import CheckedTransport, Guard, GuardedTransport
from together_video.network.proxies import ProxySettings, proxies_from_env

#: How httpcore calls the steps before anything of a request leaves: making the connection, to a proxy too; and the one
#: that follows any other, and does not say which request it is of.
_NOT_SENDING = ("connection.", "proxy.", "socks.", "http11.response_closed", "http2.response_closed")


class Connections:
    """Makes clients that share what the environment says, which is read once.

    `transport` replaces the network in tests.

    Raises:
        ConfigurationError: certificates or a proxy that the environment names cannot be used; names the variable.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        # Tests that replace the network need not read the certificates.
        self._tls: ssl.SSLContext | bool = tls_context() if transport is None else False
        self.proxies = proxies_from_env() if transport is None else ProxySettings({})
        for warning in self.proxies.warnings:
            logging.getLogger(__name__).warning(warning)

    def client(
        self, *, limits: httpx.Limits, guard: Guard | None = None, **options: Any
    ) -> httpx.AsyncClient:
        """A client of its own connections; `options` are httpx's.

        Args:
            guard: looks at each address that is called, at each hop. For links that others wrote.

        Raises:
            ConfigurationError: it cannot be built; nothing was sent.
        """
        try:
            return httpx.AsyncClient(
                transport=self._directly(guard, limits),
                mounts={
                    pattern: self._through(proxy, guard, limits)
                    for pattern, proxy in self.proxies.by_pattern.items()
                },
                verify=self._tls,
                limits=limits,
                trust_env=False,
                **options,
            )
        except Exception as error:
            raise ConfigurationError(
                f"No HTTP client can be made on this machine: {type(error).__name__}: {error}.",
                spent=Spent.NOTHING,
            ) from error

    def _directly(self, guard: Guard | None, limits: httpx.Limits) -> httpx.AsyncBaseTransport | None:
        """None for httpx's own."""
        if guard is None:
            return self._transport
        if self._transport is not None:
            return CheckedTransport(guard, self._transport, resolves=False)
        return GuardedTransport(guard, verify=self._tls, limits=limits)

    def _through(
        self, proxy: str | None, guard: Guard | None, limits: httpx.Limits
    ) -> httpx.AsyncBaseTransport | None:
        if proxy is None:
            return None
        tls = self._tls if isinstance(self._tls, ssl.SSLContext) else None
        # Only a proxy that is called over https has certificates to be verified.
        to_proxy = httpx.Proxy(proxy, ssl_context=tls if proxy.startswith("https://") else None)
        transport = httpx.AsyncHTTPTransport(proxy=to_proxy, verify=self._tls, limits=limits)
        return transport if guard is None else CheckedTransport(guard, transport, resolves=True)


class Departure:
    """Whether anything of one request may have left this machine, by httpcore's trace of its steps.

    Pass `extensions` with the request. What is not known to come before the sending counts as sent.

    `before` is awaited right before the first byte may leave; if it raises, nothing does.
    """

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self._before = before
        self._steps = 0
        self._may_have_left = False
        #: Those of the answer, as soon as they have come.
        self.answer_headers = httpx.Headers()

    @property
    def extensions(self) -> dict[str, Any]:
        return {"trace": self._step}

    @property
    def is_possible(self) -> bool:
        """True where some of it has left, or may have."""
        return self._may_have_left

    @property
    def is_seen(self) -> bool:
        """Whether the transport reports its steps at all."""
        return self._steps > 0

    @property
    def is_impossible(self) -> bool:
        """True where it is proven that nothing was sent: a connection was being made, and never used."""
        return self._steps > 0 and not self._may_have_left

    async def _step(self, name: str, info: Mapping[str, Any]) -> None:
        self._steps += 1
        if not name.endswith(".started"):
            return  # how a step ended does not say whose step it was
        # What asks a proxy to make a way to the server is a request of its own: it holds nothing of ours.
        to_proxy = getattr(info.get("request"), "method", b"") == b"CONNECT"
        if not (name.startswith(_NOT_SENDING) or to_proxy) and not self._may_have_left:
            if self._before is not None:
                await self._before()
            self._may_have_left = True
