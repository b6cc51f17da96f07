"""Reads a clip where it can do no harm: what it says about itself, and its poster. Runs in the worker process."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import av
import av.error

from together_video.errors import DownloadBroken
from together_video.media import posters
from together_video.media.bounds import FRAMES, MEMORY, PACKETS, PIXELS
from together_video.media.decoder import BeyondBounds, is_out_of_memory, open_media, pictures_of

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

#: How much shorter than stated a complete file may be, because of rounding or the end of a sound track.
_SHORT_BY_SECONDS, _SHORT_BY_PART = 0.5, 0.1
#: Containers that state the sizes of their parts, so a missing part shows.
_STATES_SIZES = frozenset({"mov", "matroska"})
#: If a picture is too large for memory, PyAV raises its own error or Python's, depending on the release.
_NOT_DECODED = (av.error.FFmpegError, MemoryError)
#: From this many pixels, lack of memory may be why no frame is decoded, so the same bytes would fail again.
_LARGE = MEMORY // 16
_NO_FRAME = "There is no poster, because none of the file's frames can be decoded here."


def read_clip(path: str, memory: int, container: str) -> tuple[dict[str, Any], bytes]:
    """Read all packets of the file, and decode a few frames.

    Args:
        memory: bytes that this try may use. If that was not enough, the answer is `short`.

    Returns:
        The fields of `together_video.media.clips.ClipAnswer`, and the poster as JPEG, if there is one.

    Raises:
        DownloadBroken: it is provably cut short.
        BeyondBounds: it exceeds a limit.
        av.error.FFmpegError: it cannot be opened.
    """
    with _opened(path, container) as opened:
        stream = pictures_of(opened)
        if stream is None:
            held = "sound but no pictures" if opened.streams.audio else "no pictures"
            return {"why": f"it has {held}"}, b""
        answer, poster = _described(path, container, opened, stream)
    return {**answer, "short": memory < MEMORY and answer.get("short", False)}, poster


def _described(
    path: str, kind: str, container: InputContainer, stream: VideoStream
) -> tuple[dict[str, Any], bytes]:
    fps = float(rate) if (rate := stream.average_rate or stream.guessed_rate) else None
    width, height = getattr(stream, "width", 0), getattr(stream, "height", 0)
    is_huge = width * height > PIXELS
    frame, span = _read_through(
        container,
        stream,
        frame_seconds=1 / fps if fps else 0.0,
        strict=kind in _STATES_SIZES,
        decodes=not is_huge,
    )
    codec, has_audio = _codec_of(stream), bool(container.streams.audio)
    stated = _stated_seconds(container, stream)
    notes: list[str] = []
    doubt = None
    if stated and stated - span > max(_SHORT_BY_SECONDS, stated * _SHORT_BY_PART):
        doubt = f"The file states {stated:.1f} seconds but has {span:.1f}."
        notes.append(doubt)
    if frame is None and not is_huge:
        frame = _first_shown(path, kind)
    if frame is not None:
        width, height = displayed_size(stream, frame)
    elif not (width and height):
        return {"why": "none of its frames can be decoded here", "short": True}, b""
    answer: dict[str, Any] = {
        "info": {
            "seconds": round(stated or span, 3) or None,
            "width": width,
            "height": height,
            "fps": round(fps, 3) if fps else None,
            "codec": codec,
            "has_audio": has_audio,
        },
        "notes": notes,
        "doubt": doubt,
    }
    if is_huge:
        most = f"at most {PIXELS / 1e6:.0f} megapixels are decoded here"
        notes.append(f"There is no poster: its pictures have {width}×{height} pixels, but {most}.")
        return answer, b""
    if frame is None:
        if width * height > _LARGE:
            words = _NO_FRAME.replace("here.", f"here, within {MEMORY >> 20} MiB of memory.")
            notes.append(words)
            return {**answer, "short": True}, b""
        notes.append(_NO_FRAME)
        return {**answer, "doubt": doubt or _NO_FRAME, "short": True}, b""
    try:
        begin = min(posters.BEGIN, (stated or span) / 2)
        later = _frames(container, stream, begin, begin + posters.LOOK)
        shown = posters.best_of(itertools.chain(later, [frame]))
        return answer, posters.as_jpeg(posters.picture_of(shown, displayed_size(stream, shown)))
    except Exception as error:  # noqa: BLE001 - a paid video gets its record, even without a poster
        notes.append(f"There is no poster: {type(error).__name__}: {error}")
        return {**answer, "short": is_out_of_memory(error)}, b""


@contextmanager
def _opened(path: str, kind: str, **options: str) -> Iterator[InputContainer]:
    with open_media(f"file:{path}", kind, options) as container:
        yield container


def _codec_of(stream: VideoStream) -> str | None:
    try:
        return stream.codec_context.codec.canonical_name
    except (AttributeError, ValueError):
        return None


def _first_shown(path: str, kind: str) -> VideoFrame | None:
    """The first frame that a player shows, decoded from the beginning.

    An edit list can hide frames that later ones depend on, and a group of pictures can be open. In both cases the first
    keyframe alone gives nothing. If no frame is shown at all, the first hidden frame is used.
    """
    for options in ({}, {"ignore_editlist": "1"}) if kind == "mov" else ({},):
        with (
            suppress(*_NOT_DECODED),
            _opened(path, kind, skip_frame="default", **options) as container,
        ):
            stream = pictures_of(container)
            if stream is not None and (frame := next(_with_a_size(container.decode(stream)), None)):
                return frame
    return None


def _with_a_size(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if frame.width and frame.height)


def _frames(container: InputContainer, stream: VideoStream, begin: float, end: float) -> Iterator[VideoFrame]:
    """The frames from `begin` to `end`, in seconds from the first one. If there are none, the last one before.

    Most clips have one keyframe, the first, so all frames on the way must be decoded. Those that no other frame depends
    on are skipped, which saves most of the work. It stops at the first frame that cannot be decoded.
    """
    before, is_there = None, False
    stream.codec_context.skip_frame = "BIDIR"
    with suppress(*_NOT_DECODED):
        start = stream.start_time or 0
        container.seek(start + int(begin / stream.time_base) if stream.time_base else start, stream=stream)
        first = float(start * stream.time_base) if stream.time_base else 0.0
        for number, frame in enumerate(_with_a_size(container.decode(stream)), start=1):
            since = None if frame.time is None else frame.time - first
            if is_there and since is not None and since > end:
                return
            if since is None or since >= begin:
                is_there = True
                yield frame
            else:
                before = frame
            if number == FRAMES:
                break
    if before is not None and not is_there:
        yield before


def displayed_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """Width and height as a player shows them: rotation and pixel shape applied."""
    aspect = stream.sample_aspect_ratio
    width = round(frame.width * aspect) if aspect else frame.width
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if container.duration:
        # Matroska counts from time 0, wherever its first picture is. The others count from the first picture.
        late = max(0, container.start_time or 0) if "matroska" in container.format.name else 0
        return float((container.duration - late) / av.time_base)
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None


def _alone(stream: VideoStream, packet: Packet[Stream]) -> VideoFrame | None:
    """The frame of a first packet alone, at once: a decoder usually holds frames back until it has seen later ones.
    None if the frame is hidden or needs other packets.
    """
    if not packet.is_keyframe or packet.is_discard:
        return None
    frames = [*stream.decode(packet), *stream.decode(None)]
    stream.codec_context.flush_buffers()
    return next(_with_a_size(frames), None)


def _read_through(
    container: InputContainer, stream: VideoStream, *, frame_seconds: float, strict: bool, decodes: bool
) -> tuple[VideoFrame | None, float]:
    """The first frame, if a keyframe alone gives one, and the seconds from the first to the last packet of pictures and
    sound.

    With `strict` an incomplete packet proves that the file is cut short. Otherwise it may be a transmission error.
    """
    frame, is_begun = None, False
    first, last = math.inf, -math.inf
    ticks = {one.index: float(one.time_base) for one in container.streams if one.time_base}
    for number, packet in enumerate(container.demux()):
        if number == PACKETS:
            raise BeyondBounds(f"has more than {PACKETS} packets, the most that are read here")
        if packet.is_corrupt and strict and packet.stream_index == stream.index:
            raise DownloadBroken("The file is cut short: it ends inside a frame. Download it again.")
        if decodes and not is_begun and packet.size and packet.stream_index == stream.index:
            is_begun = True
            # Its decoder may be missing here, but the packets still say how long the file is.
            with suppress(*_NOT_DECODED, AttributeError):
                frame = _alone(stream, packet)
        if packet.pts is None or packet.stream.type not in {"video", "audio"}:
            continue
        tick = ticks.get(packet.stream_index, 0.0)
        begin, length = packet.pts * tick, (packet.duration or 0) * tick
        if not length and packet.stream.type == "video":
            length = frame_seconds
        first, last = min(first, begin), max(last, begin + length)
    return frame, max(0.0, last - first)
