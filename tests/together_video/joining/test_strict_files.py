"""Each kind of film by the letter of ISO/IEC 14496-12 and -15, as players read it that are strict."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.together_video.joining.conftest import MakeClip
from tests.together_video.joining.test_copies import WITH_B_FRAMES, assert_plays
from tests.together_video.joining.test_sound import wave
from together_video.joining.cuts import Cut, Music, Piece
from together_video.joining.isolated import parameter_sets
from together_video.joining.join import join

Box = tuple[bytes, int, int]
HOLDING = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Name, begin and end of the contents of each box, those in other ones behind them."""
    end = len(data) if end is None else end
    while start < end:
        length, name, inside = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if length == 1:
            length, inside = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        assert length >= inside
        assert start + length <= end
        yield name, start + inside, start + length
        if name in HOLDING:
            yield from boxes(data, start + inside, start + length)
        start += length
    assert start == end


class Track:
    """One `trak` box."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self._data = data
        self.places = {name: (start, until) for name, start, until in boxes(data, begin, end)}

    def __contains__(self, name: bytes) -> bool:
        return name in self.places

    def bytes_of(self, name: bytes) -> bytes:
        start, end = self.places[name]
        return self._data[start:end]

    def numbers(self, name: bytes, at: int, count: int | None = None, size: int = 4) -> list[int]:
        content = self.bytes_of(name)[at:]
        count = len(content) // size if count is None else count
        return [int.from_bytes(content[n * size : (n + 1) * size], "big") for n in range(count)]

    def clock(self, name: bytes) -> tuple[int, int]:
        """Ticks in a second and all ticks, of `mdhd` or `mvhd`."""
        long = self.bytes_of(name)[0] == 1
        (ticks,) = self.numbers(name, 20 if long else 12, 1)
        return ticks, self.numbers(name, 24 if long else 16, 1, 8 if long else 4)[0]

    @property
    def edits(self) -> list[tuple[int, int]]:
        """Length and begin of each; a begin of -1 is a pause."""
        if b"elst" not in self:
            return []
        long = self.bytes_of(b"elst")[0] == 1
        size = 8 if long else 4
        row, at = [], 8
        for _ in range(self.numbers(b"elst", 4, 1)[0]):
            length, begin = self.numbers(b"elst", at, 2, size)
            row.append((length, begin - (1 << 8 * size) if begin >> (8 * size - 1) else begin))
            at += 2 * size + 4
        return row

    @property
    def samples(self) -> int:
        return self.numbers(b"stsz", 8, 1)[0]


CUTS: dict[str, Callable[[MakeClip, Path], dict[str, Any]]] = {
    "copied": lambda clip, _: {"pieces": [Piece(path=clip(sound=True, frames=30))] * 3},
    "copied, with an edit list": lambda clip, _: {
        "pieces": [Piece(path=clip(sound=True, frames=30, options=WITH_B_FRAMES))] * 3
    },
    "mixed": lambda clip, _: {
        "pieces": [
            Piece(path=clip(sound=True, frames=48)),
            Piece(path=clip(sound=True, frames=48), crossfade=0.5),
            Piece(path=clip(size=(96, 64), frames=20)),
        ],
        "preset": "medium",
    },
    "mixed, fast, with B-frames": lambda clip, _: {
        "pieces": [
            Piece(path=clip(frames=48, options=WITH_B_FRAMES)),
            Piece(path=clip(frames=48, options=WITH_B_FRAMES), crossfade=0.5),
        ],
        "preset": "ultrafast",
    },
    "encoded": lambda clip, _: {"pieces": [Piece(path=clip())] * 2, "width": 96, "height": 64},
    "captions": lambda clip, _: {
        "pieces": [Piece(path=clip()), Piece(path=clip(), caption="風 <b>"), Piece(path=clip())],
        "captions": "track",
    },
    "music": lambda clip, folder: {
        "pieces": [Piece(path=clip(sound=True)), Piece(path=clip(frames=17))],
        "music": Music(path=wave(folder / "tune.wav", 0.7, 500)),
    },
    "hevc": lambda clip, _: {
        "pieces": [
            Piece(
                path=clip(
                    codec="libx265",
                    options=(("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=2")),
                )
            )
        ]
        * 2
    },
}


@pytest.mark.parametrize("kind", CUTS)
def test_the_boxes_of_a_film(clip: MakeClip, tmp_path: Path, kind: str) -> None:
    """The index comes first and is true: tables agree with each other, data lies where they say, and the tracks are as
    long as the film, to a frame.
    """
    film = join(Cut(**CUTS[kind](clip, tmp_path)), tmp_path / "film.mp4")
    data = film.path.read_bytes()
    top = [name for name, _, _ in boxes(data) if name in {b"ftyp", b"moov", b"mdat", b"free"}]
    assert top.index(b"moov") < top.index(b"mdat")
    assert top[0] == b"ftyp"
    assert top.count(b"mdat") == 1
    movie = Track(data, *next((a, b) for name, a, b in boxes(data) if name == b"moov"))
    contents = next((a, b) for name, a, b in boxes(data) if name == b"mdat")
    clock, whole = movie.clock(b"mvhd")
    frame = float(1 / film.fps)
    assert whole / clock == pytest.approx(film.seconds, abs=frame)
    tracks = [Track(data, a, b) for name, a, b in boxes(data) if name == b"trak"]
    assert len(tracks) == 1 + (film.sound != "none") + (kind == "captions")
    for track in tracks:
        ticks, length = track.clock(b"mdhd")
        times = track.numbers(b"stts", 8)
        assert sum(count * step for count, step in zip(times[::2], times[1::2], strict=True)) == length
        assert sum(times[::2]) == track.samples
        edits = track.edits
        shown = sum(length for length, _ in edits) / clock if edits else length / ticks
        assert shown == pytest.approx(film.seconds, abs=frame)
        assert all(begin >= 0 for _, begin in edits[1:])
        (of_head,) = track.numbers(
            b"tkhd", 28 if track.bytes_of(b"tkhd")[0] else 20, 1, 8 if track.bytes_of(b"tkhd")[0] else 4
        )
        assert of_head / clock == pytest.approx(shown, abs=1e-3)
        name = b"co64" if b"co64" in track else b"stco"
        offsets = track.numbers(name, 8, size=8 if name == b"co64" else 4)
        assert all(contents[0] <= at < contents[1] for at in offsets)
        assert offsets == sorted(offsets)
    pictures = tracks[0]
    assert pictures.samples == film.frames
    if b"stss" in pictures:
        keys = pictures.numbers(b"stss", 8)
        assert keys[0] == 1
        assert all(before < after for before, after in pairwise(keys))
    width, height = pictures.numbers(b"stsd", 8 + 8 + 24, 2, 2)
    assert (width, height) == (film.width, film.height)
    if shutil.which("ffprobe"):
        assert_plays(film.path)


@pytest.mark.parametrize("kind", [one for one in CUTS if one != "hevc"])
def test_the_parameter_sets_of_a_film(clip: MakeClip, tmp_path: Path, kind: str) -> None:
    """Each has a number of its own, in rising order; profile and level of the head cover all of them; no picture brings
    sets along, as `avc1` forbids.
    """
    film = join(Cut(**CUTS[kind](clip, tmp_path)), tmp_path / "film.mp4")
    data = film.path.read_bytes()
    assert b"avc1" in data
    at = data.index(b"avcC")
    box = data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
    sets = parameter_sets.read(box)
    assert sets is not None
    for row, numbered in ((sets.sequence, sets.numbers), (sets.picture, sets.picture_numbers)):
        assert len(row) == len(numbered)
    assert len(sets.sequence) == 1 + kind.startswith("mixed")
    assert [len(one) for one in (sets.numbers, sets.picture_numbers)] == [len(sets.sequence)] * 2
    assert sets.head[4] == 0xFF
    for one in sets.sequence:
        profile, flags, level = one[1:4]
        assert level <= sets.head[3]
        # A lower profile is covered where its flags say that decoders of the head's profile read it.
        assert profile == sets.profile or (profile == 66 and flags & 0x40)
        assert sets.head[2] & ~flags & 0xFC == 0
    assert bool(sets.rest) == (sets.profile in {100, 110, 122, 244})


def test_merged_sets_stand_in_the_order_of_their_numbers() -> None:
    """Whichever of them was copied."""
    low = parameter_sets.Sets(b"\1\x64\0\x0a\xff", (b"\x67\x64\0\x0a\xac",), (b"\x68\xee",), b"")
    high = parameter_sets.Sets(b"\1\x42\xc0\x1e\xff", (b"\x67\x42\xc0\x1e\x12",), (b"\x68\x1e",), b"")
    for one, other in ((low, high), (high, low)):
        both = parameter_sets.merged(one, other)
        assert both.sequence == (*low.sequence, *high.sequence)
        assert both.picture == (*low.picture, *high.picture)
        assert both.head[2:4] == b"\0\x1e"
        assert both.rest == (b"\xfd\xf8\xf8\0" if both.profile == 100 else b"")
