"""The last frame of a clip as a player shows it, whole and exact. Runs in the worker process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import av
import av.error

from together_video.media.bounds import PACKETS, PIXELS
from together_video.media.decoder import BeyondBounds, is_out_of_memory, open_media, pictures_of
from together_video.media.isolation.read_clips import displayed_size
from together_video.media.isolation.read_inputs import Refused

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream
    from PIL.Image import Image

#: The most bytes of a picture: as much as the asking process will read.
MOST_BYTES = 60 << 20
#: Numbers of colour matrices (ISO/IEC 23091-2). If a clip names none, players use the first for large pictures and the
#: second for small ones.
_LARGE, _SMALL, _UNKNOWN = 1, 6, 2
#: A side in pixels below which a picture is not made smaller.
_LEAST_SIDE = 64
_LARGE_WIDTH, _LARGE_HEIGHT = 1280, 720


def read_last_frame(
    source: str, memory: int, container: str, most_bytes: int | None = None
) -> tuple[dict[str, Any], bytes]:
    """The frame that is on the screen when the clip ends, upright and with square pixels, as PNG.

    Args:
        most_bytes: a larger PNG becomes the best JPEG that fits.

    Raises:
        Refused: it has none, or the last one cannot be decoded.
    """
    try:
        final = _final_time(source, container)
        # From the last keyframe in the index, and if that is not enough, from the beginning.
        for from_start in (False, True):
            found = _decoded(source, container, final, from_start=from_start)
            if found is not None:
                break
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        raise Refused(f"cannot be read as a video: {error.strerror}") from error
    if found is None:
        raise Refused("has a last frame that cannot be decoded")
    frame, size = found
    picture = _picture_of(frame, size)
    content = _written(picture, "PNG")
    if most_bytes is not None and len(content) > most_bytes:
        picture, content = _fitted(picture, most_bytes)
    if len(content) > MOST_BYTES:
        raise Refused("has frames that are too large")
    return {"width": picture.width, "height": picture.height}, content


def _written(picture: Image, form: str, **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **how)
    return file.getvalue()


def _fitted(picture: Image, most_bytes: int) -> tuple[Image, bytes]:
    """The best JPEG that fits: a smaller picture is better than one with block artefacts."""
    while True:
        for quality in (95, 90, 85, 80, 75, 70, 60, 50):
            content = _written(picture, "JPEG", quality=quality, optimize=True)
            if len(content) <= most_bytes:
                return picture, content
        if min(picture.size) < _LEAST_SIDE:
            raise Refused("has a last frame that cannot be made small enough")
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))


def _final_time(source: str, container: str) -> int:
    """The time of the last visible frame, in ticks of the stream."""
    last: int | None = None
    with open_media(f"file:{source}", container) as opened:
        stream = pictures_of(opened)
        if stream is None:
            raise Refused("has no pictures")
        if stream.width * stream.height > PIXELS:
            raise Refused("has pictures that are too large")
        for number, packet in enumerate(opened.demux(stream)):
            if number == PACKETS:
                raise BeyondBounds(f"has more than {PACKETS} packets, the most that are read here")
            # An edit list hides the others.
            if packet.size and packet.pts is not None and not packet.is_discard:
                last = packet.pts if last is None else max(last, packet.pts)
    if last is None:
        raise Refused("has no frame")
    return last


def _decoded(
    source: str, container: str, final: int, *, from_start: bool
) -> tuple[VideoFrame, tuple[int, int]] | None:
    """The frame at this time, and its size on the screen. None if it is never decoded."""
    with open_media(f"file:{source}", container, {"skip_frame": "default"}) as opened:
        stream: VideoStream | None = pictures_of(opened)
        if stream is None:
            return None
        if not from_start:
            opened.seek(final, stream=stream)
        best: VideoFrame | None = None
        try:
            for frame in opened.decode(stream):
                if not (frame.width and frame.height) or frame.is_corrupt:
                    continue
                if frame.pts is not None and (best is None or frame.pts >= (best.pts or 0)):
                    best = frame
        except av.error.FFmpegError as error:
            if is_out_of_memory(error):
                raise
        if best is None or best.pts is None or best.pts < final:
            return None
        return best, displayed_size(stream, best)


def _picture_of(frame: VideoFrame, size: tuple[int, int]) -> Image:
    """The frame as a player shows it, with colours by the matrix that it names."""
    is_large = frame.width >= _LARGE_WIDTH or frame.height >= _LARGE_HEIGHT
    matrix = frame.colorspace
    if matrix in {_UNKNOWN, 0} and frame.format.name.startswith(("yuv", "nv", "p0")):
        frame.colorspace = _LARGE if is_large else _SMALL
    turned = size[::-1] if frame.rotation % 180 else size
    shown = frame.reformat(width=turned[0], height=turned[1], format="rgb24", interpolation="BICUBIC")
    picture: Image = shown.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
