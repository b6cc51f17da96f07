"""The still picture of a video: a small JPEG of one of its frames."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from together_video.media.bounds import POSTER_SIDE

if TYPE_CHECKING:
    from av import VideoFrame
    from PIL.Image import Image

#: A picture whose brightness varies by less, of 255, is plain: most often the black of a fade.
_PLAIN = 24


def picture_of(frame: VideoFrame, size: tuple[int, int], *, max_width: int = 640) -> Image:
    """A frame upright and with square pixels, `max_width` pixels wide and `POSTER_SIDE` pixels high at most.

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


def is_plain(picture: Image) -> bool:
    """Whether no more than one colour is to be seen; single specks do not count."""
    from PIL.Image import Resampling
    from PIL.ImageStat import Stat

    ((darkest, brightest),) = Stat(picture.convert("L").resize((32, 32), Resampling.BOX)).extrema
    return brightest - darkest < _PLAIN


def as_jpeg(picture: Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()
