"""Files that are small on disk and huge in memory or time: each has its bound, and its sentence."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from together_video.errors import DownloadBroken, MediaRefused
from together_video.media import bounds
from together_video.media.clips import inspect_clip
from together_video.media.files import AudioLimits, inspect_bytes, inspect_file
from together_video.media.sources import MediaKind

IMAGE, VIDEO, AUDIO = MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO
LIMITS = AudioLimits(3, 30, 60_000_000)
TINY = Path(__file__).parents[3] / "tasks" / "session" / "tiny.mp4"

#: Opens a file in a process of its own, and prints how many MB it and its worker took.
SCRIPT = """
import resource, sys
from pathlib import Path
from together_video.media.clips import inspect_clip
from together_video.media.files import inspect_file
from together_video.media.isolation import pool
from together_video.media.sources import MediaKind

def peak(whose):
    return resource.getrusage(whose).ru_maxrss >> 10

kind, path = sys.argv[1], Path(sys.argv[2])
before = peak(resource.RUSAGE_SELF)
try:
    if kind == "clip":
        found = inspect_clip(path)
        said = found.info and f"{found.info.width}x{found.info.height} {bool(found.poster)}", found.notes, found.doubt
    else:
        said = inspect_file(path, MediaKind(kind)).content_type
except Exception as error:
    said = f"{type(error).__name__}: {error}"
