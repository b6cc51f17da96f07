"""HTTP clients with the environment's certificates and proxies, and a way to know whether a call was sent."""

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

#: httpcore's names of the steps before a request leaves, which make the connection, also to a proxy; and of the step
#: that follows any other and does not say which request it belongs to.
_NOT_SENDING = ("connection.", "proxy.", "socks.", "http11.response_closed", "http2.response_closed")


class Connections:
    """Makes clients that share the environment's settings, which are read once.

    `transport` replaces the network in tests.

    Raises:
        ConfigurationError: certificates or a proxy from the environment cannot be used; the message names the variable.
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
        """A client with its own connections; `options` are httpx's.

        Args:
            guard: checks each address that is called, at each hop. For links from others.

        Raises:
            ConfigurationError: the client cannot be built; nothing was sent.
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
        """The direct transport; None for httpx's own."""
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
        # Only a proxy that is called over https has certificates to verify.
        to_proxy = httpx.Proxy(proxy, ssl_context=tls if proxy.startswith("https://") else None)
        transport = httpx.AsyncHTTPTransport(proxy=to_proxy, verify=self._tls, limits=limits)
        return transport if guard is None else CheckedTransport(guard, transport, resolves=True)


class Departure:
    """Whether anything of one request may have left this machine, by httpcore's trace of its steps.

    Pass `extensions` with the request. Unknown steps count as sending.

    `before` is awaited right before the first byte may leave; if it raises, nothing does.
    """

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self._before = before
        self._steps = 0
        self._may_have_left = False
        #: The headers of the answer, as soon as they arrive.
        self.answer_headers = httpx.Headers()

    @property
    def extensions(self) -> dict[str, Any]:
        return {"trace": self._step}

    @property
    def is_possible(self) -> bool:
        """True if part of the request was sent, or may have been."""
        return self._may_have_left

    @property
    def is_seen(self) -> bool:
        """Whether the transport reports its steps at all."""
        return self._steps > 0

    @property
    def is_impossible(self) -> bool:
        """True if certainly nothing was sent: the connection was being made, but never used."""
        return self._steps > 0 and not self._may_have_left

    async def _step(self, name: str, info: Mapping[str, Any]) -> None:
        self._steps += 1
        if not name.endswith(".started"):
            return  # the end of a step does not say whose step it was
        # The request for a proxy's tunnel to the server is separate: it contains nothing of ours.
        to_proxy = getattr(info.get("request"), "method", b"") == b"CONNECT"
        if not (name.startswith(_NOT_SENDING) or to_proxy) and not self._may_have_left:
            if self._before is not None:
                await self._before()
            self._may_have_left = True
