"""The still picture of a video: a small JPEG of one of its frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from together_video.media.bounds import POSTER_SIDE

if TYPE_CHECKING:
    from av import VideoFrame
    from PIL.Image import Image

#: The poster is taken from this second on, because before it most clips are only starting. And for how many seconds to
#: search for a frame that shows something.
BEGIN, LOOK = 0.5, 3.0
#: A frame shows something if its darkest and brightest parts differ by this much, of 255. Below that it is the black of
#: a fade, a white flash, or fog.
_CONTRAST = 48
#: Both parts are measured in a picture with sides of this many pixels, so that single specks do not count.
_SIDE = 32


def picture_of(frame: VideoFrame, size: tuple[int, int], *, max_width: int = 640) -> Image:
    """A frame, upright and with square pixels, at most `max_width` pixels wide and `POSTER_SIDE` pixels high.

    Args:
        size: width and height in pixels as a player shows them, rotation and pixel shape applied.
    """
    width, height = size
    scale = min(1.0, max_width / width, POSTER_SIDE / height)
    scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
    before_turn = scaled if frame.rotation % 180 == 0 else scaled[::-1]
    small = frame.reformat(width=before_turn[0], height=before_turn[1], format="rgb24")
    picture: Image = small.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture


def contrast_of(frame: VideoFrame) -> int:
    """The difference in brightness within a frame: 0 if it has one colour, at most 255."""
    from PIL.ImageStat import Stat

    small = frame.reformat(width=_SIDE, height=_SIDE, format="gray", interpolation="AREA")
    ((darkest, brightest),) = Stat(small.to_image().convert("L")).extrema  # type: ignore[no-untyped-call]
    return int(brightest - darkest)


def best_of(frames: Iterator[VideoFrame]) -> VideoFrame:
    """The first frame that shows something. If none does, the first of those that come closest.

    Raises:
        StopIteration: there are no frames.
    """
    best = next(frames)
    most = contrast_of(best)
    for frame in frames:
        if most >= _CONTRAST:
            break
        if (contrast := contrast_of(frame)) > most:
            best, most = frame, contrast
    return best


def as_jpeg(picture: Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()
