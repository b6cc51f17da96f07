"""One file from a link to the disk: streamed, bounded, its length checked, hashed on the way.

The file appears under its name only when it is whole and durable: written beside it, fsync,
rename, fsync of the folder. A process that dies in between leaves a `.part` file with a name of
its own, so that two processes never write into one file.
"""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx
from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from together_video.api.encodings import must_be_unpacked, unpacked
from together_video.atomic_files import part_of, settle, write_pieces
from together_video.errors import DownloadBroken, DownloadError, DownloadTooLarge, LinkRefused
from together_video.text import one_line

#: Bytes that are handed to a thread at once: enough that hashing, not switching, counts.
_AT_ONCE = 1 << 20
#: Statuses of success that come without the file: accepted, no content, reset content.
_WITHOUT_A_FILE = frozenset({202, 204, 205})


class DownloadedFile(BaseModel):
    """A whole file on disk: its size in bytes and its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    path: Path
    size: int
    sha256: str


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


async def receive(
    client: httpx.AsyncClient, url: str, path: Path, *, max_bytes: int, patience: httpx.Timeout
) -> DownloadedFile:
    """Download `url` to `path`, following redirects.

    Raises:
        LinkRefused: the link answers with another status than a file has.
        DownloadBroken: cut short, another length than announced, empty. Worth another try.
        DownloadTooLarge: more than `max_bytes`.
        DownloadError: the disk refuses.
    """
    part = part_of(path)
    try:
        async with client.stream("GET", url, timeout=patience) as response:
            announced = _announced(response, max_bytes)
            digest = hashlib.sha256()
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                size = await _copy(response, out, digest, max_bytes)
                if announced is not None and size != announced:
                    raise DownloadBroken(f"The download has {size} bytes, {announced} were announced.")
                if size == 0:
                    raise DownloadBroken("The download is empty.")
                out.flush()
                encoding = response.headers.get("content-encoding", "")
                if encoding and await to_thread.run_sync(must_be_unpacked, encoding, part):
                    return await to_thread.run_sync(_unpack, part, path, max_bytes)
                await to_thread.run_sync(settle, out, part, path)
    except (httpx.HTTPError, ssl.SSLError) as error:
        why = one_line(str(error)) or type(error).__name__
        raise DownloadBroken(f"The download broke off: {why}.") from error
    except OSError as error:
        raise DownloadError(
            f"The video cannot be stored in {path.parent} ({error.strerror or error}).",
            remedy="It stays at the provider: make room and run again.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return DownloadedFile(path=path, size=size, sha256=digest.hexdigest())


def _unpack(part: Path, path: Path, max_bytes: int) -> DownloadedFile:
    write_pieces(path, unpacked(part, max_bytes=max_bytes))
    return hash_file(path)


def hash_file(path: Path) -> DownloadedFile:
    """What lies under `path`, hashed again: a spool file that an earlier process left."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return DownloadedFile(path=path, size=path.stat().st_size, sha256=digest)


def _announced(response: httpx.Response, max_bytes: int) -> int | None:
    status = response.status_code
    if 400 <= status < 500 and status not in {408, 425, 429}:
        raise LinkRefused(
            f"The link to the video answers with HTTP {status}: it is not ready, has expired, or the file is gone."
        )
    if not response.is_success or status in _WITHOUT_A_FILE:
        raise LinkRefused(f"The link to the video answers with HTTP {status}.")
    text = response.headers.get("content-length", "")
    announced = int(text) if text.isdecimal() and len(text) < 20 else None
    if announced is not None and announced > max_bytes:
        raise DownloadTooLarge(f"The video has {announced} bytes, more than the bound of {max_bytes}.")
    return announced


async def _copy(response: httpx.Response, out: BinaryIO, digest: _Hash, max_bytes: int) -> int:
    def keep(pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            digest.update(piece)
            out.write(piece)

    size = kept = 0
    pieces: list[bytes] = []
    # As they come: httpx would copy what it has gathered so far once more for each piece.
    async for piece in response.aiter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise DownloadTooLarge(f"The video has more than the bound of {max_bytes} bytes.")
        if size - kept >= _AT_ONCE:
            await to_thread.run_sync(keep, pieces)
            pieces, kept = [], size
    await to_thread.run_sync(keep, pieces)
    return size
