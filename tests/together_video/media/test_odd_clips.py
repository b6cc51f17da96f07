"""Whole videos of every container and codec that FFmpeg can write here, and what cutting tools do to them.

Whatever came whole is archived: none of these may raise, and nearly all say what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from together_video.media.clips import Inspection, inspect_clip

#: Three seconds of AV1.
AV1 = Path(__file__).parents[2] / "data" / "av1.mp4"
FPS = 12
SIZE = (96, 64)

#: FFmpeg's encoders, and the containers that take them. What this build of FFmpeg lacks is left out.
ENCODERS = {
    "libx264": ("mp4", "mov", "matroska", "mpegts", "avi", "flv", "3gp", "ismv"),
    "libx265": ("mp4", "mov", "matroska", "mpegts"),
    "libaom-av1": ("mp4", "webm", "ivf"),
    "libvpx-vp9": ("mp4", "webm", "ivf", "matroska"),
    "libvpx": ("webm", "avi", "ivf", "ogg"),
    "mpeg4": ("mp4", "mov", "avi", "matroska", "mpegts", "nut"),
    "mpeg2video": ("mpeg", "mpegts", "vob", "mxf", "matroska"),
    "mpeg1video": ("mpeg", "mpegts", "avi"),
    "h263": ("3gp",),
    "flv": ("flv",),
    "mjpeg": ("mov", "avi", "matroska"),
    "ffv1": ("matroska", "avi", "nut"),
    "prores_ks": ("mov",),
    "wmv2": ("asf",),
    "gif": ("gif",),
    "apng": ("apng", "mov"),
    "png": ("mov", "avi"),
    "qtrle": ("mov",),
    "libtheora": ("ogg",),
    "rawvideo": ("avi", "nut", "matroska", "yuv4mpegpipe"),
    "huffyuv": ("avi",),
}
KINDS = [(encoder, container) for encoder, containers in ENCODERS.items() for container in containers]
PIXELS = {
    "mjpeg": "yuvj420p",
    "prores_ks": "yuv422p10le",
    "gif": "rgb8",
    "huffyuv": "yuv422p",
} | dict.fromkeys(("apng", "png", "qtrle"), "rgb24")


def frames(count: int, size: tuple[int, int] = SIZE) -> Iterator[av.VideoFrame]:
    """A white bar that moves over noise-free grey."""
    for number in range(count):
        picture = Image.new("RGB", size, (60, 60, 60))
        left = number * 3 % max(1, size[0] - 16)
        picture.paste((240, 240, 240), (left, 4, left + 12, size[1] - 4))
        frame = av.VideoFrame.from_image(picture)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame


def write(
    path: Path,
    encoder: str,
    container: str,
    *,
    count: int = 3 * FPS,
    codec_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    sound: str | None = None,
    size: tuple[int, int] = SIZE,
) -> Path:
    """A clip of so many frames. Skips the test where this FFmpeg cannot write it."""
    try:
        with av.open(str(path), "w", format=container, options=options or {}) as out:
            stream = out.add_stream(encoder, rate=FPS, options=codec_options or {})
            assert isinstance(stream.codec_context, VideoCodecContext)
            stream.width, stream.height = size
            stream.pix_fmt = PIXELS.get(encoder, "yuv420p")
            if encoder == "h263":
                stream.width, stream.height = 128, 96
            audio = out.add_stream(sound, rate=48_000) if sound else None
            for frame in frames(count, (stream.width, stream.height)):
                out.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
            out.mux(stream.encode(None))
            if audio is not None:
                for at in range(0, count * 48_000 // FPS, 960):
                    beep = av.AudioFrame(format="fltp", layout="mono", samples=960)
                    beep.planes[0].update(bytes(beep.planes[0].buffer_size))
                    beep.sample_rate, beep.pts = 48_000, at
                    out.mux(audio.encode(beep))
                out.mux(audio.encode(None))
    except (av.error.FFmpegError, ValueError) as error:
        pytest.skip(f"FFmpeg cannot write {encoder} in {container} here: {error}")
    return path


def cut(source: Path, to: Path, container: str, *, skip: float, keep_time: bool = False) -> Path:
    """What cutting without encoding does: begins at the keyframe before `skip`, and hides what is before it.

    The frames before get negative times, which an MP4 keeps as an edit list. With `keep_time` no time is changed: the
    clip's clock begins late.
    """
    with av.open(str(source)) as given, av.open(str(to), "w", format=container) as out:
        streams = {one.index: out.add_stream_from_template(one, opaque=True) for one in given.streams}
        given.seek(int(skip * av.time_base))
        for packet in given.demux():
            if packet.dts is None or packet.time_base is None:
                continue
            if not keep_time:
                shift = int(skip / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts -= shift
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    return to


def about(found: Inspection, seconds: float, *, within: float = 0.35) -> None:
    assert found.info is not None, found.notes
    assert found.info.seconds == pytest.approx(seconds, abs=within)
    assert found.poster is not None, found.notes


@pytest.mark.parametrize(("encoder", "container"), KINDS)
def test_every_video_that_ffmpeg_writes_is_taken(tmp_path: Path, encoder: str, container: str) -> None:
    """Nothing is refused; what says nothing about itself is a container that is not opened here."""
    found = inspect_clip(write(tmp_path / "clip", encoder, container))
    if container == "apng":
        assert found.info is None
        return
    assert found.info is not None, found.notes
    assert found.info.width >= SIZE[0]
    assert found.poster is not None, found.notes
    assert found.info.seconds is None or found.info.seconds == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize(
    ("encoder", "codec_options", "container"),
    [
        ("libx264", {"g": "36", "bf": "0"}, "mp4"),
        ("libx264", {"g": "36", "bf": "3"}, "mp4"),
        ("libx264", {"g": "12", "bf": "2", "x264-params": "open-gop=1"}, "mov"),
        ("libx265", {"x265-params": "keyint=36:bframes=3:log-level=none"}, "mp4"),
        ("libx265", {"x265-params": "keyint=12:open-gop=1:log-level=none"}, "mp4"),
        ("libvpx-vp9", {"g": "36"}, "mp4"),
        ("mpeg4", {"g": "36", "bf": "2"}, "mov"),
    ],
)
@pytest.mark.parametrize("sound", [None, "aac"])
@pytest.mark.parametrize("skip", [0.3, 1.1, 2.5])
def test_a_clip_that_was_cut_without_encoding_is_taken(
    tmp_path: Path,
    encoder: str,
    codec_options: dict[str, str],
    container: str,
    sound: str | None,
    skip: float,
) -> None:
    """An edit list hides its first frames, which the others are made from."""
    whole = write(tmp_path / "whole", encoder, container, codec_options=codec_options, sound=sound)
    about(inspect_clip(cut(whole, tmp_path / "cut", container, skip=skip)), 3 - skip, within=1.1)


@pytest.mark.parametrize("container", ["mp4", "matroska", "webm"])
@pytest.mark.parametrize("skip", [0.0, 0.3, 1.1])
def test_av1_is_taken(tmp_path: Path, container: str, skip: float) -> None:
    """Whole and cut, in each container. It was encoded before: the encoder asks for real-time threads, and two of its
    kind beside each other can keep a small machine to themselves.
    """
    found = inspect_clip(cut(AV1, tmp_path / "clip", container, skip=skip))
    assert found.info is not None, found.notes
    assert (found.info.codec, found.poster is not None) == ("av1", True)


def test_the_poster_of_a_cut_clip_is_of_what_is_shown(tmp_path: Path) -> None:
    """Not of a frame that the edit list hides."""
    whole = write(tmp_path / "whole", "libx264", "mp4", codec_options={"g": "36", "bf": "0"})
    found = inspect_clip(cut(whole, tmp_path / "cut", "mp4", skip=1.0))
    about(found, 2.0)
    later = write(tmp_path / "later", "libx264", "mp4", count=1)
    assert found.poster != inspect_clip(later).poster


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "mpegts", "avi", "webm"])
def test_a_clock_that_begins_late_is_taken(tmp_path: Path, container: str) -> None:
    """Cut as it is: its times begin in the middle."""
    encoder = "libvpx-vp9" if container == "webm" else "libx264"
    whole = write(tmp_path / "whole", encoder, container, codec_options={"g": "6", "bf": "0"})
    found = inspect_clip(cut(whole, tmp_path / "cut", container, skip=1.5, keep_time=True))
    assert found.info is not None, found.notes
    assert found.poster is not None, found.notes


@pytest.mark.parametrize(
    "options",
    [
        {"movflags": "+faststart"},
        {"movflags": "+frag_keyframe+empty_moov+default_base_moof"},
        {"movflags": "+frag_every_frame"},
        {"movflags": "+dash+global_sidx"},
        {"movflags": "+negative_cts_offsets"},
        {"use_editlist": "0"},
        {"brand": "qt  "},
        {"movflags": "+hybrid_fragmented"},
    ],
    ids=lambda options: next(iter(options.values())),
)
def test_every_layout_of_an_mp4_is_taken(tmp_path: Path, options: dict[str, str]) -> None:
    """With B-frames and sound."""
    path = write(tmp_path / "clip", "libx264", "mp4", codec_options={"bf": "3"}, options=options, sound="aac")
    about(inspect_clip(path), 3)


@pytest.mark.parametrize(
    "tail",
    [
        b"\0",
        b"\n",
        bytes(7),
        bytes(40),
        b"\x00\x00\x00\x0cfreeabcd",
        b"\x00\x00\x00\x08skip",
        b"\x00\x00\x10\x00uuid" + bytes(16),
        b"TAG" + b"a title ".ljust(125),
        b"\xff" * 33,
        b"--boundary--\r\n",
    ],
    ids=lambda tail: tail[:8].hex(),
)
@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}], ids=["index last", "index first"])
def test_what_stands_behind_the_last_box_does_no_harm(
    tmp_path: Path, options: dict[str, str], tail: bytes
) -> None:
    """A byte, a box, a tag, the end of a form: the video is whole."""
    path = write(tmp_path / "clip", "libx264", "mp4", options=options)
    path.write_bytes(path.read_bytes() + tail)
    about(inspect_clip(path), 3)


def test_a_single_frame_that_is_shown_for_long_is_taken(tmp_path: Path) -> None:
    """Few frames a second, and the last one stays: the packets end long before the stated end."""
    path = tmp_path / "still.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=1)
        assert isinstance(stream.codec_context, VideoCodecContext)
        stream.width, stream.height = SIZE
        for frame in frames(2):
            frame.pts = frame.pts * 4 * FPS if frame.pts else 0
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    found = inspect_clip(path)
    assert found.info is not None
    assert found.poster is not None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([kind for kind in KINDS if kind[0] in {"libx264", "libvpx-vp9", "mpeg4"}]),
    count=st.integers(1, 40),
    group=st.integers(1, 48),
    reordered=st.integers(0, 4),
    sound=st.booleans(),
    size=st.tuples(st.integers(8, 60), st.integers(8, 60)),
)
def test_no_whole_video_is_refused(
    tmp_path: Path,
    kind: tuple[str, str],
    count: int,
    group: int,
    reordered: int,
    sound: bool,
    size: tuple[int, int],
) -> None:
    """Whatever its length, its groups of pictures, its B-frames and its size."""
    encoder, container = kind
    options = {"g": str(group)} if encoder == "libvpx-vp9" else {"g": str(group), "bf": str(reordered)}
    path = tmp_path / "clip"
    try:
        write(
            path,
            encoder,
            container,
            count=count,
            codec_options=options,
            sound="aac" if sound and container in {"mp4", "mov", "matroska"} else None,
            size=(size[0] * 2, size[1] * 2),
        )
    except pytest.skip.Exception:
        return
    found = inspect_clip(path)
    assert found.info is not None, found.notes
    assert (found.info.width, found.info.height) == (size[0] * 2, size[1] * 2)
    assert found.poster is not None, found.notes
