"""Clips: real little files made with PyAV, whole ones and every kind of broken one."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from together_video.errors import DownloadBroken
from together_video.media.clips import ClipInfo, compare, inspect_clip
from together_video.media.containers import missing_part
from together_video.requests import VideoRequest

FPS, SECONDS = 10, 3


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def described(path: Path) -> ClipInfo:
    info = inspect_clip(path).info
    assert info is not None
    return info


def grey_poster(path: Path) -> Image.Image:
    poster = inspect_clip(path).poster
    assert poster is not None
    with Image.open(io.BytesIO(poster)) as image:
        assert image.format == "JPEG"
        return image.convert("L")


def shade(poster: Image.Image) -> float:
    """How bright the lower half is, of 255: it tells which frame a poster shows."""
    return ImageStat.Stat(poster.crop((0, 32, 96, 64))).mean[0]


def silence(samples: int, *, at: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="mono", samples=samples)
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    frame.sample_rate, frame.pts = 48_000, at
    return frame


def write_clip(
    path: Path,
    *,
    codec: str = "libx264",
    frames: int = FPS * SECONDS,
    size: tuple[int, int] = (96, 64),
    sound: str | None = None,
    options: dict[str, str] | None = None,
    pixel_shape: Fraction | None = None,
    dark: int = 0,
    light: bool = False,
    until: bool = False,
    fades: bool = True,
    late: int = 0,
) -> Path:
    """A clip that goes from black to white if it `fades`, so that a poster tells which frame it shows.

    Its upper edge is black, white and noise, but not in the first `dark` frames, which are white if they are `light`;
    `until` turns that around. Its clock begins `late` frames after 0.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=FPS)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        if pixel_shape:
            video.codec_context.sample_aspect_ratio = pixel_shape
        audio = container.add_stream(sound, rate=48_000) if sound else None
        band = (size[0], size[1] // 4)
        speckles = Image.frombytes("L", band, noise(band[0] * band[1]))
        speckles.paste(0, (0, 0, size[0] // 2, band[1]))
        speckles.paste(255, (0, 0, size[0] // 4, band[1]))
        for index in range(frames):
            grey = 255 if light and index < dark else 255 * index // max(1, frames - 1) if fades else 0
            picture = Image.new("L", size, grey)
            if index < dark if until else index >= dark:
                picture.paste(speckles)
            frame = av.VideoFrame.from_image(picture.convert("RGB"))
            frame.pts, frame.time_base = index + late, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio:
            for index in range(frames * 48_000 // FPS // 960):
                beep = silence(960, at=index * 960)
                container.mux(audio.encode(beep))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One whole file of each kind."""
    folder = tmp_path_factory.mktemp("clips")
    return {
        "mp4": write_clip(folder / "index-last.mp4"),
        "faststart": write_clip(folder / "index-first.mp4", options={"movflags": "+faststart"}, sound="aac"),
        "fragmented": write_clip(folder / "fragments.mp4", options={"movflags": "+frag_keyframe+empty_moov"}),
        "webm": write_clip(folder / "vp8.webm", codec="libvpx", sound="libopus"),
        "live": write_clip(folder / "live.webm", codec="libvpx", options={"live": "1"}),
        "single": write_clip(folder / "single.mp4", frames=1),
    }


@pytest.mark.parametrize(
    ("kind", "codec", "has_audio"),
    [
        ("mp4", "h264", False),
        ("faststart", "h264", True),
        ("fragmented", "h264", False),
        ("webm", "vp8", True),
        ("live", "vp8", False),
    ],
)
def test_a_whole_clip_is_described(clips: dict[str, Path], kind: str, codec: str, has_audio: bool) -> None:
    """Length, size, frame rate, codec and sound of every kind of file are read from it."""
    clip = described(clips[kind])
    assert clip.seconds == pytest.approx(SECONDS, abs=0.11)
    assert (clip.width, clip.height, clip.codec, clip.has_audio) == (96, 64, codec, has_audio)
    assert clip.fps == pytest.approx(FPS, abs=0.1)


@pytest.mark.parametrize(("name", "codec"), [("late.webm", "libvpx-vp9"), ("late.mp4", "libx264")])
def test_a_clip_whose_clock_begins_late_is_whole(tmp_path: Path, name: str, codec: str) -> None:
    """Matroska states the length from time 0 on: 6 s for a clip of 3 s that begins at 3 s."""
    found = inspect_clip(write_clip(tmp_path / name, codec=codec, late=FPS * SECONDS))
    assert found.info is not None
    assert found.info.seconds == pytest.approx(SECONDS, abs=0.15)
    cut = tmp_path / f"cut-{name}"
    whole = (tmp_path / name).read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DownloadBroken):
        inspect_clip(cut)


def test_one_frame_is_a_clip_and_has_a_poster(clips: dict[str, Path]) -> None:
    """A clip of a single frame is good, and its poster is that frame."""
    assert described(clips["single"]).seconds == pytest.approx(0.1, abs=0.02)
    assert grey_poster(clips["single"]).size == (96, 64)


def test_the_size_is_the_one_that_is_displayed(tmp_path: Path) -> None:
    """Pixels that are not square count as wide as a player draws them, in the poster too."""
    path = write_clip(tmp_path / "wide-pixels.mp4", pixel_shape=Fraction(2, 1))
    clip = described(path)
    assert (clip.width, clip.height) == grey_poster(path).size == (192, 64)


def _turned(path: Path, to: Path) -> Path:
    """The file with a quarter turn in its track header, as telephones write it."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of fields
    one = 1 << 16
    values = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    to.write_bytes(content)
    return to


def test_a_turned_clip_is_upright(clips: dict[str, Path], tmp_path: Path) -> None:
    """A quarter turn in the file swaps width and height, and turns the poster as a player would."""
    path = _turned(clips["mp4"], tmp_path / "turned.mp4")
    clip = described(path)
    poster = grey_poster(path)
    assert (clip.width, clip.height) == poster.size == (64, 96)
    # The matrix turns clockwise, so the noisy top edge comes to lie on the right.
    left, right = (ImageStat.Stat(poster.crop((x, 0, x + 10, 96))).stddev[0] for x in (0, 54))
    assert right > 3 * left


@pytest.mark.parametrize("kind", ["mp4", "faststart", "fragmented", "webm"])
@pytest.mark.parametrize("part", [0.002, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_clip_that_was_cut_is_refused(
    clips: dict[str, Path], tmp_path: Path, kind: str, part: float
) -> None:
    """However much of a file is missing, down to its last byte, it is not taken for a video."""
    content = clips[kind].read_bytes()
    path = tmp_path / clips[kind].name
    path.write_bytes(content[: min(int(len(content) * part), len(content) - 1)])
    with pytest.raises(DownloadBroken):
        inspect_clip(path)


def test_a_stream_that_ends_early_is_refused_by_its_packets(clips: dict[str, Path], tmp_path: Path) -> None:
    """Where the sizes of the boxes say nothing, the packets are compared with the stated length."""
    content = bytearray(clips["faststart"].read_bytes())
    at = content.index(b"mdat") - 4
    content[at : at + 4] = bytes(4)  # "to the end of the file"
    path = tmp_path / "open-ended.mp4"
    path.write_bytes(content)
    assert described(path).seconds == pytest.approx(SECONDS, abs=0.11)
    path.write_bytes(content[: at + (len(content) - at) // 2])
    with pytest.raises(DownloadBroken, match="cut short"):
        inspect_clip(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "web page or an XML answer, not a video.$"),
        (b"\xef\xbb\xbf\n<html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML answer, not a video.$"),
        (b'{"error": {"message": "not found"}}', "JSON answer, not a video.$"),
        (b"Not found\n", "plain text, not a video.$"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://192.0.2.1/a.ts\n", "plain text"),
        (bytes(4096), "contains only zeros"),
        ("文件不存在或已过期，请稍后再试".encode(), "plain text"),
        ('"链接已过期"'.encode(), "JSON answer"),
        ("Le fichier n’existe plus à cette adresse, désolé.".encode("cp1252"), "plain text"),
        (b"\n" * 3000 + b"<html>", "web page"),
        ("<html><title>Connexion</title>".encode("utf-16"), "web page"),
        ("<html><title>Sign in</title>".encode("utf-16-le"), "web page"),
        (b"\x0c<html>", "web page"),
        (b"\x89PNG\r\n\x1a\n" + noise(400), "a PNG image"),
        (b"%PDF-1.7" + noise(400), "a PDF document"),
        (b"PK\x03\x04" + noise(400), "a ZIP archive"),
        (b"\xff\xd8\xff\xe0" + noise(400), "a JPEG image"),
        (b"\x01", "too few for a video"),
        (b"\x01\x02\x03", "too few for a video"),
        (b"\0\0\0\x10ftypisom\0\0\0\0", "no index"),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x04junk", "states a length of 4 bytes"),
        (b"\x1a\x45\xdf\xa3", "cut short"),
        (b"\x1a\x45\xdf\xa3\x80", "cut short"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else "",
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    """A web page, JSON, text, noise or nothing gets a sentence that says what came instead."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(DownloadBroken, match=words) as caught:
        inspect_clip(path)
    assert "\n" not in str(caught.value)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (noise(4096), "in a format that cannot be opened here"),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x80", "cannot be opened here"),
        (b"GIF89a" + noise(400), "cannot be opened here|no pictures|frames"),
        (b"RIFF\x00\x10\0\0AVI " + noise(400), "cannot be opened here|no pictures"),
    ],
    ids=["noise", "empty segment", "broken gif", "broken avi"],
)
def test_what_cannot_be_opened_is_no_proof(tmp_path: Path, content: bytes, words: str) -> None:
    """It came whole and was paid for: it says nothing about itself, a second download is worth its while, and it
    is no error.
    """
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    found = inspect_clip(path)
    assert (found.info, found.poster) == (None, None)
    assert found.doubt
    (note,) = found.notes
    assert re.search(words, note)
    assert compare(found.info, _request(width=640, height=480)) == ()


def test_sound_alone_is_kept_as_it_is(tmp_path: Path) -> None:
    """An MP4 that holds only sound came whole, and the note says what it is."""
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000)
        for index in range(20):
            container.mux(stream.encode(silence(1024, at=index * 1024)))
        container.mux(stream.encode(None))
    found = inspect_clip(path)
    assert found.info is None
    assert "it has sound but no pictures" in found.notes[0]


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """A missing file is the caller's matter, and not a broken download."""
    with pytest.raises(FileNotFoundError):
        inspect_clip(tmp_path / "none.mp4")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["faststart", "webm"]),
    where=st.lists(st.floats(0, 0.9999), min_size=1, max_size=8),
    value=st.integers(0, 255),
)
def test_damage_never_raises_anything_else(
    clips: dict[str, Path], tmp_path: Path, kind: str, where: list[float], value: int
) -> None:
    """A file with overwritten bytes is a video, or broken, or says why it cannot be opened: no fourth way."""
    content = bytearray(clips[kind].read_bytes())
    for place in where:
        content[int(place * len(content))] = value
    path = tmp_path / "damaged"
    path.write_bytes(content)
    try:
        found = inspect_clip(path)
    except DownloadBroken:
        return
    assert found.notes or (found.info and found.poster)
    assert found.doubt or found.info or "memory" in found.notes[0]


def test_ffmpeg_is_silent(clips: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What FFmpeg has to say about broken files does not reach the terminal."""
    content = bytearray(clips["faststart"].read_bytes())
    start = content.index(b"mdat") + 4
    content[start:] = noise(len(content) - start)
    path = tmp_path / "noise-within.mp4"
    path.write_bytes(content)
    assert inspect_clip(path).doubt
    assert capfd.readouterr() == ("", "")


def shade_at(seconds: float, of: float) -> Any:
    """The shade of a clip of `of` seconds at a second of it."""
    return pytest.approx(255 * seconds * FPS / (of * FPS - 1), abs=12)


@pytest.mark.parametrize("kind", ["mp4", "faststart", "fragmented", "webm", "live"])
def test_a_poster_shows_what_comes_after_half_a_second(clips: dict[str, Path], kind: str) -> None:
    """The poster is a JPEG of the frame at half a second, where that shows something."""
    assert shade(grey_poster(clips[kind])) == shade_at(0.5, SECONDS)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("clip.mp4", {}),
        ("clip.mp4", {"options": {"movflags": "+frag_keyframe+empty_moov"}}),
        ("clip.webm", {"codec": "libvpx", "sound": "libopus"}),
        ("clip.webm", {"codec": "libvpx", "options": {"live": "1"}}),
    ],
)
@pytest.mark.parametrize("light", [False, True])
def test_a_poster_waits_for_a_fade(tmp_path: Path, name: str, more: dict[str, Any], light: bool) -> None:
    """Black, white or plain for the first 1.2 seconds: the poster is of the first frame that shows something."""
    path = write_clip(tmp_path / name, frames=4 * FPS, dark=12, light=light, **more)
    assert shade(grey_poster(path)) == shade_at(1.2, 4)


def test_a_poster_does_not_wait_for_ever(tmp_path: Path) -> None:
    """Where nothing is seen for the next three seconds, the beginning has to do: no clip is decoded to its end."""
    path = write_clip(tmp_path / "late.mp4", frames=8 * FPS, dark=6 * FPS)
    assert shade(grey_poster(path)) < 255 * 3.7 / 8


@pytest.mark.parametrize(("frames", "dark", "at"), [(4, 0, 0.2), (4, 2, 0.2), (4, 3, 0.3), (1, 0, 0)])
def test_a_clip_shorter_than_half_a_second_has_a_poster(
    tmp_path: Path, frames: int, dark: int, at: float
) -> None:
    """The same rule from the middle of the clip on."""
    path = write_clip(tmp_path / "short.mp4", frames=frames, dark=dark)
    expected = 255 * round(at * FPS) // max(1, frames - 1)
    assert shade(grey_poster(path)) == pytest.approx(expected, abs=12)


def test_the_first_frame_is_better_than_nothing(tmp_path: Path) -> None:
    """A title that is gone after a moment, and black behind it."""
    path = write_clip(tmp_path / "title.mp4", frames=FPS, dark=2, until=True, fades=False)
    assert ImageStat.Stat(grey_poster(path)).stddev[0] > 5


def test_a_clip_that_is_dark_to_its_end_has_a_dark_poster(tmp_path: Path) -> None:
    """Nothing to be seen is what there is to be seen."""
    path = write_clip(tmp_path / "dark.mp4", frames=2 * FPS, dark=2 * FPS, fades=False)
    poster = grey_poster(path)
    assert (poster.size, shade(poster)) == ((96, 64), pytest.approx(0, abs=2))


@pytest.mark.skipif(sys.platform != "linux", reason="MALLOC_PERTURB_ is the GNU C library's")
@pytest.mark.parametrize("dark", [0, 3])
def test_nothing_is_read_after_it_was_freed(tmp_path: Path, dark: int) -> None:
    """Memory that is freed is overwritten at once here, so that a late look at it ends the process."""
    path = write_clip(tmp_path / "clip.mp4", dark=dark)
    script = (
        "import sys; from together_video.media.isolation.read_clips import *; "
        "print(len(read_clip(sys.argv[1], 1 << 29, 'mov')[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={**os.environ, "MALLOC_PERTURB_": "165"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, int(done.stdout) > 500) == (0, True)


def test_a_poster_is_640_pixels_wide_at_most(tmp_path: Path) -> None:
    """A wide clip is scaled down with its shape kept."""
    assert grey_poster(write_clip(tmp_path / "wide.mp4", size=(1280, 320), frames=2)).size == (640, 160)


def test_a_poster_that_cannot_be_drawn_is_a_note(
    clips: dict[str, Path], decoder_with: Callable[[str], None]
) -> None:
    """A video is what it is without a picture too, and the note says why there is none."""
    decoder_with("""
from PIL import Image

def refuse(*_, **__):
    raise ValueError("no picture of this")

Image.Image.save = refuse
""")
    found = inspect_clip(clips["mp4"])
    assert found.info is not None
    assert (found.poster, found.info.width) == (None, 96)
    assert found.notes == ("There is no poster: ValueError: no picture of this",)


CLIP = ClipInfo(seconds=6.04, width=1280, height=720, fps=24.0, codec="h264", has_audio=True)


def _request(**fields: object) -> VideoRequest:
    return VideoRequest.model_validate({"model": "a/b", "prompt": "a fox", **fields})


def test_a_clip_that_fits_has_no_notes() -> None:
    """A file that is what was asked for gives no notes, nor does a request that asks for nothing."""
    asked = _request(width=1280, height=720, seconds=6, fps=24, generate_audio=True, output_format="MP4")
    assert compare(CLIP, asked) == ()
    assert compare(CLIP, _request()) == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"width": 1920, "height": 1080}, "1280×720 pixels; 1920×1080"),
        ({"height": 480}, "1280×480"),
        ({"seconds": 5}, "lasts 6.04 s; 5 s"),
        ({"fps": 30}, "24 frames per second; 30"),
        ({"output_format": "WEBM"}, "h264.*WEBM was requested"),
    ],
)
def test_what_does_not_fit_is_noted(fields: dict[str, object], words: str) -> None:
    """Each difference gives one note with the actual and the requested value."""
    (note,) = compare(CLIP, _request(**fields))
    assert re.search(words, note)


def test_a_silent_or_foreign_file_is_noted() -> None:
    """Missing sound and a WEBM codec where MP4 was asked are noted, in this order."""
    silent = CLIP.model_copy(update={"has_audio": False, "codec": "vp9"})
    notes = compare(silent, _request(generate_audio=True, output_format="MP4"))
    assert ["no sound" in notes[0], "vp9" in notes[1], len(notes)] == [True, True, 2]


@pytest.mark.parametrize(("seconds", "fits"), [(5.4, True), (6.6, True), (5.39, False), (6.61, False)])
def test_a_length_may_be_off_by_six_tenths(seconds: float, fits: bool) -> None:
    """Six seconds may be 0.6 seconds longer or shorter, and no more."""
    clip = CLIP.model_copy(update={"seconds": seconds})
    assert (compare(clip, _request(seconds=6)) == ()) is fits


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0\x08free" * 2_000_000, b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 4_000_000],
    ids=["boxes", "elements"],
)
def test_a_file_of_very_many_parts_takes_a_moment(tmp_path: Path, content: bytes) -> None:
    """Its parts are not counted to the end: they could be a billion."""
    (tmp_path / "x").write_bytes(content)
    begin = time.process_time()
    assert missing_part(tmp_path / "x", "mov" if content.startswith(b"\0") else "matroska") is None
    assert time.process_time() - begin < 5
