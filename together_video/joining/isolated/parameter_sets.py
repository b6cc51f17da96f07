"""Parameter sets of H.264 as MP4 files store them (ISO/IEC 14496-15, section 5.3.3): read, merged, and extracted from a
byte stream (ISO/IEC 14496-10, annex B).

A film can have copied and encoded pictures in one track if they name different parameter sets: the encoder numbers its
own from `OWN`, and the header of the track has both.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The number of the encoder's own parameter sets. Encoders start at 0, so copied clips do not use this one.
OWN = 7
_START = b"\0\0\1"
#: Profiles with an `avcC` that ends with the pixel format; and the value for 8-bit 4:2:0, the only one encoded here.
_HIGH, _PLAIN = frozenset({100, 110, 122, 244}), b"\xfd\xf8\xf8\x00"
_IDR, _SEQUENCE, _PICTURE, _DELIMITER = 5, 7, 8, 9
#: The picture types of HEVC that a decoder can start at and that no later picture refers back across (IDR).
_HEVC_IDR = frozenset({19, 20})


@dataclass(frozen=True)
class Sets:
    """The contents of an `avcC` box."""

    head: bytes
    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]
    rest: bytes

    @property
    def profile(self) -> int:
        return self.head[1]

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the sequence parameter sets."""
        return frozenset(map(_number_of, self.sequence))

    @property
    def picture_numbers(self) -> frozenset[int]:
        """The numbers of the picture parameter sets."""
        return frozenset(map(_picture_number_of, self.picture))

    def packed(self) -> bytes:
        def row(sets: tuple[bytes, ...]) -> bytes:
            return b"".join(len(one).to_bytes(2, "big") + one for one in sets)

        counts = bytes([0xE0 | len(self.sequence)]), bytes([len(self.picture)])
        return self.head + counts[0] + row(self.sequence) + counts[1] + row(self.picture) + self.rest


def read(box: bytes) -> Sets | None:
    """The contents of an `avcC` box. None if it is not one, or if its length fields are not four bytes long."""
    try:
        if box[0] != 1 or box[4] & 3 != 3:
            return None
        at, found = 5, []
        for mask in (0x1F, 0xFF):
            count, at, sets = box[at] & mask, at + 1, []
            for _ in range(count):
                length = int.from_bytes(box[at : at + 2], "big")
                sets.append(box[at + 2 : at + 2 + length])
                at += 2 + length
                if not length or at > len(box):
                    return None
            found.append(tuple(sets))
    except IndexError:
        return None
    if not all(found):
        return None
    return Sets(box[:5], found[0], found[1], box[at:])


def from_stream(units: bytes) -> Sets:
    """The sets of an encoder, from the byte stream that it gives."""
    parts = split(units)
    sequence = tuple(one for one in parts if one[0] & 31 == _SEQUENCE)
    picture = tuple(one for one in parts if one[0] & 31 == _PICTURE)
    head = bytes([1]) + sequence[0][1:4] + b"\xff"
    rest = _PLAIN if sequence[0][1] in _HIGH else b""
    return Sets(head, sequence, picture, rest)


def merged(one: Sets, other: Sets) -> Sets:
    """Both, with the higher level and the compatibilities that both have. Sets are in the order of their numbers, as
    ISO/IEC 14496-15, section 5.3.3.1.2 requires.
    """
    head = bytes([1, one.head[1], one.head[2] & other.head[2], max(one.head[3], other.head[3]), 0xFF])
    rest = one.rest or other.rest or (_PLAIN if one.head[1] in _HIGH else b"")
    return Sets(
        head,
        tuple(sorted(one.sequence + other.sequence, key=_number_of)),
        tuple(sorted(one.picture + other.picture, key=_picture_number_of)),
        rest,
    )


def split(units: bytes) -> list[bytes]:
    """The units of a byte stream, without the start codes."""
    found = []
    at = units.find(_START)
    while at >= 0:
        following = units.find(_START, at + 3)
        unit = units[at + 3 : following if following >= 0 else None]
        found.append(unit.rstrip(b"\0") if following >= 0 else unit)
        at = following
    return [unit for unit in found if unit]


def as_sample(units: bytes) -> bytes:
    """A picture of a byte stream as MP4 stores it: each unit after its length, without parameter sets."""
    kept = [unit for unit in split(units) if unit[0] & 31 not in {_SEQUENCE, _PICTURE, _DELIMITER}]
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)


def begins_anew(sample: bytes, codec: str, sets: bytes) -> str | None:
    """Why a decoder cannot start at this picture with the parameter sets of the file's header. None if it can."""
    at, found = 0, False
    while at + 4 < len(sample):
        length = int.from_bytes(sample[at : at + 4], "big")
        unit = sample[at + 4 : at + 4 + length]
        if not unit or len(unit) < length:
            return "its pictures are not stored as in MP4 files"
        kind = unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63
        found = found or (kind == _IDR if codec == "h264" else kind in _HEVC_IDR)
        if kind in ({_SEQUENCE, _PICTURE} if codec == "h264" else {32, 33, 34}) and unit not in sets:
            return "its coding parameters change within the clip"
        at += 4 + length
    return None if found else "one of its keyframes needs earlier pictures"


def _number_of(sequence: bytes) -> int:
    return _golomb(sequence[4:], 0)[0]


def _picture_number_of(picture: bytes) -> int:
    return _golomb(picture[1:], 0)[0]


def _golomb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned Exp-Golomb number (section 9.1) that starts at a bit, and the position after it."""
    bits = "".join(f"{byte:08b}" for byte in data[:16])
    zeros = 0
    while at + zeros < len(bits) and bits[at + zeros] == "0":
        zeros += 1
    end = at + 2 * zeros + 1
    return (int(bits[at:end] or "1", 2) - 1), end
