"""One animation of many videos: a second or two of each, one after the other, as GIF or animated WEBP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

from together_video.media.bounds import STILL_FRAMES

#: How many videos a preview shows, and how many frames in all.
MOST_CLIPS, _MOST_FRAMES = 60, 240
#: Frames per second.
RATE = 8.0
#: A GIF compresses poorly, so it is made smaller to stay small enough to send.
_SMALLER = 0.75
_QUALITY = 60

Form = Literal["GIF", "WEBP"]


def frames_each(clips: int) -> int:
    """How many frames each of this many clips gets: a second and a half, or less if there are many."""
    return max(4, min(STILL_FRAMES, _MOST_FRAMES // max(1, clips)))


def frame_size(form: Form, tile: tuple[int, int]) -> tuple[int, int]:
    """The size of the frames in pixels, from that of a contact sheet's tile."""
    scale = _SMALLER if form == "GIF" else 1
    return round(tile[0] * scale), round(tile[1] * scale)


def write_preview(out: BinaryIO, form: Form, frames: Iterator[bytes], size: tuple[int, int]) -> int:
    """Write the frames, given as RGB bytes, as one looping animation. Frames are taken one at a time.

    Returns:
        How many frames there were. If there were none, nothing is written.

    Raises:
        OSError: it cannot be written.
    """
    from PIL import Image

    count = 0

    def pictures() -> Iterator[Image.Image]:
        nonlocal count
        for pixels in frames:
            count += 1
            yield Image.frombytes("RGB", size, pixels)

    rest = pictures()
    first = next(rest, None)
    if first is None:
        return 0
    more = {"quality": _QUALITY, "method": 2} if form == "WEBP" else {"optimize": False}
    first.save(out, form, save_all=True, append_images=rest, duration=round(1000 / RATE), loop=0, **more)
    return count
