"""What a Content-Encoding means for a downloaded file: mostly nothing.

A storage keeps the header that a file was uploaded with, such as the `aws-chunked` of S3's upload protocol, and a
proxy may pack what was asked for as it is. So the bytes decide: what begins like a video is one, whatever it is called.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from together_video.errors import DownloadBroken, DownloadTooLarge
from together_video.media.containers import HEAD, container_of

#: Codings that really pack a body (RFC 9110, section 8.4.1, and its registry), and can be undone here.
_GZIP = frozenset({"gzip", "x-gzip", "deflate"})
_OTHERS = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})
#: Bytes that are unpacked at a time.
_PIECE = 1 << 20


def must_be_unpacked(encoding: str, path: Path) -> bool:
    """Whether the bytes in `path` have to be unpacked to be the file that was asked for.

    Args:
        encoding: the header's value.

    Raises:
        DownloadBroken: they have to, and that cannot be done here.
    """
    codings = [
        coding for named in encoding.split(",") if (coding := named.strip().lower()) in _GZIP | _OTHERS
    ]
    if not codings:
        return False
    with path.open("rb") as file:
        if container_of(file.read(HEAD)) is not None:
            return False
    if len(codings) > 1 or codings[0] not in _GZIP:
        raise DownloadBroken(f"The video comes encoded as {encoding[:40]!r}, which was not asked for.")
    return True


def unpacked(path: Path, *, max_bytes: int) -> Iterator[bytes]:
    """The content of a file that was packed once by gzip or deflate, piece by piece.

    Raises:
        DownloadBroken: it is not, or is cut short.
        DownloadTooLarge: it has more than `max_bytes`; a kilobyte can unfold to gigabytes.
    """
    opener, size = zlib.decompressobj(wbits=47), 0
    try:
        with path.open("rb") as file:
            while not opener.eof and (data := opener.unconsumed_tail or file.read(_PIECE)):
                piece = opener.decompress(data, _PIECE)
                if (size := size + len(piece)) > max_bytes:
                    raise DownloadTooLarge(
                        f"The unpacked video has more than the bound of {max_bytes} bytes."
                    )
                yield piece
    except zlib.error as error:
        raise DownloadBroken("The video is said to be packed, and cannot be unpacked.") from error
    if not opener.eof:
        raise DownloadBroken("The packed video is cut short.")
