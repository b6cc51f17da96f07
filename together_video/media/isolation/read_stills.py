"""Small pictures of posters and clips, as plain pixels, for contact sheets and previews. Runs in the worker process:
its result does not need to be decoded again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import av
import av.error
from PIL import Image, UnidentifiedImageError

from together_video.media import posters
from together_video.media.bounds import FRAMES, PIXELS, STILL_FRAMES, STILL_SIDE
from together_video.media.decoder import is_out_of_memory, open_media, pictures_of
from together_video.media.isolation.read_clips import displayed_size
from together_video.media.isolation.read_inputs import Refused, check_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame

#: Bytes of memory per pixel of a JPEG, even a progressive one.
_PER_PIXEL = 8
#: The colour around a picture that does not fill its frame.
_GROUND = (0, 0, 0)


def read_still(source: str | bytes, memory: int, width: int, height: int) -> tuple[dict[str, Any], bytes]:
    """A poster, fitted into `width` by `height` pixels, as RGB bytes, row by row.

    Raises:
        Refused: it is not a JPEG that can be read here.
    """
    size = _checked(width, height)
    try:
        with Image.open(str(source), formats=["JPEG"]) as image:
            check_pixels(image.size, _PER_PIXEL, memory)
            image.draft("RGB", size)
            return {"frames": 1}, _fitted(image.convert("RGB"), size)
    except UnidentifiedImageError:
        raise Refused("is not a JPEG") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("is too large") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if is_out_of_memory(error):
            raise
        raise Refused(f"is a broken image: {error}") from error


def read_frames(
    source: str | bytes, memory: int, container: str, width: int, height: int, count: int, rate: float
) -> tuple[dict[str, Any], bytes]:
    """Up to `count` frames of a clip, `rate` per second, fitted into `width` by `height` pixels. They start where
    posters start, or at the start of a shorter clip.

    Raises:
        Refused: there are none that can be decoded here.
    """
    size = _checked(width, height)
    count = min(count, STILL_FRAMES)
    pictures: list[bytes] = []
    try:
        with open_media(f"file:{source!s}", container, {"skip_frame": "default"}) as opened:
            stream = pictures_of(opened)
            if stream is None:
                raise Refused("has no pictures")
            if stream.width * stream.height > PIXELS:
                raise Refused("has pictures that are too large")
            stated = (opened.duration or 0) / av.time_base
            begin = posters.BEGIN if stated >= 2 * posters.BEGIN else 0.0
            for frame in _chosen(opened.decode(stream), begin, rate):
                shown = displayed_size(stream, frame)
                pictures.append(_fitted(posters.picture_of(frame, shown, max_width=width), size))
                if len(pictures) == count:
                    break
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        if not pictures:
            raise Refused(f"cannot be read as a video: {error.strerror}") from error
    if not pictures:
        raise Refused("has no frame")
    return {"frames": len(pictures)}, b"".join(pictures)


def _chosen(frames: Iterator[VideoFrame], begin: float, rate: float) -> Iterator[VideoFrame]:
    """One frame for each moment, starting at `begin` seconds after the first frame."""
    first, due = None, begin
    for number, frame in enumerate(frames):
        if number == FRAMES * 2:
            return
        if not (frame.width and frame.height):
            continue
        time = frame.time if frame.time is not None else number / 24
        first = time if first is None else first
        if time - first >= due - 0.001:
            yield frame
            due += 1 / rate


def _checked(width: int, height: int) -> tuple[int, int]:
    if not (0 < width <= STILL_SIDE and 0 < height <= STILL_SIDE):
        raise Refused("was requested in an unsupported size")
    return width, height


def _fitted(picture: Image.Image, size: tuple[int, int]) -> bytes:
    """The pixels of the picture, centred in a frame of exactly `size`."""
    with suppress(ZeroDivisionError):
        scale = min(size[0] / picture.width, size[1] / picture.height)
        inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(inner, Image.Resampling.BILINEAR)
    ground = Image.new("RGB", size, _GROUND)
    ground.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return ground.tobytes()
