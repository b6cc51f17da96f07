"""Films that are copied: the packets of the clips, byte by byte, at the times of a film without a gap."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from tests.together_video.joining.conftest import MakeClip
from together_video.joining.cuts import Cut, Piece
from together_video.joining.join import join, planned

WITH_B_FRAMES = (("preset", "medium"), ("x264-params", "bframes=3:b-adapt=0:keyint=12:scenecut=0"))


def packets(path: Path, kind: str = "video") -> list[tuple[Fraction, Fraction, bytes]]:
    """Time on the screen, time of decoding and bytes of each packet, in the order of the file."""
    with av.open(str(path)) as opened:
        stream: Any = next(one for one in opened.streams if one.type == kind)
        return [
            (one.pts * stream.time_base, one.dts * stream.time_base, bytes(one))
            for one in opened.demux(stream)
            if one.size
        ]


def lights(path: Path) -> list[int]:
    """The brightness of each frame that is decoded, at a place where no bar is."""
    with av.open(str(path)) as opened:
        return [
            frame.to_image().convert("L").resize((1, 1)).getpixel((0, 0)) for frame in opened.decode(video=0)
        ]


def assert_plays(path: Path) -> None:
    """Players that are strict find nothing wrong."""
    if shutil.which("ffprobe") is None:
        return
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def boxes(path: Path) -> list[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 8])
        at += length
    assert at == len(data)
    return found


@pytest.mark.parametrize("options", [(("preset", "ultrafast"),), WITH_B_FRAMES])
@pytest.mark.parametrize("sound", [False, True])
def test_packets_are_copied(clip: MakeClip, tmp_path: Path, options: Any, sound: bool) -> None:
    """All of them, in their order, each a frame behind the one before, on the screen and in decoding."""
    paths = [clip(base=base, options=options, sound=sound, frames=30) for base in (20, 80, 140)]
    film = join(Cut(pieces=[Piece(path=path) for path in paths]), tmp_path / "film.mp4")
    joined = packets(film.path)
    assert [data for *_, data in joined] == [data for path in paths for *_, data in packets(path)]
    assert sorted(time for time, *_ in joined) == [Fraction(n, 24) for n in range(90)]
    decoded = [time for _, time, _ in joined]
    assert [after - before for before, after in pairwise(decoded)] == [Fraction(1, 24)] * 89
    assert all(shown >= read for shown, read, _ in joined)
    assert lights(film.path) == [light for path in paths for light in lights(path)]
    assert (film.frames, film.seconds, film.codec, film.copied) == (90, 3.75, "h264", (1, 2, 3))
    assert film.sound == ("copied" if sound else "none")
    assert [(one.first_frame, one.start) for one in film.pieces] == [(0, 0.0), (30, 1.25), (60, 2.5)]
    assert (film.size, film.sha256) == (
        film.path.stat().st_size,
        hashlib.sha256(film.path.read_bytes()).hexdigest(),
    )
    assert boxes(film.path) == [b"ftyp", b"moov", b"free", b"mdat"] or boxes(film.path)[:2] == [
        b"ftyp",
        b"moov",
    ]
    assert_plays(film.path)


def test_the_same_cut_gives_the_same_film(clip: MakeClip, tmp_path: Path) -> None:
    """Byte by byte, whatever the time and the name."""
    cut = Cut(
        pieces=[
            Piece(path=clip(sound=True), caption="One"),
            Piece(path=clip(base=90, sound=True, size=(80, 64)), crossfade=0.25),
        ],
        captions="track",
        fade_in=0.2,
    )
    first, second = join(cut, tmp_path / "a.mp4"), join(cut, tmp_path / "b.mp4")
    assert first.sha256 == second.sha256
    assert b"Lavf" not in first.path.read_bytes()


def test_a_frame_that_nothing_needs_is_left_out(clip: MakeClip, tmp_path: Path) -> None:
    """Of the piece before: the next one begins with its keyframe."""
    paths = [clip(frames=20), clip(frames=20, base=100), clip(frames=20, base=160)]
    pieces = [Piece(path=paths[0]), *(Piece(path=path, repeats_first=True) for path in paths[1:])]
    film = join(Cut(pieces=pieces), tmp_path / "film.mp4")
    rows = [packets(path) for path in paths]
    kept = [*rows[0][:-1], *rows[1][:-1], *rows[2]]
    assert [data for *_, data in packets(film.path)] == [data for *_, data in kept]
    assert sorted(time for time, *_ in packets(film.path)) == [Fraction(n, 24) for n in range(58)]
    assert (film.copied, film.frames) == ((1, 2, 3), 58)


def test_only_the_frames_that_need_one_that_is_left_out_are_encoded(clip: MakeClip, tmp_path: Path) -> None:
    """The last frame is needed by those before it where there are B-frames: a few are encoded, the rest is copied."""
    first, second = (clip(frames=29, base=base, options=WITH_B_FRAMES) for base in (20, 100))
    assert packets(first)[-1][0] != max(time for time, *_ in packets(first)), "no B-frame stands last"
    film = join(
        Cut(pieces=[Piece(path=first), Piece(path=second, repeats_first=True)], crf=1), tmp_path / "film.mp4"
    )
    assert 0 < film.pieces[0].encoded <= 4
    assert film.pieces[0].why == ("one of its frames is left out, but others depend on it",)
    assert film.pieces[1].encoded == 0
    expected = [*lights(first)[:-1], *lights(second)]
    found = lights(film.path)
    assert len(found) == len(expected) == 57
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 2
    copied = film.pieces[0].copied
    assert [data for *_, data in packets(film.path)][:copied] == [data for *_, data in packets(first)][
        :copied
    ]
    assert_plays(film.path)


def test_copied_and_encoded_pieces_in_one_track(clip: MakeClip, tmp_path: Path) -> None:
    """Each with parameter sets of its own: every frame is shown, in its place, and copied ones as they were."""
    plain = [clip(frames=30, base=base, options=WITH_B_FRAMES) for base in (20, 140)]
    other = clip(frames=30, base=80, size=(96, 64))
    film = join(Cut(pieces=[Piece(path=one) for one in (plain[0], other, plain[1])]), tmp_path / "film.mp4")
    assert (film.copied, film.encoded) == ((1, 3), (2,))
    assert film.pieces[1].why == ("it has 96×64 pixels, the film has 64×48",)
    found = lights(film.path)
    assert (found[:30], found[60:]) == (lights(plain[0]), lights(plain[1]))
    assert len(found) == 90
    rows = packets(film.path)
    assert [data for *_, data in rows[:30]] == [data for *_, data in packets(plain[0])]
    assert [data for *_, data in rows[60:]] == [data for *_, data in packets(plain[1])]
    assert sorted(time for time, *_ in rows) == [Fraction(n, 24) for n in range(90)]
    assert_plays(film.path)


def test_other_parameters_are_encoded(clip: MakeClip, tmp_path: Path) -> None:
    """Two clips that look alike and are coded with other settings: one of them is copied, and the reason is named."""
    one, two = clip(frames=30), clip(frames=24, options=(("preset", "medium"),))
    plan = planned(Cut(pieces=[Piece(path=one), Piece(path=two)]))
    assert (plan.copied, plan.encoded) == ((1,), (2,))
    assert plan.pieces[1].why == ("its coding parameters differ from those of piece 1",)


def test_clips_of_hevc_are_copied_together(clip: MakeClip, tmp_path: Path) -> None:
    """With the name that Apple's players know; beside others they are encoded."""
    options = (("preset", "ultrafast"), ("x265-params", "log-level=none:bframes=2"))
    paths = [clip(codec="libx265", base=base, options=options) for base in (20, 90)]
    film = join(Cut(pieces=[Piece(path=path) for path in paths]), tmp_path / "film.mp4")
    assert (film.codec, film.copied) == ("hevc", (1, 2))
    assert b"hvc1" in film.path.read_bytes()
    assert lights(film.path) == [light for path in paths for light in lights(path)]
    mixed = planned(Cut(pieces=[Piece(path=path) for path in (*paths, clip())]))
    assert (mixed.codec, mixed.copied) == ("h264", (3,))


@pytest.mark.parametrize(
    "fps", [Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(16)]
)
def test_times_are_exact_at_any_rate(clip: MakeClip, tmp_path: Path, fps: Fraction) -> None:
    """To the tick, over many pieces."""
    path = clip(frames=13, fps=fps)
    film = join(Cut(pieces=[Piece(path=path)] * 20), tmp_path / "film.mp4")
    assert film.fps == fps
    assert [time for time, *_ in packets(film.path)] == [n / fps for n in range(260)]
    assert film.copied == tuple(range(1, 21))
