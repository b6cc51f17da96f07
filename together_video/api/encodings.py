"""What a Content-Encoding means for a downloaded file: mostly nothing.

Storages keep the header that a file was uploaded with, such as the `aws-chunked` of S3's upload protocol. Proxies may
compress an answer, with or without saying so. So the bytes decide: a file that begins like a video is a video, whatever
its header says.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from together_video.errors import DownloadBroken, DownloadTooLarge
from together_video.media.containers import HEAD, container_of

_GZIP = b"\x1f\x8b"
_DEFLATE = re.compile(r"(?:^|,)\s*deflate\s*(?:,|$)", re.IGNORECASE)
#: Codings that cannot be undone here.
_OTHERS = re.compile(r"(?:^|,)\s*(?:br|zstd|compress|x-compress|dcb|dcz)\s*(?:,|$)", re.IGNORECASE)
#: Bytes that are unpacked at a time, and most layers of compression.
_PIECE, _LAYERS = 1 << 20, 3
#: Most members of a gzip file. The rest is copied after each member, so even empty ones cost time.
_MEMBERS = 1000


def is_packed(encoding: str, path: Path) -> bool:
    """Whether the bytes in `path` must be unpacked to get the file.

    Args:
        encoding: the header's value, or empty text.

    Raises:
        DownloadBroken: they must, but this encoding is not supported.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if container_of(head) is not None:
        return False
    if head.startswith(_GZIP):
        return True
    if _OTHERS.search(encoding):
        raise DownloadBroken(
            f"The video is encoded as {encoding[:40]!r}, although no encoding was requested."
        )
    return bool(_DEFLATE.search(encoding)) and next(_inflated([head], _way(head)), b"") != b""


def unpacked(path: Path, *, max_bytes: int) -> Iterator[bytes]:
    """The content of a file that was compressed with gzip or deflate, piece by piece.

    Raises:
        DownloadBroken: it is cut short, or is not compressed in that way after all.
        DownloadTooLarge: it has more than `max_bytes`; a kilobyte can unpack to gigabytes.
    """
    with path.open("rb") as file:
        pieces: Iterator[bytes] = iter(lambda: file.read(_PIECE), b"")
        for layer in range(_LAYERS):
            first = next(pieces, b"")
            if layer and not first.startswith(_GZIP):
                break
            pieces = _inflated(_again(first, pieces), _way(first))
        else:
            first = b""
        size = 0
        for piece in _again(first, pieces) if first else pieces:
            if (size := size + len(piece)) > max_bytes:
                raise DownloadTooLarge(f"The unpacked video has more than the limit of {max_bytes} bytes.")
            yield piece


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _way(head: bytes) -> int:
    """zlib's window bits: gzip, zlib, or what many servers send as "deflate", which has neither's header."""
    if head.startswith(_GZIP):
        return 31
    return 15 if len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0 else -15


def _inflated(packed: Iterator[bytes] | list[bytes], way: int) -> Iterator[bytes]:
    """Every member of a gzip file (some programs write several), or one deflate stream."""
    opener, rest = zlib.decompressobj(wbits=way), b""
    is_open, members = False, 0
    try:
        for data in packed:
            rest = rest + data
            while rest:
                is_open = True
                piece = opener.decompress(rest, _PIECE)
                if piece:
                    yield piece
                rest = opener.unconsumed_tail
                if opener.eof:
                    is_open, rest = False, opener.unused_data
                    if (members := members + 1) > _MEMBERS:
                        raise DownloadBroken(f"The compressed video has more than {_MEMBERS} parts.")
                    if not rest.startswith(_GZIP):
                        return
                    opener = zlib.decompressobj(wbits=way)
                elif not piece:
                    break
    except zlib.error as error:
        raise DownloadBroken("The video is declared as compressed, but cannot be unpacked.") from error
    if is_open:
        raise DownloadBroken("The compressed video is cut short.")
