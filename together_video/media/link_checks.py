"""Are the links of a request's media there at all? Asked once each, before anything is paid.

The provider may see more than this machine, or less. So only what is surely gone stops a video; what
is merely doubtful is said. Links are https and lead to public addresses, unless the operator trusts the host.
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

#: How long one question may take, in seconds, and how many are asked at a time.
_PATIENCE, _AT_ONCE = 10.0, 16
#: A host that has taken so many seconds, and has not given one link yet, is not asked for the others.
_HOST_SECONDS = 60.0
_GONE = frozenset({404, 410})


@dataclass(frozen=True)
class Doubt:
    """What is wrong with a link, as a sentence. `sure`: the provider cannot have it either, or must not be asked.

    `details` is for the operator: it tells what this machine sees of the network, which who wrote the link may not be
    meant to learn. `words` do not.
    """

    url: str
    details: str
    sure: bool

    @property
    def words(self) -> str:
        return f"{shown_link(self.url)} could not be reached"


class LinkChecks:
    """Asks for links without any key; each is asked for once in its life. `async with` closes connections.

    `trusted` are hosts that may be private. `transport` replaces the network in tests.
    """

    def __init__(
        self, trusted: TrustedHosts | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._guard = Guard(trusted or TrustedHosts(), https_only=True)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._asked: dict[str, asyncio.Future[Doubt | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        #: Seconds that each host has taken, and the hosts that have given a link.
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
        """What is to be said of the links of a request; empty where all answer."""
        links = {text: kind for _, kind, text in media_texts(request) if form_of(text) is MediaForm.LINK}
        found = await asyncio.gather(*(self._once(text, kind) for text, kind in links.items()))
        return [doubt for doubt in found if doubt is not None]

    async def _once(self, url: str, kind: MediaKind) -> Doubt | None:
        if url not in self._asked:
            self._asked[url] = asyncio.ensure_future(self._ask(url, kind))
        # Shielded: a video that is cancelled must not take the answer from the others.
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
                words = f"is not asked for: its host has taken {_HOST_SECONDS:.0f} s and given no link"
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
                    url, f"{shown_link(url)} is not called: {error}; {VARIABLE} can name its host", sure=True
                )
            except (TimeoutError, httpx.TimeoutException):
                return Doubt(url, f"{shown_link(url)} did not answer in time", sure=False)
            except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
                details = f"{shown_link(url)} cannot be reached: {_reason(error)}"
                return Doubt(url, details, sure=not _is_about_trust(error))
            except httpx.HTTPError as error:
                return Doubt(url, f"{shown_link(url)} gave no proper answer: {_reason(error)}", sure=False)
            finally:
                self._wasted[host] = self._wasted.get(host, 0.0) + time.monotonic() - begin

    async def _look(self, client: httpx.AsyncClient, url: str) -> httpx.Response:
        answer = await client.head(url)
        if answer.is_success:
            return answer
        # Links that are signed for a GET, and servers that know no HEAD: ask for the first byte.
        async with client.stream("GET", url, headers={"Range": "bytes=0-0"}) as answer:
            return answer


def _judge(url: str, kind: MediaKind, answer: httpx.Response) -> Doubt | None:
    status = answer.status_code
    # 416: there is nothing in it, but it is there.
    if answer.is_success or status == 416:
        if answer.headers.get("content-type", "").startswith("text/html"):
            return Doubt(url, f"{shown_link(url)} gives a web page instead of {kind} content", sure=False)
        return None
    return Doubt(url, f"{shown_link(url)} answers with HTTP {status}", sure=status in _GONE)


def _host_of(url: str) -> str:
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        return ""


def shown_link(url: str) -> str:
    """Without the query, which may hold a signature, and without a password: this goes to logs."""
    address, question, _ = url.partition("?")
    return printable(masked(address), 200) + ("?…" if question else "")


def _reason(error: Exception) -> str:
    return one_line(str(error), 120) or type(error).__name__


def _is_about_trust(error: BaseException) -> bool:
    """Certificates that this machine does not trust: the provider may."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) or "CERTIFICATE" in str(seen).upper():
            return True
        seen = seen.__cause__ or seen.__context__
    return False
