"""Do the links to a request's media work? Each is checked once, before anything is paid.

The provider may be able to reach more than this machine, or less. So only a link that is certainly gone stops a video;
doubts are only reported. Links must be https and lead to public addresses, unless the operator trusts the host.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from together_video.masking import masked
from together_video.media.sources import MediaForm, MediaKind, form_of, media_texts
from together_video.network.connections import Connections
from together_video.network.guard import AddressRefused, Guard
from together_video.network.trusted_hosts import VARIABLE, TrustedHosts
from together_video.requests import VideoRequest
from together_video.text import one_line, printable

#: How many seconds one check may take, and how many run at a time.
_PATIENCE, _AT_ONCE = 10.0, 16
#: If a host has taken this many seconds and no link has worked yet, its other links are not checked.
_HOST_SECONDS = 60.0
_GONE = frozenset({404, 410})


@dataclass(frozen=True)
class Doubt:
    """What is wrong with a link, as a sentence. `sure`: the provider cannot open it either, or must not be asked to.

    `details` is for the operator: it reveals what this machine sees of the network, which the author of the link may
    not be allowed to know. `words` do not.
    """

    url: str
    details: str
    sure: bool

    @property
    def words(self) -> str:
        return f"{shown_link(self.url)} could not be reached"


class LinkChecks:
    """Requests links without any key, each only once. `async with` closes connections.

    `trusted` are hosts that can be private. `transport` replaces the network in tests.
    """

    def __init__(
        self, trusted: TrustedHosts | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._guard = Guard(trusted or TrustedHosts(), https_only=True)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._asked: dict[str, asyncio.Future[Doubt | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        #: Seconds that each host has taken, and the hosts with a link that worked.
        self._wasted: dict[str, float] = {}
        self._given: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for asked in self._asked.values():
            asked.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def doubts(self, request: VideoRequest) -> list[Doubt]:
        """Doubts about the links of a request. Empty if all of them work."""
        links = {text: kind for _, kind, text in media_texts(request) if form_of(text) is MediaForm.LINK}
        found = await asyncio.gather(*(self._once(text, kind) for text, kind in links.items()))
        return [doubt for doubt in found if doubt is not None]

    async def _once(self, url: str, kind: MediaKind) -> Doubt | None:
        if url not in self._asked:
            self._asked[url] = asyncio.ensure_future(self._ask(url, kind))
        # Shielded, so that a cancelled video does not take the answer away from the others.
        return await asyncio.shield(self._asked[url])

    async def _ask(self, url: str, kind: MediaKind) -> Doubt | None:
        if self._client is None:
            self._client = Connections(self._transport).client(
                limits=httpx.Limits(),
                guard=self._guard,
                follow_redirects=True,
                timeout=_PATIENCE,
                max_redirects=10,
            )
        async with self._places:
            host = _host_of(url)
            if host not in self._given and self._wasted.get(host, 0.0) >= _HOST_SECONDS:
                words = f"is not checked: its host has taken {_HOST_SECONDS:.0f} s and no link has worked"
                return Doubt(url, f"{shown_link(url)} {words}", sure=True)
            begin = time.monotonic()
            try:
                async with asyncio.timeout(2 * _PATIENCE):
                    doubt = _judge(url, kind, await self._look(self._client, url))
                if doubt is None:
                    self._given.add(host)
                return doubt
            except AddressRefused as error:
                return Doubt(
                    url, f"{shown_link(url)} is not opened: {error}; {VARIABLE} can name its host", sure=True
                )
            except (TimeoutError, httpx.TimeoutException):
                return Doubt(url, f"{shown_link(url)} did not answer in time", sure=False)
            except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
                details = f"{shown_link(url)} cannot be reached: {_reason(error)}"
                return Doubt(url, details, sure=not _is_about_trust(error))
            except httpx.HTTPError as error:
                return Doubt(url, f"{shown_link(url)} gave an invalid answer: {_reason(error)}", sure=False)
            finally:
                self._wasted[host] = self._wasted.get(host, 0.0) + time.monotonic() - begin

    async def _look(self, client: httpx.AsyncClient, url: str) -> httpx.Response:
        answer = await client.head(url)
        if answer.is_success:
            return answer
        # For links signed for GET, and servers without HEAD: request the first byte.
        async with client.stream("GET", url, headers={"Range": "bytes=0-0"}) as answer:
            return answer


def _judge(url: str, kind: MediaKind, answer: httpx.Response) -> Doubt | None:
    status = answer.status_code
    # 416: the file is empty, but it exists.
    if answer.is_success or status == 416:
        if answer.headers.get("content-type", "").startswith("text/html"):
            return Doubt(url, f"{shown_link(url)} leads to a web page instead of {kind} content", sure=False)
        return None
    return Doubt(url, f"{shown_link(url)} answers with HTTP {status}", sure=status in _GONE)


def _host_of(url: str) -> str:
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        return ""


def shown_link(url: str) -> str:
    """The link without its query, which may contain a signature, and without a password, because logs show it."""
    address, question, _ = url.partition("?")
    return printable(masked(address), 200) + ("?…" if question else "")


def _reason(error: Exception) -> str:
    return one_line(str(error), 120) or type(error).__name__


def _is_about_trust(error: BaseException) -> bool:
    """Whether this machine does not trust the certificate. The provider may trust it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) or "CERTIFICATE" in str(seen).upper():
            return True
        seen = seen.__cause__ or seen.__context__
    return False
