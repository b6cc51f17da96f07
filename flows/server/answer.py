"""The answer of one address that was called as a Prefect API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

VERSION = re.compile(r"(\d{1,4})(\.\d{1,6})+[0-9A-Za-z.+-]{0,40}")
#: Largest answer that is read, in bytes: a version is one line, and even a page of the UI is only kilobytes.
_MOST = 2**20
#: Redirects after which a client sends GET instead of POST, so no run could be recorded.
_TO_GET = frozenset({301, 302, 303})
#: Seconds for the whole check. Prefect's client alone would retry for minutes, and wait a minute for each
#: attempt at a host that drops packets.
PATIENCE = 15.0

E = TypeVar("E", bound=BaseException)


class Bounded(httpx.AsyncByteStream):
    """The body of an answer, up to a limit."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if size > _MOST:
                raise httpx.DecodingError(f"The answer is larger than {_MOST // 2**20} MiB.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


@dataclass(frozen=True)
class Answer:
    """The answer of one address: a version, an error, or both None for a server that does not report its version."""

    url: str
    version: str | None = None
    error: Exception | None = None
    #: The last response, and those that redirected to it.
    response: httpx.Response | None = None

    @property
    def status(self) -> int | None:
        return self.response.status_code if self.response is not None else None

    @property
    def redirects(self) -> list[httpx.Response]:
        return self.response.history if self.response is not None else []

    @property
    def address(self) -> str:
        """Where the answer came from, after redirects."""
        if self.response is None or not self.redirects:
            return self.url
        return str(self.response.url).partition("?")[0].removesuffix("/admin/version")

    @property
    def is_prefect(self) -> bool:
        return self.error is None and (self.version is None or bool(VERSION.fullmatch(self.version)))

    @property
    def is_redirected(self) -> bool:
        return any(redirect.status_code in _TO_GET for redirect in self.redirects)


def in_chain(error: BaseException | None, kind: type[E]) -> E | None:
    """The error of this kind that caused another one."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None
