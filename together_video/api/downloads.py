"""Download one file from a link to the disk: streamed, bounded, with its length checked, hashed on the way.

The file appears under its name only when it is complete and durable: write beside it, fsync, rename, fsync of the
folder. A process that dies in between leaves a `.part` file with a unique name, so two processes never write to one
file.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import httpcore
import httpx
from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from together_video.api.encodings import is_packed, unpacked
from together_video.atomic_files import make_private_folder, part_of, settle, write_pieces
from together_video.errors import (
    DownloadBroken,
    DownloadError,
    DownloadInterrupted,
    DownloadTooLarge,
    LinkForbidden,
    LinkRefused,
)
from together_video.network.guard import AddressRefused
from together_video.network.streams import Stream
from together_video.network.trusted_hosts import VARIABLE
from together_video.text import one_line

#: Bytes that are handed to a thread at once: enough to make the cost of switching negligible.
_AT_ONCE = 1 << 20
#: A file of at least so many bytes is read directly from its connection, which is then closed. For a smaller file, a
#: new connection costs more than this saves.
_DIRECTLY = 1 << 19
#: Success statuses without a file: accepted, no content, reset content.
_WITHOUT_A_FILE = frozenset({202, 204, 205})


class DownloadedFile(BaseModel):
    """A complete file on disk: its size in bytes and its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    path: Path
    size: int
    sha256: str


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


