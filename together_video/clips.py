"""A downloaded file: is it really a video, how long, how large, does it fit, its poster.

Everything here is synchronous and works on a local file with PyAV, which is imported on first
use. Run it in a thread where an event loop must go on.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from together_video.boxes import container_of, missing_part, why_no_video
from together_video.errors import DownloadBroken
from together_video.records import ClipInfo
from together_video.requests import VideoRequest

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

#: Codecs that a WEBM file may hold (WebM container guidelines); AV1 is at home in MP4 as well.
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1"})
#: The latest frame of which a poster is made, in seconds.
_POSTER_SECONDS = 1.0
#: How much of its stated length a whole file may lack: rounding, and the tail of a sound track.
_SHORT_BY_SECONDS, _SHORT_BY_PART = 0.5, 0.1


def inspect_clip(path: Path | str) -> ClipInfo:
    """Open the file, decode its first frame, read all its packets, and say what it is.

    Width and height are in pixels as a player shows them (rotation and pixel shape applied),
    `seconds` is the length of the whole file. No frame but the first is decoded.

    Raises:
        DownloadBroken: it is no video: a web page, JSON, nothing, noise, sound alone, or cut short.
        OSError: the file cannot be read.
    """
    path = Path(path)
    with _opened(path) as (container, stream):
        fps = float(rate) if (rate := stream.average_rate or stream.guessed_rate) else None
        frame, span = _read_through(container, stream, frame_seconds=1 / fps if fps else 0.0)
        width, height = _displayed_size(stream, frame)
        codec = stream.codec_context.codec.canonical_name
        has_audio = bool(container.streams.audio)
        stated = _stated_seconds(container, stream)
    if stated and stated - span > max(_SHORT_BY_SECONDS, stated * _SHORT_BY_PART):
        raise DownloadBroken(
            f"The file is cut short: it states {stated:.1f} seconds and holds {span:.1f}. Download it again."
        )
    return ClipInfo(
        seconds=round(stated or span, 3) or None,
        width=width,
        height=height,
        fps=round(fps, 3) if fps else None,
        codec=codec,
        has_audio=has_audio,
    )


def make_poster(path: Path | str, poster_path: Path | str, *, max_width: int = 640) -> None:
    """Write a JPEG of the frame at a third of the clip, after a second at most, `max_width` pixels wide at most.

    The file appears whole or not at all. Where only earlier frames can be decoded, the last of
    these is taken, so that a clip that `inspect_clip` has passed always gives a poster.

    Raises:
        DownloadBroken: not one frame can be decoded.
        OSError: a file cannot be read or written.
    """
    poster_path = Path(poster_path)
    with _opened(Path(path)) as (container, stream):
        third = (_stated_seconds(container, stream) or 0.0) / 3
        # Most clips have one keyframe, the first, so that all frames on the way must be decoded.
        frame = _frame_at(container, stream, min(third, _POSTER_SECONDS))
        # A stream must not be asked anything once its container is closed: FFmpeg has freed it by then.
        size = _displayed_size(stream, frame) if frame else None
    if frame is None or size is None:
        # Some files cannot be sought in: begin again and take what comes first.
        with _opened(Path(path)) as (container, stream):
            frame = next(_frames(container, stream), None)
            if frame is None:
                raise DownloadBroken("The file is no usable video: it has no frame for a poster.")
            size = _displayed_size(stream, frame)
    width, height = size
    scale = min(1.0, max_width / width)
    upright = frame.rotation % 180 == 0
    scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
    before_turn = scaled if upright else scaled[::-1]
    picture = frame.reformat(width=before_turn[0], height=before_turn[1], format="rgb24")
    image = picture.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
    if frame.rotation:
        image = image.rotate(frame.rotation, expand=True)
    handle, spool = tempfile.mkstemp(dir=poster_path.parent, prefix=f".{poster_path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            image.save(file, "JPEG", quality=80, progressive=True)
        os.replace(spool, poster_path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(spool)
        raise


def compare(clip: ClipInfo, request: VideoRequest) -> tuple[str, ...]:
    """Where the file does not fit the request, a sentence each; empty where all fits.

    Pixels must be equal; a length may be off by 0.6 seconds or a tenth, a frame rate by one.
    A video that was paid for is kept in any case: these are notes, not errors.
    """
    notes = []
    wanted = (request.width or clip.width, request.height or clip.height)
    if wanted != (clip.width, clip.height):
        notes.append(
            f"The video is {clip.width}×{clip.height} pixels; {wanted[0]}×{wanted[1]} were asked for."
        )
    if request.seconds is not None and clip.seconds is not None:
        seconds = float(request.seconds)
        if abs(clip.seconds - seconds) > max(0.6, seconds / 10):
            notes.append(f"The video lasts {clip.seconds:g} s; {seconds:g} s were asked for.")
    if request.fps is not None and clip.fps is not None and abs(clip.fps - request.fps) > 1:
        notes.append(f"The video has {clip.fps:g} frames per second; {request.fps} were asked for.")
    if request.generate_audio and not clip.has_audio:
        notes.append("The video has no sound, although generate_audio was set.")
    if clip.codec is not None:
        if request.output_format == "WEBM" and clip.codec not in _WEBM_CODECS:
            notes.append(f"The video is coded as {clip.codec}, which no WEBM holds; WEBM was asked for.")
        if request.output_format == "MP4" and clip.codec in {"vp8", "vp9"}:
            notes.append(f"The video is coded as {clip.codec}, which is WEBM's; MP4 was asked for.")
    return tuple(notes)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first real video stream. FFmpeg's errors become DownloadBroken."""
    import av
    import av.error
    import av.logging
    from av.stream import Disposition

    with path.open("rb") as file:
        head = file.read(256)
    kind = container_of(head)
    if kind is None:
        raise DownloadBroken(why_no_video(head))
    if missing := missing_part(path, kind):
        raise DownloadBroken(f"The file {missing}. Download it again.")
    av.logging.set_level(None)  # FFmpeg would write to stderr, past every logger
    try:
        # The demuxer is named and only files may be opened: a playlist that poses as a video
        # could otherwise make FFmpeg read other files and addresses.
        with av.open(
            f"file:{path}", format=kind, options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            if not streams:
                held = "sound and no pictures" if container.streams.audio else "no pictures"
                raise DownloadBroken(f"The file is no video: it holds {held}.")
            yield container, streams[0]
    except av.error.FFmpegError as error:
        raise DownloadBroken(f"The file cannot be read as a video: {error.strerror}.") from error


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    return _with_a_size(container.decode(stream))


def _with_a_size(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if frame.width and frame.height)


def _frame_at(container: InputContainer, stream: VideoStream, seconds: float) -> VideoFrame | None:
    """The first frame at `seconds` or later, else the last one before it.

    Frames that no other is made from are passed over: they are most of the work on the way there.
    """
    import av.error

    frame = None
    stream.codec_context.skip_frame = "BIDIR"
    with suppress(av.error.FFmpegError):
        start = stream.start_time or 0
        if seconds and stream.time_base:
            container.seek(start + int(seconds / stream.time_base), stream=stream)
        begin = float(start * stream.time_base) if stream.time_base else 0.0
        for frame in _frames(container, stream):
            if frame.time is None or frame.time - begin >= seconds:
                break
    return frame


def _displayed_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    aspect = stream.sample_aspect_ratio
    width = round(frame.width * aspect) if aspect else frame.width
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    import av

    if container.duration:
        return float(container.duration / av.time_base)
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None


def _read_through(
    container: InputContainer, stream: VideoStream, *, frame_seconds: float
) -> tuple[VideoFrame, float]:
    """The first frame, and the seconds from the first to the last packet of pictures and sound.

    Only the packets up to the first frame are decoded.
    """
    frame = None
    first, last = math.inf, -math.inf
    for packet in container.demux():
        if packet.is_corrupt:
            raise DownloadBroken("The file is cut short: it ends inside a frame. Download it again.")
        if frame is None and packet.stream_index == stream.index:
            frame = next(_with_a_size(stream.decode(packet)), None)
        if packet.pts is None or packet.stream.type not in {"video", "audio"}:
            continue
        begin = float(packet.pts * packet.time_base)
        length = float((packet.duration or 0) * packet.time_base)
        if not length and packet.stream.type == "video":
            length = frame_seconds
        first, last = min(first, begin), max(last, begin + length)
    if frame is None:
        raise DownloadBroken("The file is no usable video: it has no frame.")
    return frame, max(0.0, last - first)