pool.close()
print(peak(resource.RUSAGE_SELF) - before, peak(resource.RUSAGE_CHILDREN), said, sep="|")
"""


def opened(path: Path, kind: str) -> str:
    """What became of the file, opened within bounds of memory."""
    command = [sys.executable, "-c", SCRIPT, kind, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    own, worker, said = done.stdout.strip().split("|", 2)
    assert int(own) < 150
    assert int(worker) < 700
    return said


def test_a_huge_cover_of_a_song_is_not_decoded(tmp_path: Path, media_folder: Path, bombs: Any) -> None:
    """2 MB of zeros in the place of a cover, which would take 2 GB: the song is what it is."""
    path = tmp_path / "song.mp3"
    path.write_bytes(bombs.with_cover((media_folder / "song.mp3").read_bytes(), bombs.png(16_000, 16_000)))
    assert path.stat().st_size < 3_000_000
    assert opened(path, "audio") == "audio/mpeg"


def test_a_song_with_an_ordinary_cover_is_taken(media_folder: Path, bombs: Any) -> None:
    """As most are sold."""
    song = bombs.with_cover((media_folder / "song.mp3").read_bytes(), bombs.png(300, 300, bits=8))
    assert inspect_bytes(song, "song", AUDIO, LIMITS).seconds == pytest.approx(4, abs=0.2)


def test_a_huge_cover_of_a_clip_is_not_decoded(tmp_path: Path, media_folder: Path, bombs: Any) -> None:
    """The clip has its length, its size and its poster."""
    path = tmp_path / "clip.mp4"
    clip = (media_folder / "clip.mp4").read_bytes()
    path.write_bytes(bombs.clip_with_cover(clip, bombs.png(16_000, 16_000)))
    assert opened(path, "clip") == "('64x48 True', (), None)"
    assert opened(path, "video") == "video/mp4"
    path.write_bytes(bombs.clip_with_cover(clip, bombs.png(300, 300, bits=8)))
    found = inspect_clip(path)
    assert (found.info and found.info.width, found.poster is not None, found.notes) == (64, True, ())


def test_a_clip_of_huge_pictures_has_no_poster(tmp_path: Path, bombs: Any) -> None:
    """It says what it is; nothing of it is decoded, and nothing speaks for a second download."""
    size = (16_384, 8_192)
    path = bombs.film(tmp_path / "clip.mov", bombs.png(*size), size)
    assert opened(path, "clip") == (
        "('16384x8192 False', ('There is no poster: its pictures have 16384×8192 pixels, but at most 67 megapixels "
        "are decoded here.',), None)"
    )


def test_a_clip_that_states_small_pictures_and_holds_huge_ones(tmp_path: Path, bombs: Any) -> None:
    """The decoder itself refuses them."""
    path = bombs.film(tmp_path / "clip.mov", bombs.png(16_384, 8_192), (64, 48))
    assert "There is no poster" in opened(path, "clip")
    assert "MediaRefused" in opened(path, "video")


def test_pictures_that_need_more_memory_than_there_is(tmp_path: Path, bombs: Any) -> None:
    """As many pixels as may be, of eight bytes each: the bound is named, and nothing speaks for a second download."""
    path = bombs.film(tmp_path / "clip.mov", bombs.png(8_192, 8_192), (8_192, 8_192))
    said = opened(path, "clip")
    assert "512 MiB of memory" in said
    assert said.endswith(", None)")


def test_an_8k_clip_has_a_poster(tmp_path: Path, bombs: Any) -> None:
    """The largest that cinemas show, in pixels of four bytes."""
    path = bombs.film(tmp_path / "clip.mov", bombs.png(8_192, 4_320, bits=8), (8_192, 4_320))
    assert opened(path, "clip") == "('8192x4320 True', (), None)"


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_a_clip_of_very_many_streams(tmp_path: Path, form: str) -> None:
    """It is archived as it is, and refused as an input."""
    path = tmp_path / "clip"
    with av.open(str(path), "w", format=form) as out:
        streams = [out.add_stream("mpeg4", rate=10) for _ in range(120)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream in streams:
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = 0, Fraction(1, 10)
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    found = inspect_clip(path)
    assert (found.info, found.doubt) == (None, None)
    assert "it has 120 streams, but at most 32 are opened here. It is archived as it is." in found.notes[0]
    with pytest.raises(MediaRefused, match=r"^has 120 streams"):
        inspect_file(path, VIDEO)


def test_a_song_of_ten_hours_that_states_four_seconds(media_folder: Path) -> None:
    """It is counted as far as a limit needs it, and by what it holds."""
    song = (media_folder / "song.mp3").read_bytes()
    frame = song[song.rindex(b"\xff\xe3") :]
    head = song[: song.index(b"\xff\xe3", 200)]
    long = head + frame * (36_000 * 8_000 // 576)
    began = time.monotonic()
    with pytest.raises(MediaRefused, match="lasts more than 90 s; audio may last at most 30 s"):
        inspect_bytes(long, "song", AUDIO, LIMITS)
    assert time.monotonic() - began < 10
    with pytest.raises(MediaRefused, match="lasts more than 3600 s; audio may last at most 3600 s"):
        inspect_bytes(long, "song", AUDIO)


def test_a_video_that_states_days(tmp_path: Path) -> None:
    """The message says how long it states to be."""
    path = tmp_path / "clip.mkv"
    with av.open(str(TINY)) as given, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x44\x89\x88") + 3
    content[at : at + 8] = struct.pack(">d", 1e9)  # in milliseconds
    with pytest.raises(MediaRefused, match=r"lasts \d+ s; videos may last at most 3600 s"):
        inspect_bytes(bytes(content), "video", VIDEO)


def test_pictures_of_many_pixels(tmp_path: Path, bombs: Any) -> None:
    """What fits is opened outside of this process; what cannot fit is not begun."""
    path = tmp_path / "picture"
    path.write_bytes(bombs.png(9_400, 9_400))
    assert opened(path, "image") == "image/png"
    path.write_bytes(bombs.webp(5_500, 5_500))
    assert opened(path, "image") == "image/webp"
    for content in (
        bombs.png(20_000, 20_000, bits=8),
        bombs.webp(16_383, 16_383),
        bombs.webp(9_000, 9_000),
    ):
        path.write_bytes(content)
        assert opened(path, "image") == "MediaRefused: has more pixels than any model takes"


@pytest.mark.parametrize(
    "name_and_head", [(b"zTXt", b"Title\0\0"), (b"iCCP", b"p\0\0"), (b"iTXt", b"T\0\1\0\0\0")]
)
def test_text_in_a_picture_that_unpacks_to_gigabytes(
    tmp_path: Path, bombs: Any, name_and_head: tuple[bytes, bytes]
) -> None:
    """That is not a reason to take the memory."""
    name, head = name_and_head
    packer = zlib.compressobj(9)
    packed = packer.compress(bytes(200 << 20)) + packer.flush()
    path = tmp_path / "picture.png"
    path.write_bytes(bombs.png(8, 8, before=bombs.chunk(name, head + packed)))
    assert opened(path, "image").startswith(("MediaRefused", "image/png"))


def progressive(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (side, side)).save(out, "JPEG", progressive=True)
    return out.getvalue()


def test_a_jpeg_of_very_many_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds few bytes, and work for hours: its time is over."""
    content = progressive(3_000)
    last = content[content.rindex(b"\xff\xda") : -2]
    monkeypatch.setattr(bounds, "SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(MediaRefused, match=r"^cannot be used: it takes more than \d+ s to open here$"):
        inspect_bytes(content[:-2] + last * (8_000_000 // len(last)) + b"\xff\xd9", "photo", IMAGE)
    assert time.monotonic() - began < 20


def test_a_progressive_jpeg_of_many_pixels() -> None:
    """All of its coefficients would have to be held."""
    content = bytearray(progressive(16))
    at = content.index(b"\xff\xc2") + 5
    content[at : at + 4] = struct.pack(">HH", 9_400, 9_400)
    with pytest.raises(MediaRefused, match="has more pixels than any model takes"):
        inspect_bytes(bytes(content), "photo", IMAGE)


def test_a_cut_jpeg_is_still_found() -> None:
    """Though it is drawn in an eighth of its size."""
    noise = Image.effect_noise((800, 600), 60)
    for options in ({}, {"progressive": True}):
        out = io.BytesIO()
        noise.save(out, "JPEG", **options)
        assert inspect_bytes(out.getvalue(), "photo", IMAGE).content_type == "image/jpeg"
        with pytest.raises(MediaRefused, match="is a broken image"):
            inspect_bytes(out.getvalue()[: len(out.getvalue()) // 2], "photo", IMAGE)


def test_animations_of_very_many_pictures(bombs: Any) -> None:
    """Their pictures are not counted one by one."""
    out = io.BytesIO()
    Image.new("P", (4, 4)).save(out, "GIF")
    gif = out.getvalue()
    at = gif.index(b"\x2c")
    began = time.monotonic()
    with pytest.raises(MediaRefused, match="is a GIF image"):
        inspect_bytes(gif[:at] + gif[at:-1] * 500_000 + b";", "picture", IMAGE)
    assert time.monotonic() - began < 5
    apng = bombs.png(8, 8, before=bombs.chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    with pytest.raises(MediaRefused, match=r"is an animation of \d{10} pictures"):
        inspect_bytes(apng, "picture", IMAGE)


class Samples(dict[MediaKind, list[bytes]]):
    """Small whole files of each kind."""

    def __repr__(self) -> str:
        return "samples"


@pytest.fixture
def samples(media_folder: Path) -> Samples:
    webp = io.BytesIO()
    Image.linear_gradient("L").resize((32, 32)).save(webp, "WEBP")
    read = {path.name: path.read_bytes() for path in media_folder.iterdir()}
    return Samples(
        {
            IMAGE: [read["red.png"], read["blue.jpg"], webp.getvalue(), progressive(32)],
            VIDEO: [TINY.read_bytes(), read["clip.mp4"]],
            AUDIO: [read["song.mp3"], read["voice.wav"]],
        }
    )


@settings(max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([IMAGE, VIDEO, AUDIO]),
    which=st.integers(0, 3),
    edits=st.lists(st.tuples(st.floats(0, 0.9999), st.binary(min_size=1, max_size=4)), max_size=6),
    part=st.floats(0.05, 1),
)
def test_damaged_media_are_taken_or_refused(
    tmp_path: Path,
    samples: Samples,
    kind: MediaKind,
    which: int,
    edits: list[tuple[float, bytes]],
    part: float,
) -> None:
    """Nothing else ever becomes of them, and nothing of them ends this process."""
    content = bytearray(samples[kind][which % len(samples[kind])])
    for place, value in edits:
        at = int(place * len(content))
        content[at : at + len(value)] = value
    data = bytes(content[: max(1, int(part * len(content)))])
    said = ""
    try:
        assert inspect_bytes(data, "file", kind).size == len(data)
    except MediaRefused as error:
        said = error.message
    path = tmp_path / "clip"
    path.write_bytes(data)
    try:
        assert inspect_clip(path)
    except DownloadBroken as error:
        said += error.message
    assert "\n" not in said
