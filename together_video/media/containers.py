"""Which container a file is in, what it is if not a video, and whether parts of it are missing.

FFmpeg reads a truncated file without an error, as far as it goes. Two containers reveal it: MP4 is a series of boxes,
each with its length in front (ISO/IEC 14496-12, section 4.2), and WEBM is one EBML segment with its length in front
(RFC 8794, section 6).
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

#: First bytes of every WEBM or Matroska file: the id of the EBML header.
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
#: The boxes that an MP4 or QuickTime file can start with.
_FIRST_BOXES = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"sidx", b"free", b"skip", b"wide", b"pnot", b"uuid"}
)
#: Boxes with pictures, sound or the index to them. A file with an incomplete last one is cut short. Anything else after
#: them is not part of the video.
_NEEDED_BOXES = frozenset({b"moov", b"mdat", b"moof", b"mfra"})
#: First bytes of files in other containers, and FFmpeg's names for these. Demuxers that open further files or addresses
#: are deliberately not among them.
_OTHERS = (
    (b"FLV\x01", "flv"),
    (b"OggS", "ogg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"\0\0\x01\xba", "mpeg"),
    (b"\x06\x0e\x2b\x34", "mxf"),
    (b"DKIF", "ivf"),
    (b"nut/multimedia container\0", "nut"),
    (b"YUV4MPEG2 ", "yuv4mpegpipe"),
)
#: Bytes of a transport stream's packet. With a timestamp in front it is four bytes longer.
_TS_PACKET = 188
#: How many bytes of a file `container_of` needs.
HEAD = 4096
#: The smallest possible video, in bytes.
_LEAST = 32
#: First bytes of files that are not videos.
_NO_VIDEOS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x7fELF", "a program"),
)
#: The most boxes or elements of a file that are read. A fragmented film of an hour has some ten thousand.
_MOST_PARTS = 200_000
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r")


def container_of(head: bytes) -> str | None:
    """FFmpeg's name for the container, from the first `HEAD` bytes of a file. None if unknown."""
    if head.startswith(_EBML):
        return "matroska"
    if head[4:8] in _FIRST_BOXES:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    for start, size in ((0, _TS_PACKET), (4, _TS_PACKET + 4)):
        marks = head[start::size]
        if len(marks) > 1 and set(marks) == {0x47}:
            return "mpegts"
    return next((name for begins, name in _OTHERS if head.startswith(begins)), None)


def why_no_video(head: bytes) -> str | None:
    """What the file is instead of a video, as a sentence, from its first bytes. None if it may be a video."""
    if container_of(head) is not None:
        return None
    if not head:
        return "The file is empty. Download it again."
    if head.startswith(b"\x89PNG") and b"acTL" not in head:
        return "The file is a PNG image, not a video."
    for begins, named in _NO_VIDEOS:
        if head.startswith(begins):
            return f"The file is {named}, not a video."
    text = _text_of(head)
    if text is None:
        return f"The file has {len(head)} bytes, too few for a video." if len(head) < _LEAST else None
    # Never quote it: a link could lead to something that its author must not read.
    text = text.lstrip("\ufeff").strip()
    if not text:
        return "The file contains only spaces."
    if text.startswith("<"):
        return "The file is a web page or an XML answer, not a video."
    if text.startswith(("{", "[", '"')):
        return "The file is a JSON answer, not a video."
    return "The file is plain text, not a video."


def _text_of(head: bytes) -> str | None:
    """The beginning of a file as text, or None if it is not text. Binary data nearly always has control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) & ~1].decode("utf-16", "replace")
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[offset::2], head[1 - offset :: 2]
        if len(head) > 7 and not zeros.strip(b"\0") and not _CONTROLS & set(others) and max(others) < 128:
            return head[: len(head) & ~1].decode(encoding, "replace")
    if _CONTROLS & set(head):
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # Without control characters it is text in an older encoding. A few bytes could be anything.
        return head.decode("latin-1") if len(head) >= _LEAST else None


def missing_part(path: Path, container: str) -> str | None:
    """What the file lacks, in words that complete "The file …". None if its sizes add up, or it states none.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if container == "mov":
            return _missing_box(file, size)
        return _missing_segment(file, size) if container == "matroska" else None


def _missing_box(file: BinaryIO, size: int) -> str | None:
    found: set[bytes] = set()
    start = 0
    for _ in range(_MOST_PARTS):
        if start >= size:
            break
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            # After the index and the pictures, fewer bytes than a box has: somebody's leftovers.
            if _is_whole(found):
                return None
            return "is cut short: it ends inside the header of a box"
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1 and len(head) == 16:  # the length follows the name, in 64 bits
            length, least = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # the last box extends to the end of the file
            length, least = size - start, 8
        else:
            least = 8
        is_junk = length < least or (start + length > size and name not in _NEEDED_BOXES)
        if is_junk and _is_whole(found):
            return None
        if length < least:
            return f"is broken: a box at byte {start} states a length of {length} bytes"
        if start + length > size:
            missing = start + length - size
            return f"is cut short: {missing} bytes of its {_readable(name)} box are missing"
        found.add(name)
        start += length
    else:
        return None  # nobody writes this many, but nothing proves that something is missing
    if b"moov" not in found:
        return "is cut short or broken: it has no index (moov box)"
    if not found & {b"mdat", b"moof"}:
        return "is cut short: it has an index but no pictures (mdat box)"
    return None


def _is_whole(found: set[bytes]) -> bool:
    """Whether these complete boxes make a video."""
    return b"moov" in found and bool(found & {b"mdat", b"moof"})


def _missing_segment(file: BinaryIO, size: int) -> str | None:
    start = 0
    for _ in range(_MOST_PARTS):
        if start >= size:
            break
        file.seek(start)
        head = file.read(12)
        named = _leading_zeros(head[:1]) + 1  # bytes of the element's id
        width = _leading_zeros(head[named : named + 1]) + 1  # of the length that follows it
        if width > 8 or len(head) < named + width:
            return "is cut short: it ends inside its header"
        length = int.from_bytes(head[named : named + width], "big") & ((1 << 7 * width) - 1)
        if length == (1 << 7 * width) - 1:  # all ones: unknown, as a live writer leaves it
            return None
        end = start + named + width + length
        if end > size:
            return f"is cut short: {end - size} bytes are missing"
        if head[:4] == _SEGMENT:
            return None
        start = end
    else:
        return None
    return "is cut short: it ends before its first segment"


def _leading_zeros(byte: bytes) -> int:
    return 8 - byte[0].bit_length() if byte else 8


def _readable(name: bytes) -> str:
    return name.decode("ascii", "replace") if name.isalnum() else "next"
