"""A downloaded file: how long, how large, does it fit the request, its poster; and whether it is a video at all.

Only what is shown to be no whole video is refused. What came whole and cannot be opened here was paid for all the
same, and another player may show it.

Everything here is synchronous and works on a local file with PyAV, which is imported on first
use. Run it in a thread where an event loop must go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from together_video.errors import DownloadBroken
from together_video.media.containers import HEAD, container_of, missing_part, why_no_video
from together_video.media.decoder import open_media
from together_video.media.posters import as_jpeg, is_plain, picture_of
from together_video.requests import VideoRequest
from together_video.text import one_line

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

#: Codecs that a WEBM file may hold (WebM container guidelines); AV1 is at home in MP4 as well.
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1"})
#: The latest frame of which a poster is made, in seconds.
_POSTER_SECONDS = 1.0
#: How much of its stated length a whole file may lack: rounding, and the tail of a sound track.
_SHORT_BY_SECONDS, _SHORT_BY_PART = 0.5, 0.1


#: Containers that know how long their parts are, so that one that is missing shows.
_STATES_SIZES = frozenset({"mov", "matroska"})


class ClipInfo(BaseModel):
    """What the file itself says: seconds, pixels, frames per second, codec, sound."""

    model_config = ConfigDict(frozen=True)

    seconds: float | None = None
    width: int
    height: int
    fps: float | None = None
    codec: str | None = None
    has_audio: bool = False


class Inspection(BaseModel):
    """What a look into a file gives: what it is, its poster as JPEG, and why either is missing if so.

    `info` is None where the file came whole and cannot be opened. `doubt` is a sentence where a download that went
    wrong could look the same, so that the file is worth a second one.
    """

    # As JSON, too: who has Prefect keep the results of tasks has it keep the poster.
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    info: ClipInfo | None = None
    poster: bytes | None = Field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    doubt: str | None = None


def inspect_clip(path: Path | str) -> Inspection:
    """Open the file, read all its packets, say what it is, and draw its poster. Few frames are decoded.

    Width and height are in pixels as a player shows them (rotation and pixel shape applied),
    `seconds` is the length of the whole file. The poster is of the first frame; where that is plain, as
    at the beginning of a fade, of the frame at a third, after a second at most.

    Raises:
        DownloadBroken: it is shown to be no whole video: a web page, JSON, text, nothing, or cut short.
        OSError: the file cannot be read.
    """
    import av.error

    path = Path(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
        is_void = bool(head)
        piece = head
        while piece and is_void:
            is_void = not piece.strip(b"\0")
            piece = file.read(1 << 20)
    if is_void:
        raise DownloadBroken("The file holds nothing but zeros.")
    if why := why_no_video(head):
        raise DownloadBroken(why)
    kind = container_of(head)
    if kind is None:
        return _unknown("it is in no format that can be opened here")
    if missing := missing_part(path, kind):
        raise DownloadBroken(f"The file {missing}. Download it again.")
    try:
        return _described(path, kind)
    except DownloadBroken:
        raise
    except av.error.FFmpegError as error:
        # FFmpeg's errors are system errors, too: this one is not about the file's bytes.
        path.stat()
        return _unknown(f"it cannot be opened here ({error.strerror})")
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RuntimeError) as error:
        return _unknown(f"it cannot be opened here ({type(error).__name__}: {one_line(str(error), 100)})")


def _unknown(why: str) -> Inspection:
    words = f"The file came whole and says nothing about itself: {why}. It is archived as it is."
    return Inspection(notes=(words,), doubt=f"{why[:1].upper()}{why[1:]}.")


def _described(path: Path, kind: str) -> Inspection:
    with _opened(path, kind) as container:
        stream = _pictures(container)
        if stream is None:
            held = "sound and no pictures" if container.streams.audio else "no pictures"
            return _unknown(f"it holds {held}")
        fps = float(rate) if (rate := stream.average_rate or stream.guessed_rate) else None
        frame, span = _read_through(
            container, stream, frame_seconds=1 / fps if fps else 0.0, strict=kind in _STATES_SIZES
        )
        codec, has_audio = _codec_of(stream), bool(container.streams.audio)
        stated = _stated_seconds(container, stream)
        doubt = None
        if stated and stated - span > max(_SHORT_BY_SECONDS, stated * _SHORT_BY_PART):
            doubt = f"The file states {stated:.1f} seconds and holds {span:.1f}."
        if frame is None:
            frame = _first_shown(path, kind)
        if frame is None:
            width, height = getattr(stream, "width", 0), getattr(stream, "height", 0)
            if not (width and height):
                return _unknown("none of its frames can be decoded here")
        else:
            width, height = _displayed_size(stream, frame)
        info = ClipInfo(
            seconds=round(stated or span, 3) or None,
            width=width,
            height=height,
            fps=round(fps, 3) if fps else None,
            codec=codec,
            has_audio=has_audio,
        )
        notes = () if doubt is None else (doubt,)
        if frame is None:
            words = "There is no poster: none of the file's frames can be decoded here."
            return Inspection(info=info, notes=(*notes, words), doubt=doubt or words)
        try:
            picture = picture_of(frame, (width, height))
            if is_plain(picture):
                # Most clips have one keyframe, the first, so that all frames on the way must be decoded.
                later = _frame_at(container, stream, min((stated or span) / 3, _POSTER_SECONDS))
                picture = picture_of(later, _displayed_size(stream, later)) if later else picture
            return Inspection(info=info, poster=as_jpeg(picture), notes=notes, doubt=doubt)
        except Exception as error:  # noqa: BLE001 - a paid video is worth its record without a picture too
            reason = f"There is no poster: {type(error).__name__}: {error}"
            return Inspection(info=info, notes=(*notes, reason), doubt=doubt)


def compare(clip: ClipInfo | None, request: VideoRequest) -> tuple[str, ...]:
    """Where the file does not fit the request, a sentence each; empty where all fits.

    Pixels must be equal; a length may be off by 0.6 seconds or a tenth, a frame rate by one.
    A video that was paid for is kept in any case: these are notes, not errors.
    """
    if clip is None:
        return ()
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
def _opened(path: Path, kind: str, **options: str) -> Iterator[InputContainer]:
    # Only files may be opened, whatever the file refers to. FFmpeg would also decode a frame to open
    # the file, and then the same frame again for those who ask: the first time is left out.
    options = {"protocol_whitelist": "file", "skip_frame": "all", **options}
    with open_media(f"file:{path}", kind, options) as container:
        yield container


def _pictures(container: InputContainer) -> VideoStream | None:
    """The first stream of real video: covers of sound files are none."""
    from av.stream import Disposition

    return next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)


def _codec_of(stream: VideoStream) -> str | None:
    try:
        return stream.codec_context.codec.canonical_name
    except (AttributeError, ValueError):
        return None


def _first_shown(path: Path, kind: str) -> VideoFrame | None:
    """The first frame that a player shows, by decoding from the beginning.

    An edit list hides frames that the ones behind it are made from, and a group of pictures may be open: the first
    keyframe alone gives nothing then. If nothing is shown at all, the first frame that was hidden has to do.
    """
    import av.error

    for options in ({}, {"ignore_editlist": "1"}) if kind == "mov" else ({},):
        with (
            suppress(av.error.FFmpegError),
            _opened(path, kind, skip_frame="default", **options) as container,
        ):
            stream = _pictures(container)
            if stream is not None and (frame := next(_with_a_size(container.decode(stream)), None)):
                return frame
    return None


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
        container.seek(start + int(seconds / stream.time_base) if stream.time_base else start, stream=stream)
        begin = float(start * stream.time_base) if stream.time_base else 0.0
        for frame in _with_a_size(container.decode(stream)):
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
        # Matroska counts from time 0, wherever its first picture is; the others from there.
        late = max(0, container.start_time or 0) if "matroska" in container.format.name else 0
        return float((container.duration - late) / av.time_base)
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None


def _alone(stream: VideoStream, packet: Packet[Stream]) -> VideoFrame | None:
    """What a first packet gives by itself and at once: a decoder holds frames back until it has seen some of those
    behind. None where it is hidden, or needs others.
    """
    if not packet.is_keyframe or packet.is_discard:
        return None
    frames = [*stream.decode(packet), *stream.decode(None)]
    stream.codec_context.flush_buffers()
    return next(_with_a_size(frames), None)


def _read_through(
    container: InputContainer, stream: VideoStream, *, frame_seconds: float, strict: bool
) -> tuple[VideoFrame | None, float]:
    """The first frame, if a keyframe gives one by itself, and the seconds from the first to the last packet of
    pictures and sound.

    With `strict` an incomplete packet shows that the file is cut short. Elsewhere it may be an error of a broadcast.
    """
    import av.error

    frame, is_begun = None, False
    first, last = math.inf, -math.inf
    ticks = {one.index: float(one.time_base) for one in container.streams if one.time_base}
    for packet in container.demux():
        if packet.is_corrupt and strict and packet.stream_index == stream.index:
            raise DownloadBroken("The file is cut short: it ends inside a frame. Download it again.")
        if not is_begun and packet.size and packet.stream_index == stream.index:
            is_begun = True
            # Its decoder may be missing here; the packets still say how long the file is.
            with suppress(av.error.FFmpegError, AttributeError):
                frame = _alone(stream, packet)
        if packet.pts is None or packet.stream.type not in {"video", "audio"}:
            continue
        tick = ticks.get(packet.stream_index, 0.0)
        begin, length = packet.pts * tick, (packet.duration or 0) * tick
        if not length and packet.stream.type == "video":
            length = frame_seconds
        first, last = min(first, begin), max(last, begin + length)
    return frame, max(0.0, last - first)
