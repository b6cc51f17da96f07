"""Brush strokes: gradients, lights, masks."""

from __future__ import annotations

import functools
import math

from PIL import Image, ImageDraw

from together_video.sandbox.rendering.seaside.colours import Colour, between, whole

#: How many colours of a gradient are calculated.
_STEPS = 48


def twice(mask: Image.Image) -> Image.Image:
    """The mask twice, side by side, so that a part of its width can start anywhere."""
    doubled = Image.new("L", (mask.width * 2, mask.height))
    for place in (0, mask.width):
        doubled.paste(mask, (place, 0))
    return doubled


def slope(colours: tuple[Colour, Colour, Colour], size: tuple[int, int]) -> Image.Image:
    """A gradient from the first colour at the top to the last one at the bottom."""
    rows = bytearray()
    for step in range(_STEPS):
        place = 2 * step / (_STEPS - 1)
        one, other = (colours[0], colours[1]) if place < 1 else (colours[1], colours[2])
        rows += bytes(whole(between(one, other, place % 1 if place < 2 else 1.0)))
    strip = Image.frombytes("RGB", (1, _STEPS), bytes(rows)).resize((1, size[1]), Image.Resampling.BILINEAR)
    return strip.resize(size, Image.Resampling.NEAREST)


@functools.lru_cache(maxsize=8)
def column(wide: int, tall: int, middle: float, spread: float) -> Image.Image:
    """A mask that is full in one column and fades to both sides."""
    row = bytes(round(255 * math.exp(-(((x / wide - middle) / spread) ** 2))) for x in range(wide))
    return Image.frombytes("L", (wide, 1), row).resize((wide, tall), Image.Resampling.NEAREST)


def faded(mask: Image.Image, strength: float) -> Image.Image:
    return mask.point([round(value * min(1.0, max(0.0, strength))) for value in range(256)])


def ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def disc(
    frame: Image.Image, at: tuple[float, float], radius: float, colour: tuple[int, int, int], seen: float
) -> None:
    side = math.ceil(radius * 2) + 4
    x, y = math.floor(at[0] - side / 2), math.floor(at[1] - side / 2)
    mask = Image.new("L", (side * 4, side * 4))
    cx, cy = (at[0] - x) * 4, (at[1] - y) * 4
    ImageDraw.Draw(mask).ellipse(
        [cx - radius * 4, cy - radius * 4, cx + radius * 4, cy + radius * 4], fill=round(255 * seen)
    )
    frame.paste(colour, (x, y), mask.reduce(4))


def shine(
    frame: Image.Image,
    glow: Image.Image,
    place: tuple[float, float],
    size: float,
    colour: Colour,
    strength: float,
) -> None:
    """A soft round light, `size` pixels wide."""
    if strength <= 0.01:
        return
    pixels = max(4, round(size))
    mask = faded(glow.resize((pixels, pixels), Image.Resampling.BILINEAR), strength)
    frame.paste(whole(colour), (round(place[0] - pixels / 2), round(place[1] - pixels / 2)), mask)
