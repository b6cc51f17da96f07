"""One HTTP answer of the API, read whole and within bounds, and what its body says.

An answer is small. What is larger than the bound, compressed more than once, or dripping for longer
than the call may take, is no answer: a hostile or broken gateway must not eat the memory or the time
of a batch.
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

#: Headers that identify a call (together_api.md), and the longest value that is kept of one, in characters.
REQUEST_ID_HEADERS, LONGEST_REQUEST_ID = ("x-request-id", "cf-ray"), 200

#: Longest whole number that Python reads without a setting, in digits.
_DIGITS = 4_000


class AnswerUnreadable(Exception):
    """The body is too large, or is encoded in a way that was not asked for."""


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
            ValueError, RecursionError: it is no JSON.
        """
        return json.loads(self.content, parse_int=_whole)


def request_ids(headers: Mapping[str, str]) -> dict[str, str]:
    """What identifies a call for the provider's support: its request ids, by the headers that they came in."""
    found = {name: headers.get(name, "").strip() for name in REQUEST_ID_HEADERS}
    return {
        name: text
        for name, text in found.items()
        if 0 < len(text) <= LONGEST_REQUEST_ID and text.isascii() and text.isprintable()
    }


def json_bytes(body: Any) -> bytes:
    """A request's body.

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
        httpx.HTTPError, OSError, …: as the transport has it.
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
        # Decoding is ours, as httpx's has no bound; where there is none to do, both are the same.
        pieces = response.aiter_bytes() if encoding in {"identity", ""} else response.aiter_raw()
        async for piece in pieces:
            content += piece
            if len(content) > MOST:
                raise AnswerUnreadable(f"the answer is larger than {MOST // 2**20} MiB")
        return Answer(response.status_code, response.headers, _plain(bytes(content), encoding))


def _plain(content: bytes, encoding: str) -> bytes:
    """Undo a single gzip or deflate, which some gateways apply unasked."""
    if encoding in {"identity", ""}:
        return content
    if encoding not in {"gzip", "deflate"}:
        raise AnswerUnreadable(f"the answer is encoded as {encoding[:40]!r}, which was not asked for")
    opener = zlib.decompressobj(wbits=47 if encoding == "gzip" else 15)
    try:
        plain = opener.decompress(content, MOST)
    except zlib.error as error:
        raise AnswerUnreadable(f"the answer is no {encoding}") from error
    if opener.unconsumed_tail:
        raise AnswerUnreadable(f"the answer is larger than {MOST // 2**20} MiB")
    return plain


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float("inf")
