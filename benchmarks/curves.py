"""Curves and points on logarithmic axes as a PNG, drawn with Pillow to avoid a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

#: Everything is drawn at twice its size and then reduced, so that lines are smooth.
_SCALE = 2
_WIDTH, _HEIGHT = 560 * _SCALE, 420 * _SCALE
_LEFT, _RIGHT, _TOP, _BOTTOM = (side * _SCALE for side in (62, 16, 40, 52))
_INK, _GRID = "#222222", "#dddddd"


@dataclass(frozen=True)
class Series:
    """One curve, or, with `marks`, single points with a word beside each."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    marks: Sequence[str] = ()


@dataclass(frozen=True)
class Panel:
    """One plot: its title, and the range and the labels of each axis."""

    title: str
    across: str
    up: str
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    series: Sequence[Series]


def draw(panels: Sequence[Panel], path: Path, *, columns: int = 2) -> Path:
    """Draw the panels side by side, each with its legend. Returns the path."""
    rows = -(-len(panels) // columns)
    image = Image.new("RGB", (columns * _WIDTH, rows * _HEIGHT), "white")
    for number, panel in enumerate(panels):
        image.paste(_panel(panel), (number % columns * _WIDTH, number // columns * _HEIGHT))
    image.resize((image.width // _SCALE, image.height // _SCALE), Image.Resampling.LANCZOS).quantize(
        256
    ).save(path, optimize=True)
    return path


def _panel(panel: Panel) -> Image.Image:
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    small, large = (ImageFont.load_default(size * _SCALE) for size in (12, 14))
    left, right, top, bottom = _LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = _share(point[0], panel.x_ticks[0], panel.x_ticks[-1])
        y = _share(point[1], panel.y_ticks[0], panel.y_ticks[-1])
        return left + x * (right - left), bottom - y * (bottom - top)

    for tick in panel.x_ticks:
        x, _ = place((tick, panel.y_ticks[0]))
        pen.line((x, top, x, bottom), fill=_GRID, width=_SCALE)
        pen.text((x, bottom + 6 * _SCALE), f"{tick:g}", fill=_INK, font=small, anchor="mt")
    for tick in panel.y_ticks:
        _, y = place((panel.x_ticks[0], tick))
        pen.line((left, y, right, y), fill=_GRID, width=_SCALE)
        pen.text((left - 6 * _SCALE, y), f"{tick:g}", fill=_INK, font=small, anchor="rm")
    pen.text((left, 12 * _SCALE), panel.title, fill=_INK, font=large, anchor="lt")
    pen.text(((left + right) / 2, _HEIGHT - 10 * _SCALE), panel.across, fill=_INK, font=small, anchor="mb")
    pen.text((8 * _SCALE, top - 8 * _SCALE), panel.up, fill=_INK, font=small, anchor="lb")
    for number, series in enumerate(panel.series):
        inside = [place(point) for point in series.points if _is_inside(point, panel)]
        if not series.marks:
            pen.line(inside, fill=series.colour, width=3 * _SCALE, joint="curve")
        shown = [
            word for word, point in zip(series.marks, series.points, strict=False) if _is_inside(point, panel)
        ]
        for word, (x, y) in zip(shown, inside, strict=False):
            size = 4 * _SCALE
            pen.ellipse((x - size, y - size, x + size, y + size), fill=series.colour)
            pen.text((x + 7 * _SCALE, y - 4 * _SCALE), word, fill=series.colour, font=small, anchor="lm")
        line = top + (12 + 18 * number) * _SCALE
        pen.rectangle(
            (right - 170 * _SCALE, line - 3 * _SCALE, right - 154 * _SCALE, line + 3 * _SCALE), series.colour
        )
        pen.text((right - 148 * _SCALE, line), series.name, fill=_INK, font=small, anchor="lm")
    return image


def _is_inside(point: tuple[float, float], panel: Panel) -> bool:
    (x, y), across, up = point, panel.x_ticks, panel.y_ticks
    return across[0] <= x <= across[-1] and up[0] <= y <= up[-1]


def _share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)
