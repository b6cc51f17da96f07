"""One HTTP answer of the API, read completely and within bounds, and its decoded body.

Answers are small. One that is larger than the bound, compressed more than once, or slower than the call's time limit is
an error: a hostile or broken gateway must not use up the memory or the time of a batch.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from together_video.network.connections import Departure

#: Largest body that is read, in bytes, compressed or not.
MOST = 16 * 2**20

#: Headers that identify a call (together_api.md), and the longest value that is kept, in characters.
REQUEST_ID_HEADERS, LONGEST_REQUEST_ID = ("x-request-id", "cf-ray"), 200

#: Longest whole number that Python reads without a setting, in digits.
_DIGITS = 4_000


class AnswerUnreadable(Exception):
    """The body is too large, or has an encoding that was not requested."""


@dataclass(frozen=True)
class Answer:
    """Status, headers and the whole body."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever charset the answer claims."""
        return self.content[:100_000].decode("utf-8", "replace")

    def json(self) -> Any:
        """The body decoded; whole numbers too long for Python become floats.

        Raises:
            ValueError, RecursionError: it is not JSON.
        """
        return json.loads(self.content, parse_int=_whole)


def request_ids(headers: Mapping[str, str]) -> dict[str, str]:
    """The request ids of a call, by header: what the provider's support needs."""
    found = {name: headers.get(name, "").strip() for name in REQUEST_ID_HEADERS}
    return {
        name: text
        for name, text in found.items()
        if 0 < len(text) <= LONGEST_REQUEST_ID and text.isascii() and text.isprintable()
    }


def json_bytes(body: Any) -> bytes:
    """A request's body as JSON.

    Raises:
        ValueError, TypeError, RecursionError: it cannot be written as JSON in UTF-8.
    """
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def read(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: bytes | None,
    patience: httpx.Timeout,
    departure: Departure,
) -> Answer:
    """Make the call and read its answer. `departure` notes whether anything was sent.

    Raises:
        AnswerUnreadable: see there.
        httpx.HTTPError, OSError, …: from the transport.
    """
    async with client.stream(
        method,
        path,
        content=body,
        headers=None if body is None else {"Content-Type": "application/json"},
        timeout=patience,
        extensions=departure.extensions,
    ) as response:
        departure.answer_headers = response.headers
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        content = bytearray()
        # We decode ourselves because httpx does it without a limit. Without an encoding, both are the same.
        pieces = response.aiter_bytes() if encoding in {"identity", ""} else response.aiter_raw()
        async for piece in pieces:
            content += piece
            if len(content) > MOST:
                raise AnswerUnreadable(f"the answer is larger than {MOST // 2**20} MiB")
        return Answer(response.status_code, response.headers, _plain(bytes(content), encoding))


def _plain(content: bytes, encoding: str) -> bytes:
    """Undo a single gzip or deflate, which some gateways apply without being asked."""
    if encoding in {"identity", ""}:
        return content
    if encoding not in {"gzip", "deflate"}:
        raise AnswerUnreadable(
            f"the answer is encoded as {encoding[:40]!r}, although no encoding was requested"
        )
    opener = zlib.decompressobj(wbits=47 if encoding == "gzip" else 15)
    try:
        plain = opener.decompress(content, MOST)
    except zlib.error as error:
        raise AnswerUnreadable(f"the answer is not valid {encoding}") from error
    if opener.unconsumed_tail:
        raise AnswerUnreadable(f"the answer is larger than {MOST // 2**20} MiB")
    return plain


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float("inf")
