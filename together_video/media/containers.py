"""Do the sizes that a video file states for its own parts fit the length of the file?

FFmpeg reads a file that was cut short without complaint, as far as it goes. The containers
themselves know better: MP4 is a row of boxes, each with its length in front (ISO/IEC 14496-12,
section 4.2), and WEBM is one EBML segment with its length in front (RFC 8794, section 6).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Literal

from together_video.text import one_line

#: First bytes of every WEBM or Matroska file: the id of the EBML header.
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
#: What an MP4 or QuickTime file may begin with.
_FIRST_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})


def container_of(head: bytes) -> Literal["mov", "matroska"] | None:
    """FFmpeg's name of the container, from the first eight bytes of a file or more."""
    if head.startswith(_EBML):
        return "matroska"
    return "mov" if head[4:8] in _FIRST_BOXES else None


def why_no_video(head: bytes) -> str:
    """What came instead of a video, as a sentence, from the first bytes of the file."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    quoted = f"It begins: {one_line(text.decode('utf-8', 'ignore'))[:90]}"
    if not head:
        return "The file is empty. Download it again."
    if text.startswith(b"<"):
        return f"The file is a web page or an XML answer, not a video. {quoted}"
    if text.startswith((b"{", b"[")):
        return f"The file is a JSON answer, not a video. {quoted}"
    if text and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in text):
        return f"The file is plain text, not a video. {quoted}"
    return "The file is no video: it begins neither like an MP4 nor like a WEBM."


def missing_part(path: Path, container: Literal["mov", "matroska"]) -> str | None:
    """What the file lacks, in words that finish "The file …"; None where its sizes add up.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        return _missing_box(file, size) if container == "mov" else _missing_segment(file, size)


def _missing_box(file: BinaryIO, size: int) -> str | None:
    found = set()
    start = 0
    while start < size:
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            return "is cut short: it ends inside the head of a box"
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1 and len(head) == 16:  # the length stands behind the name, in 64 bits
            length, least = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:  # the last box: it reaches to the end of the file
            length, least = size - start, 8
        else:
            least = 8
        if length < least:
            return f"is broken: a box at byte {start} states a length of {length} bytes"
        if start + length > size:
            missing = start + length - size
            return f"is cut short: {missing} bytes of its {_readable(name)} box are missing"
        found.add(name)
        start += length
    if b"moov" not in found:
        return "is cut short or broken: it has no index (moov box)"
    if not found & {b"mdat", b"moof"}:
        return "is cut short: it has an index and no pictures (mdat box)"
    return None


def _missing_segment(file: BinaryIO, size: int) -> str | None:
    start = 0
    while start < size:
        file.seek(start)
        head = file.read(12)
        width = _leading_zeros(head[4:5]) + 1  # of the length that follows a four-byte id
        if head[:4] not in {_EBML, _SEGMENT} and start == 0:
            return "is broken: it has no EBML head"
        if width > 8 or len(head) < 4 + width:
            return "is cut short: it ends inside its head"
        length = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
        if length == (1 << 7 * width) - 1:  # all ones: unknown, as a live writer leaves it
            return None
        end = start + 4 + width + length
        if end > size:
            return f"is cut short: {end - size} bytes are missing"
        if head[:4] == _SEGMENT:
            return None
        start = end
    return "is cut short: it ends before its first segment"


def _leading_zeros(byte: bytes) -> int:
    return 8 - byte[0].bit_length() if byte else 8


def _readable(name: bytes) -> str:
    return name.decode("ascii", "replace") if name.isalnum() else "next"
