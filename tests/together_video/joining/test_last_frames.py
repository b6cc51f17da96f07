"""The last frame of a clip, against one that is found by decoding all of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops

from tests.together_video.joining.conftest import MakeClip
from together_video.errors import FilmError, PieceRefused
from together_video.joining.last_frames import last_frame

B_FRAMES = (("preset", "medium"), ("x264-params", "bframes=3:b-adapt=0:keyint=10:scenecut=0"))


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    assert image.format == "PNG"
    return image.convert("RGB")


def by_decoding_all(path: Path) -> Image.Image:
    """The frame with the highest time of all that come."""
    with av.open(str(path)) as clip:
        last = max(clip.decode(video=0), key=lambda frame: frame.pts)
        return last.to_image()


def same(one: Image.Image, other: Image.Image, most: int = 2) -> bool:
    if one.size != other.size:
        return False
    return max(high for _, high in ImageChops.difference(one, other).getextrema()) <= most


@pytest.mark.parametrize("frames", [1, 2, 9, 10, 11, 25, 38, 39, 40])
@pytest.mark.parametrize("options", [(("preset", "ultrafast"),), B_FRAMES])
def test_of_each_length(clip: MakeClip, frames: int, options: Any) -> None:
    """With B-frames and without, at the beginning, the middle and the end of a group of pictures."""
    path = clip(frames=frames, options=options, step=5)
    assert same(opened(last_frame(path)), by_decoding_all(path))


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_of_a_webm(clip: MakeClip, codec: str) -> None:
    path = clip("clip.webm", codec=codec, options=(("deadline", "realtime"), ("cpu-used", "8")), frames=17)
    assert same(opened(last_frame(path)), by_decoding_all(path))


def test_what_an_edit_list_hides_is_not_shown(clip: MakeClip, tmp_path: Path) -> None:
    """The clip ends where its edit list ends, and not with its last packet."""
    path = clip(frames=24, step=6)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst")
    # Version and flags, one entry: its length in thousandths of a second.
    data[at + 12 : at + 16] = (500).to_bytes(4, "big")
    short = tmp_path / "short.mp4"
    short.write_bytes(data)
    with av.open(str(path)) as whole:
        frames = [frame.to_image() for frame in whole.decode(video=0)]
    found = opened(last_frame(short))
    assert not same(found, frames[-1])
    assert any(same(found, frame) for frame in frames[11:14])


def test_it_is_upright(clip: MakeClip) -> None:
    """As a player turns it."""
    path = clip(size=(64, 32), frames=3)
    data = bytearray(path.read_bytes())
    plain = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(
        (n % (1 << 32)).to_bytes(4, "big") for n in (0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    )
    unturned = by_decoding_all(path)
    at = data.index(plain, data.index(b"tkhd"))
    data[at : at + 36] = turned
    path.write_bytes(data)
    assert same(opened(last_frame(path)), unturned.rotate(-90, expand=True))


def test_a_last_frame_that_is_broken(clip: MakeClip, tmp_path: Path) -> None:
    """An earlier one does not stand in for it."""
    path = clip(frames=12)
    with av.open(str(path)) as clip_file:
        last = [packet for packet in clip_file.demux(video=0) if packet.size][-1]
        at, size = last.pos, last.size
    data = bytearray(path.read_bytes())
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(PieceRefused, match="has a last frame that cannot be decoded"):
        last_frame(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"<html>no</html>" * 9, "a web page"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1" + b"\0\0\0\x08moov" * 3, "has no pictures"),
    ],
)
def test_what_is_no_clip(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(FilmError, match=words):
        last_frame(path)
    with pytest.raises(PieceRefused, match="cannot be read: No such file"):
        last_frame(tmp_path / "gone.mp4")
