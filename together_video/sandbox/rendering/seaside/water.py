"""The sea: rows of waves behind each other, and the light on them."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops

from together_video.sandbox.rendering.seaside import shapes
from together_video.sandbox.rendering.seaside.colours import MOON_LIGHT, SUN_LIGHT, Hour, between, whole
from together_video.sandbox.rendering.seaside.moments import Moment
from together_video.sandbox.rendering.seaside.paint import column, faded, ramp, slope, twice

#: Each row of waves: its distance below the horizon as a fraction of the water, its height as a fraction of the
#: picture's, its number of crests, and how many crest widths it moves per round.
_WAVES = (
    (0.06, 0.030, 9, 1),
    (0.17, 0.045, 7, -1),
    (0.33, 0.066, 5, 1),
    (0.54, 0.095, 4, -1),
    (0.80, 0.130, 3, 1),
)
ROWS = len(_WAVES)


class Water:
    """The water of a picture of this size, from row `line` down. `light_at`: sun and moon, from the left edge."""

    def __init__(self, size: tuple[int, int], line: int, light_at: float, chance: random.Random) -> None:
        self._size, self._line, self._light_at = size, line, light_at
        wide, tall = size
        self._glints = [shapes.glints((wide, tall - line), chance) for _ in range(2)]
        self._waves = [
            twice(shapes.wave((wide, max(4, round(tall * height * 2))), crests, chance))
            for _, height, crests, _ in _WAVES
        ]

    def fill(self, frame: Image.Image, hour: Hour) -> None:
        """Fill in the background of the waves."""
        wide, tall = self._size
        colours = (hour.water, between(hour.water, hour.deep, 0.7), hour.deep)
        frame.paste(slope(colours, (wide, tall - self._line)), (0, self._line))

    def glitter(self, frame: Image.Image, hour: Hour, turn: float) -> None:
        """Add the light of the sun or the moon on the water."""
        wide, tall = self._size
        water = tall - self._line
        seen = max(ramp(hour.sun, -0.12, 0.05), 0.7 * ramp(hour.stars, 0.5, 1.0))
        if seen < 0.02:
            return
        # Two layers of strokes pass each other. Light shows where both have a stroke.
        left, right = (
            ImageChops.offset(one, round(side * wide * turn / 4) % wide, 0)
            for one, side in zip(self._glints, (1, -1), strict=True)
        )
        shimmer = ImageChops.add(ImageChops.multiply(left, right), faded(left, 0.35))
        pillar = column(wide, water, self._light_at, 0.10)
        light = between(SUN_LIGHT, MOON_LIGHT, hour.stars)
        frame.paste(whole(light), (0, self._line), faded(ImageChops.multiply(shimmer, pillar), seen))

    def wave(self, frame: Image.Image, row: int, now: Moment, turn: float) -> None:
        """Add one row of waves. 0 is the farthest."""
        wide, tall = self._size
        below, height, crests, way = _WAVES[row]
        mask = self._waves[row]
        shift = wide / crests * turn * way
        rise = math.sin(2 * math.pi * (turn * (1 + row % 2) + row / 5)) * tall * height * 0.10 * now.swell
        top = self._line + (tall - self._line) * below - tall * height * 0.5 * now.swell
        size = (wide, max(2, round(tall * height * 2)))
        # Sub-pixel precision: otherwise slow water would jerk.
        offset = top + rise - math.floor(top + rise)
        squeezed = 1 / max(0.3, now.swell)
        placed = mask.transform(
            size,
            Image.Transform.AFFINE,
            (1, 0, shift % wide, 0, squeezed, -offset * squeezed),
            Image.Resampling.BILINEAR,
        )
        full = max(1, round(min(size[1], mask.height / squeezed)) - 2)
        near = (row + 1) / len(_WAVES)
        own = between(now.hour.water, now.hour.deep, 0.25 + 0.75 * near)
        colour = whole(between(own, now.hour.horizon, 0.10 * (1 - near)))
        y = math.floor(top + rise)
        crest = whole(between(colour, now.hour.horizon, 0.2))
        frame.paste(crest, (0, y), placed.crop((0, 0, wide, full)))
        thick = max(1, round(tall * 0.004 + tall * 0.004 * near))
        frame.paste(colour, (0, y + thick), placed.crop((0, 0, wide, full)))
        if y + thick + full < tall:
            frame.paste(colour, (0, y + thick + full, wide, tall))
