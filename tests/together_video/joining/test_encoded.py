"""Films that are encoded: sizes, rates and codecs that differ, crossfades, fades, captions in the pictures."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from tests.together_video.joining.conftest import MakeClip
from tests.together_video.joining.test_copies import assert_plays, lights, packets
from together_video.errors import PieceRefused
from together_video.joining.cuts import Cut, Piece
from together_video.joining.join import join

VP9 = {
    "codec": "libvpx-vp9",
    "options": (("deadline", "realtime"), ("cpu-used", "8")),
    "sound_codec": "libopus",
}


def light_at(path: Path, number: int, box: tuple[int, int, int, int]) -> float:
    """The brightness of a part of a frame."""
    with av.open(str(path)) as opened:
        for place, frame in enumerate(opened.decode(video=0)):
            if place == number:
                part = frame.to_image().convert("L").crop(box)
                return float(part.reduce((part.width, part.height)).getpixel((0, 0)))
    raise AssertionError(f"there is no frame {number}")


def lightest(path: Path, number: int, box: tuple[int, int, int, int]) -> int:
    """The brightest pixel in a part of a frame."""
    with av.open(str(path)) as opened:
        frame = next(one for place, one in enumerate(opened.decode(video=0)) if place == number)
        return int(frame.to_image().convert("L").crop(box).getextrema()[1])


def near(found: list[int], expected: list[int], most: int = 4) -> bool:
    return len(found) == len(expected) and all(
        abs(a - b) <= most for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_webm_is_encoded(clip: MakeClip, tmp_path: Path, codec: str) -> None:
    """Frame by frame, with its sound."""
    path = clip("clip.webm", **{**VP9, "codec": codec}, frames=20, sound=True)
    film = join(Cut(pieces=[Piece(path=path), Piece(path=clip(frames=10))]), tmp_path / "film.mp4")
    assert near(lights(film.path)[:20], lights(path))
    assert (film.frames, film.sound) == (30, "encoded")
    assert film.pieces[0].why == (f"its codec is {'vp8' if codec == 'libvpx' else 'vp9'}",)
    assert_plays(film.path)


def test_a_piece_of_another_shape_is_padded(clip: MakeClip, tmp_path: Path) -> None:
    """In the middle of a black frame, with square pixels."""
    film = join(
        Cut(pieces=[Piece(path=clip(size=(64, 64), base=150, step=0))], width=128, height=64),
        tmp_path / "film.mp4",
    )
    assert light_at(film.path, 20, (0, 0, 30, 64)) < 3
    assert light_at(film.path, 20, (98, 0, 128, 64)) < 3
    assert light_at(film.path, 10, (60, 10, 90, 50)) > 150
    with av.open(str(film.path)) as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height, stream.sample_aspect_ratio or 1) == (128, 64, 1)
        assert (stream.codec_context.profile, stream.codec_context.pix_fmt) == ("High", "yuv420p")


@pytest.mark.parametrize(("fps", "frames"), [(12.0, 12), (48.0, 48), (30.0, 30), (29.97, 30)])
def test_another_rate(clip: MakeClip, tmp_path: Path, fps: float, frames: int) -> None:
    """As long as before: frames are shown twice, or left out."""
    path = clip(frames=24)
    film = join(Cut(pieces=[Piece(path=path)], fps=fps), tmp_path / "film.mp4")
    assert film.frames == frames
    assert film.fps == (Fraction(30000, 1001) if fps == 29.97 else Fraction(int(fps)))
    own = lights(path)
    nearest = [own[min(23, int(Fraction(n) / film.fps * 24 + Fraction(1, 2)))] for n in range(frames)]
    assert near(lights(film.path), nearest, most=7)


def test_a_variable_rate_becomes_constant(clip: MakeClip, tmp_path: Path) -> None:
    """Each frame stands as long as it did."""
    path = clip(frames=6, times=(0, 1, 2, 12, 13, 23), options=(("preset", "ultrafast"),), step=20)
    film = join(Cut(pieces=[Piece(path=path)], fps=24), tmp_path / "film.mp4")
    own = lights(path)
    assert near(lights(film.path)[:23], [own[0], own[1], *[own[2]] * 10, own[3], *[own[4]] * 10])
    assert [time for time, *_ in sorted(packets(film.path))] == [Fraction(n, 24) for n in range(film.frames)]
    assert film.pieces[0].why == ("its frame rate is not constant",)


def test_a_crossfade(clip: MakeClip, tmp_path: Path) -> None:
    """The film is shorter by it; it changes evenly from one to the other; what is far from it is copied."""
    one, two = clip(frames=48, step=0, base=30), clip(frames=48, step=0, base=150)
    film = join(Cut(pieces=[Piece(path=one), Piece(path=two, crossfade=0.5)]), tmp_path / "film.mp4")
    found = lights(film.path)
    assert (film.frames, len(found), film.pieces[1].first_frame, film.pieces[1].crossfade) == (84, 84, 36, 12)
    before, behind = lights(one), lights(two)
    shares = [Fraction(n + 1, 13) for n in range(12)]
    expected = [
        round(low * (1 - share) + high * share)
        for low, high, share in zip(before[36:], behind, shares, strict=False)
    ]
    assert near(found[36:48], expected)
    assert found[:36] == before[:36]
    assert near(found[48:], behind[12:])
    assert film.pieces[0].copied == 36
    assert_plays(film.path)


def test_fades(clip: MakeClip, tmp_path: Path) -> None:
    """From black and to black, and only the frames in them are encoded where the rest can be copied."""
    options = (("preset", "ultrafast"), ("g", "12"))
    pieces = [Piece(path=clip(frames=48, step=0, base=150, options=options)) for _ in range(2)]
    film = join(Cut(pieces=pieces, fade_in=0.5, fade_out=0.5), tmp_path / "film.mp4")
    found = lights(film.path)
    assert found[0] < 5
    assert found[-1] < 5
    assert all(after >= before - 1 for before, after in pairwise(found[:13]))
    assert near(found[12:84], [found[40]] * 72, most=2)
    assert (film.pieces[0].copied, film.pieces[1].copied) == (36, 36)


def test_a_caption_in_the_pictures(clip: MakeClip, tmp_path: Path) -> None:
    """At the bottom of its piece, and of no other, which is copied."""
    plain = clip(frames=24, step=0, base=60, size=(160, 96))
    cut = Cut(pieces=[Piece(path=plain, caption="A <b>kite</b> & 風"), Piece(path=plain)], captions="burned")
    film = join(cut, tmp_path / "film.mp4")
    bottom, top = (40, 76, 130, 96), (40, 0, 130, 60)
    assert lightest(film.path, 10, bottom) > 200
    assert lightest(film.path, 34, bottom) < 100
    assert lightest(film.path, 10, top) < 100
    assert film.copied == (2,)


def test_colours_are_kept(tmp_path: Path, clip: MakeClip) -> None:
    """The film says what its pieces say, and a piece that says otherwise is converted."""
    tags = "colorprim=bt709:transfer=bt709:colormatrix=bt709"
    path = clip(options=(("preset", "ultrafast"), ("x264-params", tags)))
    film = join(
        Cut(pieces=[Piece(path=path), Piece(path=path, crossfade=0.2)], width=96, height=64),
        tmp_path / "f.mp4",
    )
    with av.open(str(film.path)) as opened:
        assert next(opened.decode(video=0)).colorspace == 1
        context = opened.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)


def test_a_clip_that_is_turned(clip: MakeClip, tmp_path: Path) -> None:
    """It is shown as a player shows it, and so is its size."""
    path = clip(size=(64, 32), frames=6, step=0, base=100)
    data = bytearray(path.read_bytes())
    plain = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(
        (n % (1 << 32)).to_bytes(4, "big") for n in (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    )
    at = data.index(plain, data.index(b"tkhd"))
    data[at : at + 36] = turned
    path.write_bytes(data)
    film = join(Cut(pieces=[Piece(path=path)]), tmp_path / "film.mp4")
    assert (film.width, film.height, film.encoded) == (32, 64, (1,))
    # The bar of light that moves from the left is at the top now, as it is turned by 90 degrees clockwise.
    assert light_at(film.path, 0, (0, 0, 32, 4)) > light_at(film.path, 0, (0, 32, 32, 36)) + 50


def test_frames_that_an_edit_list_hides_stay_hidden(clip: MakeClip, tmp_path: Path) -> None:
    """A clip that ends before its last packet ends there in the film, too."""
    path = clip(frames=24, step=5)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst")
    data[at + 12 : at + 16] = (500).to_bytes(4, "big")  # thousandths of a second
    path.write_bytes(data)
    film = join(Cut(pieces=[Piece(path=path), Piece(path=clip(base=150))]), tmp_path / "film.mp4")
    shown = lights(path)
    assert 11 <= len(shown) <= 13
    assert film.pieces[0].why == ("its edit list hides some of its frames",)
    assert film.pieces[0].frames == len(shown)
    assert near(lights(film.path)[: len(shown)], shown)


def test_progress_is_told(clip: MakeClip, tmp_path: Path) -> None:
    """At the end all frames are made."""
    told: list[Any] = []
    cut = Cut(pieces=[Piece(path=clip(frames=10))], width=96, height=64)
    join(cut, tmp_path / "film.mp4", progress=lambda made, frames: told.append((made, frames)))
    assert told[-1] == (10, 10)
    assert all(frames == 10 for _, frames in told)


def test_hdr_is_copied_or_refused(clip: MakeClip, tmp_path: Path) -> None:
    """Encoded in 8 bits its colours would be wrong: the error says what to do instead."""
    tags = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    path = clip(
        codec="libx265", pixels="yuv420p10le", options=(("preset", "ultrafast"), ("x265-params", tags))
    )
    film = join(Cut(pieces=[Piece(path=path)] * 2), tmp_path / "film.mp4")
    assert film.copied == (1, 2)
    for pieces in (
        [Piece(path=clip()), Piece(path=path)],
        [Piece(path=clip()), Piece(path=path, crossfade=0.2)],
    ):
        with pytest.raises(
            PieceRefused, match=r"^Piece 2 \(clip\d+\.mp4\) is HDR, .*Convert it to SDR first"
        ) as caught:
            join(Cut(pieces=pieces), tmp_path / "other.mp4")
        assert caught.value.piece == 2


def test_an_interlaced_clip_shows_one_moment_at_a_time(clip: MakeClip, tmp_path: Path) -> None:
    """Where it is encoded: the bar of light, which moves between the two halves of a frame, is seen once."""
    options = (("preset", "ultrafast"), ("qp", "1"), ("flags", "+ildct+ilme"), ("x264-params", "tff=1"))
    path = tmp_path / "woven.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(24), options=dict(options))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(6):
            frame = av.VideoFrame(64, 64, "yuv420p")
            luma, *colours = frame.planes
            rows = [bytearray([16]) * luma.line_size for _ in range(2)]
            rows[0][8:16], rows[1][40:48] = bytes([235]) * 8, bytes([235]) * 8
            luma.update(b"".join(rows) * 32)
            for plane in colours:
                plane.update(bytes([128]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(str(path)) as opened:
        assert next(opened.decode(video=0)).interlaced_frame
    film = join(Cut(pieces=[Piece(path=path)], width=128, height=64, crf=1), tmp_path / "film.mp4")
    assert light_at(film.path, 2, (42, 8, 46, 56)) > 200
    assert light_at(film.path, 2, (74, 8, 78, 56)) < 20
