"""Pictures as planes of the video format: Y, Cb, Cr in video range (ITU-R BT.601)."""

from __future__ import annotations

import functools

from PIL import Image

from together_video.sandbox.rendering.clip import Still

Colour = tuple[int, int, int]
#: Y, Cb, Cr as grey images. The latter two often have half the width and height.
Planes = tuple[Image.Image, Image.Image, Image.Image]

#: From full range, as in Pillow, to video range.
_TO_LUMA = [16 + round(219 * value / 255) for value in range(256)]
_TO_CHROMA = [128 + round(224 * (value - 128) / 255) for value in range(256)]


def planes_of(image: Image.Image, step: int) -> Planes:
    """An RGB image as planes. `step` is 2 if the colour planes have half the width and height, otherwise 1."""
    luma, blue, red = image.convert("YCbCr").split()
    return luma.point(_TO_LUMA), blue.point(_TO_CHROMA).reduce(step), red.point(_TO_CHROMA).reduce(step)


def rgb_of(planes: Planes) -> Image.Image:
    """The planes as an RGB image, for people to look at."""
    luma, *chroma = planes
    back = [min(255, max(0, round((value - 16) * 255 / 219))) for value in range(256)]
    wide = [min(255, max(0, round((value - 128) * 255 / 224 + 128))) for value in range(256)]
    full = [luma.point(back), *(plane.resize(luma.size).point(wide) for plane in chroma)]
    return Image.merge("YCbCr", full).convert("RGB")


def blend(under: Planes, over: Planes, strength: float) -> Planes:
    luma, blue, red = (Image.blend(one, other, strength) for one, other in zip(under, over, strict=True))
    return luma, blue, red


def image_of(still: Still) -> Image.Image:
    return Image.frombytes("RGB", (still.width, still.height), still.pixels)


@functools.cache
def video_colour(colour: Colour) -> Colour:
    """An RGB colour as Y, Cb, Cr in video range."""
    luma, blue, red = Image.new("RGB", (1, 1), colour).convert("YCbCr").tobytes()
    return _TO_LUMA[luma], _TO_CHROMA[blue], _TO_CHROMA[red]
