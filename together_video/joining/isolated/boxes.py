"""The few facts about an MP4 file's boxes that its demuxer does not report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_PLAIN = b"".join(number.to_bytes(4, "big") for number in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
#: How many boxes of one kind are read, and how many bytes of a track's header.
_MOST_BOXES, _HEAD = 10_000, 92


def is_turned(path: Path) -> bool:
    """Whether the header of a picture track rotates or mirrors it (`tkhd`, ISO/IEC 14496-12, section 8.3.2)."""
    with path.open("rb") as file:
        for start, end in _boxes(file, b"moov", 0, path.stat().st_size):
            for track, behind in _boxes(file, b"trak", start, end):
                for head, _ in _boxes(file, b"tkhd", track, behind):
                    file.seek(head)
                    content = file.read(_HEAD + 12)
                    at = 52 if content[:1] == b"\1" else 40
                    matrix, size = content[at : at + 36], content[at + 36 : at + 44]
                    if size.strip(b"\0") and len(size) == 8 and matrix != _PLAIN:
                        return True
    return False


def _boxes(file: BinaryIO, name: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the contents of the boxes with this name start and end."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        length, inside = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, inside = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = end - start
        if length < inside:
            return
        if head[4:8] == name:
            yield start + inside, min(end, start + length)
        start += length