async def receive(
    client: httpx.AsyncClient, url: str, path: Path, *, max_bytes: int, patience: httpx.Timeout
) -> DownloadedFile:
    """Download `url` to `path`, following redirects.

    Raises:
        LinkForbidden: the link, or a redirect, leads to a private address.
        LinkRefused: the link's status is not that of a file.
        DownloadBroken: the file is cut short, empty, or has another length than announced. Worth another try.
        DownloadTooLarge: the file has more than `max_bytes`.
        DownloadError: the file cannot be written to the disk.
    """
    part = part_of(path)
    try:
        async with _followed(client, url, patience) as response:
            announced = _announced(response, max_bytes)
            digest = hashlib.sha256()
            make_private_folder(path.parent)
            with part.open("xb") as out:
                size = await _copy(response, announced, out, digest, max_bytes, patience.read)
                if announced is not None and size != announced:
                    raise DownloadInterrupted(
                        f"The download has {size} bytes, but {announced} were announced."
                    )
                if size == 0:
                    raise DownloadBroken("The download is empty.")
                encoding = response.headers.get("content-encoding", "")
                unpacked_file = await to_thread.run_sync(_settled, out, part, path, encoding, max_bytes)
    except AddressRefused as error:
        raise LinkForbidden(
            f"The job's link cannot be followed: {error}.",
            remedy=f"If the address is right, list its host in {VARIABLE}.",
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, UnicodeError) as error:
        why = one_line(str(error)) or type(error).__name__
        raise DownloadInterrupted(f"The download broke off: {why}.") from error
    except OSError as error:
        raise DownloadError(
            f"The video cannot be written to {path.parent} ({error.strerror or error}).",
            remedy="The provider still has it: make room and run again.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return unpacked_file or DownloadedFile(path=path, size=size, sha256=digest.hexdigest())


def _settled(out: BinaryIO, part: Path, path: Path, encoding: str, max_bytes: int) -> DownloadedFile | None:
    """Rename a finished part to its final name. If it came compressed, unpack it and return the unpacked file."""
    out.flush()
    try:
        if is_packed(encoding, part):
            write_pieces(path, unpacked(part, max_bytes=max_bytes))
            return hash_file(path)
    except DownloadBroken:
        settle(out, part, path)  # as it came, so that you can inspect it
        raise
    settle(out, part, path)
    return None


def hash_file(path: Path) -> DownloadedFile:
    """The file at `path`, hashed again: a spool file that an earlier process left."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return DownloadedFile(path=path, size=path.stat().st_size, sha256=digest)


@asynccontextmanager
async def _followed(
    client: httpx.AsyncClient, url: str, patience: httpx.Timeout
) -> AsyncIterator[httpx.Response]:
    """The answer at the end of all redirects. httpx would read the body of each redirect into memory, however long it
    is.
    """
    request = client.build_request("GET", url, timeout=patience)
    for _ in range(client.max_redirects + 1):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.next_request is None:
                yield response
                return
            request = response.next_request
        finally:
            await response.aclose()
    raise httpx.TooManyRedirects("Exceeded maximum allowed redirects.", request=request)


def _whole(content_range: str) -> int | None:
    """The size of a file if a range such as `bytes 0-9/10` covers all of it; None if it is only a part."""
    found = re.fullmatch(r"bytes 0-(\d{1,18})/(\d{1,18})", content_range.strip())
    return int(found[2]) if found is not None and int(found[1]) + 1 == int(found[2]) else None


def _announced(response: httpx.Response, max_bytes: int) -> int | None:
    status = response.status_code
    if not response.is_success or status in _WITHOUT_A_FILE:
        error = LinkRefused(f"The link to the video answers with HTTP {status}.", status=status)
        if error.is_lasting:
            error.what = (
                error.what.rstrip(".") + ": the file is not ready, the link has expired, or the file is gone."
            )
        raise error
    text = response.headers.get("content-length", "")
    announced = int(text) if text.isdecimal() and len(text) < 20 else None
    if status == 206:
        whole = _whole(response.headers.get("content-range", ""))
        if whole is None or announced not in (None, whole):
            raise DownloadInterrupted(
                "The link to the video returns only part of the file, without being asked to."
            )
        announced = whole
    if announced is not None and announced > max_bytes:
        raise DownloadTooLarge(f"The video has {announced} bytes, more than the limit of {max_bytes}.")
    return announced


async def _copy(
    response: httpx.Response,
    announced: int | None,
    out: BinaryIO,
    digest: _Hash,
    max_bytes: int,
    patience: float | None,
) -> int:
    stream = response.extensions.get("network_stream")
    if (
        announced is not None
        and announced >= _DIRECTLY
        and isinstance(stream, Stream)
        and stream.is_at_body
        and "transfer-encoding" not in response.headers
    ):
        return await _take(stream, announced, out, digest, patience)

    def keep(pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            digest.update(piece)
            out.write(piece)

    size = kept = 0
    pieces: list[bytes] = []
    # Raw pieces: httpx would copy everything that it has gathered so far for each new piece.
    async for piece in response.aiter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise DownloadTooLarge(f"The video has more than the limit of {max_bytes} bytes.")
        if size - kept >= _AT_ONCE:
            await to_thread.run_sync(keep, pieces)
            pieces, kept = [], size
    await to_thread.run_sync(keep, pieces)
    return size


async def _take(stream: Stream, announced: int, out: BinaryIO, digest: _Hash, patience: float | None) -> int:
    """Read the body of an answer directly from its connection: httpcore and httpx would copy it four more times."""

    def copy() -> int:
        buffer = memoryview(bytearray(min(_AT_ONCE, announced)))
        size = 0
        while size < announced and (count := stream.take(buffer[: announced - size], patience)):
            digest.update(buffer[:count])
            out.write(buffer[:count])
            size += count
        return size

    copying = asyncio.ensure_future(to_thread.run_sync(copy))
    try:
        return await asyncio.shield(copying)
    except asyncio.CancelledError:
        # The thread must finish with the file and the connection before both are closed.
        stream.interrupt()
        while not copying.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([copying])
        if not copying.cancelled():
            copying.exception()
        raise
    except httpcore.ReadTimeout as error:
        raise httpx.ReadTimeout(str(error)) from error
    except httpcore.ReadError as error:
        raise httpx.ReadError(str(error)) from error
