"""Shapes, drawn once and larger than shown, for smooth edges."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

#: How many times larger they are drawn.
_FINE = 3
GLASS = (255, 214, 120)
_WHITE, _RED, _STONE, _ROOF = (246, 240, 228), (196, 62, 54), (92, 84, 92), (70, 44, 48)
_HULL, _RAIL, _SAIL, _SAIL_SHADE, _MAST = (
    (96, 58, 42),
    (214, 170, 104),
    (248, 240, 222),
    (222, 206, 184),
    (74, 50, 38),
)


@dataclass(frozen=True)
class Shape:
    """A picture, the mask of its visible parts, and the mask of its windows. `light` is the position of its lamp, as
    fractions of its size.
    """

    colours: Image.Image
    mask: Image.Image
    windows: Image.Image
    light: tuple[float, float]


def lighthouse(height: int) -> Shape:
    """A striped tower on a cliff that leaves the picture on the right."""
    tall = height * _FINE
    wide = round(tall * 1.15)
    image = Image.new("RGBA", (wide, tall))
    draw = ImageDraw.Draw(image)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * wide, y * tall

    cliff = [(0.04, 1), (0.09, 0.93), (0.16, 0.90), (0.20, 0.81), (0.30, 0.77), (0.37, 0.70), (0.56, 0.68)]
    cliff += [(0.66, 0.72), (0.76, 0.73), (0.86, 0.81), (0.95, 0.86), (1, 0.96), (1, 1)]
    draw.polygon([at(*point) for point in cliff], fill=_STONE)
    shade = [(0.04, 1), (0.16, 0.94), (0.24, 0.87), (0.33, 0.84), (0.40, 0.78), (0.55, 0.80), (0.74, 0.86)]
    draw.polygon([at(*point) for point in [*shade, (0.9, 1)]], fill=(70, 62, 74))
    draw.polygon(
        [at(0.31, 0.77), at(0.37, 0.70), at(0.56, 0.68), at(0.70, 0.725), at(0.5, 0.72)], fill=(98, 112, 78)
    )
    # The keeper's house.
    draw.polygon([at(0.55, 0.70), at(0.55, 0.61), at(0.70, 0.61), at(0.70, 0.735)], fill=(226, 216, 204))
    draw.polygon([at(0.535, 0.615), at(0.575, 0.555), at(0.68, 0.555), at(0.715, 0.615)], fill=_ROOF)
    windows = [
        (*at(0.60, 0.64), *at(0.635, 0.675)),
        (*at(0.449, 0.40), *at(0.465, 0.435)),
        (*at(0.447, 0.56), *at(0.465, 0.6)),
    ]

    middle, low, high, foot, neck = 0.455, 0.70, 0.20, 0.075, 0.048
    for band in range(6):
        upper, lower = (high + (low - high) * part / 6 for part in (band, band + 1))
        ends = [neck + (foot - neck) * (y - high) / (low - high) for y in (upper, lower)]
        corners = [(middle - ends[0], upper), (middle + ends[0], upper), (middle + ends[1], lower)]
        corners.append((middle - ends[1], lower))
        draw.polygon([at(*corner) for corner in corners], fill=_RED if band % 2 else _WHITE)
    draw.rectangle([*at(middle - 0.062, 0.185), *at(middle + 0.062, 0.205)], fill=(60, 52, 60))
    draw.rectangle([*at(middle - 0.036, 0.105), *at(middle + 0.036, 0.185)], fill=(150, 170, 190))
    for x in (-0.036, -0.012, 0.012, 0.036):
        draw.line(
            [at(middle + x, 0.105), at(middle + x, 0.185)], fill=(60, 52, 60), width=max(1, tall // 160)
        )
    draw.pieslice([*at(middle - 0.05, 0.055), *at(middle + 0.05, 0.16)], 180, 360, fill=_RED)
    draw.line([at(middle, 0.02), at(middle, 0.06)], fill=(60, 52, 60), width=max(1, tall // 140))
    _shaded(
        image,
        [at(middle + 0.01, 0.06), at(middle + 0.052, 0.1), at(middle + foot, low), at(middle + 0.03, low)],
    )
    return _shape(image, windows, (middle, 0.145))


def ship(height: int) -> Shape:
    """A sailing ship with two masts, heading right."""
    tall = height * _FINE
    wide = round(tall * 1.2)
    image = Image.new("RGBA", (wide, tall))
    draw = ImageDraw.Draw(image)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * wide, y * tall

    thick = max(2, tall // 70)
    for x, top in ((0.34, 0.12), (0.60, 0.03)):
        draw.line([at(x, top), at(x, 0.80)], fill=_MAST, width=thick)
    draw.line([at(0.84, 0.76), at(0.99, 0.66)], fill=_MAST, width=thick)
    sails = [
        ((0.60, 0.07), (0.60, 0.30), (0.77, 0.29), (0.70, 0.10)),
        ((0.60, 0.32), (0.60, 0.68), (0.82, 0.66), (0.75, 0.33)),
        ((0.34, 0.16), (0.34, 0.36), (0.50, 0.355), (0.44, 0.18)),
        ((0.34, 0.38), (0.34, 0.69), (0.55, 0.67), (0.49, 0.39)),
    ]
    for sail in sails:
        draw.polygon([at(*point) for point in sail], fill=_SAIL)
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = sail
        inner = [
            (x0, y0),
            (x1, y1),
            ((x1 * 2 + x2) / 3, (y1 * 2 + y2) / 3),
            ((x0 * 2 + x3) / 3, (y0 * 2 + y3) / 3),
        ]
        draw.polygon([at(*point) for point in inner], fill=_SAIL_SHADE)
    draw.polygon([at(0.97, 0.67), at(0.80, 0.30), at(0.78, 0.68)], fill=_SAIL)
    draw.polygon([at(0.32, 0.24), at(0.32, 0.70), at(0.12, 0.72)], fill=_SAIL_SHADE)
    draw.polygon([at(0.60, 0.03), at(0.60, 0.065), at(0.50, 0.055)], fill=_RED)
    hull = [
        (0.06, 0.73),
        (0.20, 0.765),
        (0.80, 0.765),
        (0.92, 0.735),
        (0.84, 0.89),
        (0.78, 0.93),
        (0.22, 0.93),
    ]
    draw.polygon([at(*point) for point in [*hull, (0.12, 0.88)]], fill=_HULL)
    draw.line([at(0.06, 0.735), at(0.20, 0.77), at(0.80, 0.77), at(0.92, 0.74)], fill=_RAIL, width=thick)
    windows = [(*at(x - 0.014, 0.80), *at(x + 0.014, 0.834)) for x in (0.28, 0.40, 0.52, 0.64, 0.74)]
    draw.ellipse([*at(0.075, 0.68), *at(0.10, 0.715)], fill=(255, 226, 150))
    return _shape(image, windows, (0.088, 0.70))


def gull(size: int, wings: float) -> Image.Image:
    """A mask: two wings, from -1 (down) to 1 (up)."""
    fine = size * 4
    image = Image.new("L", (fine, fine))
    draw = ImageDraw.Draw(image)
    middle = fine / 2
    for side in (-1, 1):
        bend = (middle + side * fine * 0.22, middle - fine * (0.10 + 0.12 * wings))
        tip = (middle + side * fine * 0.46, middle - fine * 0.16 * wings)
        draw.line([(middle, middle), bend, tip], fill=255, width=max(2, fine // 16), joint="curve")
    return image.resize((size, size), Image.Resampling.BOX)


def stars(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A mask of points, fewer near the lower edge."""
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for _ in range(size[0] * size[1] // 2600):
        x, y = chance.uniform(0, size[0]), size[1] * chance.random() ** 1.5
        radius = chance.choice((0.5, 0.5, 0.7, 1.1)) * size[0] / 800
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=chance.randint(90, 255))
    return image


