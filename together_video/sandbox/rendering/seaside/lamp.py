"""The lamp of the lighthouse, and its beam."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from together_video.sandbox.rendering.seaside.colours import LAMP_LIGHT
from together_video.sandbox.rendering.seaside.moments import Moment
from together_video.sandbox.rendering.seaside.paint import column, disc, shine

_FLARE, _BRIGHTEST = (255, 246, 214), (255, 252, 236)
#: The beam is soft, so it is drawn this many times smaller.
_COARSE = 4


def beam(frame: Image.Image, now: Moment, lamp: tuple[float, float], turn: float) -> None:
    """Two cones of light that turn with the lamp, seen from the side."""
    small = (max(1, frame.width // _COARSE), max(1, frame.height // _COARSE))
    mask = Image.new("L", small)
    x, y = lamp[0] / _COARSE, lamp[1] / _COARSE
    angle = math.pi * 2 * turn
    for side in (0.0, math.pi):
        across = math.cos(angle + side)
        reach = small[0] * 1.1 * across * (0.35 + 0.65 * min(1.0, now.tower * 2))
        spread = abs(reach) * 0.075 + small[1] * 0.01
        strength = round(190 * abs(across) ** 0.7 * now.lamp * (0.25 + 0.75 * now.hour.stars))
        cone = Image.new("L", small)
        ImageDraw.Draw(cone).polygon(
            [
                (x, y - 0.6),
                (x + reach, y - spread - abs(reach) * 0.03),
                (x + reach, y + spread - abs(reach) * 0.03),
                (x, y + 0.6),
            ],
            fill=strength,
        )
        mask = ImageChops.lighter(mask, cone)
    fall = column(small[0], small[1], x / small[0], 0.30)
    mask = ImageChops.multiply(mask.filter(ImageFilter.GaussianBlur(small[1] / 90)), fall)
    frame.paste(_FLARE, (0, 0), mask.resize(frame.size, Image.Resampling.BILINEAR))


def shine_lamp(
    frame: Image.Image, glow: Image.Image, now: Moment, lamp: tuple[float, float], turn: float
) -> None:
    """The lamp itself, brightest when its beam points here."""
    if now.lamp <= 0.02:
        return
    tall = frame.height
    facing = abs(math.sin(2 * math.pi * turn)) ** 6
    size = tall * (0.10 + 0.42 * now.tower)
    shine(frame, glow, lamp, size * (1.3 + 0.9 * facing), LAMP_LIGHT, now.lamp * (0.75 + 0.25 * facing))
    disc(frame, lamp, max(1.2, tall * 0.016 * now.tower * (1.2 + 0.8 * facing)), _BRIGHTEST, now.lamp)