def clouds(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A mask that tiles: its right edge continues at its left edge."""
    wide, tall = size
    image = Image.new("L", size)
    for _ in range(7):
        x, y = chance.uniform(0, wide), tall * (0.25 + 0.6 * chance.random())
        bank = Image.new("L", size)
        draw = ImageDraw.Draw(bank)
        length = wide * chance.uniform(0.08, 0.2)
        for _ in range(14):
            across = x + chance.uniform(-1, 1) * length
            reach, rise = length * chance.uniform(0.2, 0.55), tall * chance.uniform(0.015, 0.045)
            down = y + chance.uniform(-1, 1) * tall * 0.02
            for turn in (-wide, 0, wide):
                left = across + turn
                draw.ellipse(
                    [left - reach, down - rise, left + reach, down + rise], fill=chance.randint(70, 150)
                )
        image = ImageChops.lighter(image, bank)
    # Blurred beyond its edges, so that there is no seam.
    tripled = Image.new("L", (wide * 3, tall))
    for place in range(3):
        tripled.paste(image, (wide * place, 0))
    soft = tripled.filter(ImageFilter.GaussianBlur(tall / 50))
    return soft.crop((wide, 0, wide * 2, tall))


def glints(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """A mask of short horizontal strokes, longer towards the lower edge, without a seam at the sides."""
    wide, tall = size
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for _ in range(wide * tall // 260):
        depth = chance.random() ** 1.4
        x, y = chance.uniform(0, wide), depth * tall
        length, thick = (4 + 26 * depth) * wide / 900, max(1, round((0.6 + 1.6 * depth) * wide / 900))
        for turn in (-wide, 0, wide):
            draw.line(
                [(x + turn - length, y), (x + turn + length, y)], fill=chance.randint(90, 255), width=thick
            )
    return image.filter(ImageFilter.GaussianBlur(0.6))


def wave(size: tuple[int, int], crests: int, chance: random.Random) -> Image.Image:
    """A mask: water below a crest line that repeats `crests` times, in the upper half of its height."""
    wide, tall = size
    image = Image.new("L", (wide, tall * 4))
    draw = ImageDraw.Draw(image)
    turn = chance.uniform(0, 2 * math.pi)
    line = []
    for x in range(0, wide + 4, 4):
        phase = 2 * math.pi * x * crests / wide + turn
        height = math.sin(phase) + 0.35 * math.sin(2 * phase + 1) + 0.18 * math.sin(3 * phase + 2.2)
        line.append((x, tall * 4 * (0.25 + 0.14 * height)))
    draw.polygon([*line, (wide, tall * 4), (0, tall * 4)], fill=255)
    return image.resize(size, Image.Resampling.BOX)


def glow(size: int) -> Image.Image:
    """A round light as a mask: full in the middle, zero at its rim."""
    curve = [round(255 * (1 - min(1.0, value / 181)) ** 2.2) for value in range(256)]
    return Image.radial_gradient("L").point(curve).resize((size, size), Image.Resampling.BICUBIC)


def _shaded(image: Image.Image, corners: list[tuple[float, float]]) -> None:
    """Darken one side, which makes a tower look round."""
    side = Image.new("L", image.size)
    ImageDraw.Draw(side).polygon(corners, fill=70)
    side = side.filter(ImageFilter.GaussianBlur(image.height / 60))
    alpha = image.getchannel("A")
    image.paste((30, 22, 40), (0, 0), ImageChops.multiply(side, alpha))
    image.putalpha(alpha)


def _shape(
    image: Image.Image, windows: list[tuple[float, float, float, float]], light: tuple[float, float]
) -> Shape:
    draw, lit = ImageDraw.Draw(image), Image.new("L", image.size)
    for window in windows:
        draw.ellipse(window, fill=GLASS)
        ImageDraw.Draw(lit).ellipse(window, fill=255)
    # Premultiplied before reducing: the transparent surroundings are black and would leave a dark rim.
    colours = image.convert("RGBa").reduce(_FINE).convert("RGBA").convert("RGB")
    return Shape(colours, image.getchannel("A").reduce(_FINE), lit.reduce(_FINE), light)
