"""Widths, heights, tiers and aspect ratios, and which of those available comes closest.

Pixels are whole numbers; a tier such as `720P` is identified by its lines (the shorter edge, in pixels).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, PlainSerializer

_SIZE = re.compile(r"([1-9][0-9]{0,4})[x×]([1-9][0-9]{0,4})")
_RATIO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?):([0-9]{1,6}(?:\.[0-9]{1,6})?)")
_TIER = re.compile(r"([0-9]{2,5})\s*p", re.IGNORECASE)
_WIDE_TIERS = {"2k": 1440, "4k": 2160, "8k": 4320}


class Size(NamedTuple):
    """Width and height of a video, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def aspect(self) -> float:
        return self.width / self.height


def _read_size(value: object) -> object:
    if isinstance(value, str):
        if not (match := _SIZE.fullmatch(value.strip())):
            raise ValueError(f"{value!r} is not a size such as 1280x720")
        return Size(int(match[1]), int(match[2]))
    return value


#: A size, written `1280x720` in JSON.
PixelSize = Annotated[Size, BeforeValidator(_read_size), PlainSerializer(str, return_type=str)]


def aspect_of(ratio: str) -> float | None:
    """Width divided by height of a ratio such as `16:9`; None for any other text."""
    if not (match := _RATIO.fullmatch(ratio.strip())):
        return None
    width, height = float(match[1]), float(match[2])
    return width / height if width and height else None


def lines_of(tier: str) -> int | None:
    """The lines in a tier's name (`720P` 720, `4k` 2160); None for any other text."""
    name = tier.strip()
    if match := _TIER.fullmatch(name):
        return int(match[1]) or None
    return _WIDE_TIERS.get(name.lower())


def wide_size(lines: int) -> Size:
    """The 16:9 size with that many lines."""
    return Size(round(lines * 16 / 9), lines)


def size_for(lines: int, aspect: float) -> Size:
    """A size with this aspect and that many pixels on the shorter edge."""
    longer = round(lines * max(aspect, 1 / aspect))
    return Size(longer, lines) if aspect >= 1 else Size(lines, longer)


def closest_size(wanted: Size, offered: Iterable[Size]) -> Size | None:
    """The available size that looks most like the wanted one; its shape counts twice as much as its area."""

    def distance(size: Size) -> float:
        shape = abs(math.log(size.aspect / wanted.aspect))
        return 2 * shape + abs(math.log(size.area / wanted.area))

    return min(offered, key=distance, default=None)


def closest_ratio(aspect: float, offered: Iterable[str]) -> str | None:
    """The available ratio with the closest shape, or None if none can be read."""
    known = [(ratio, found) for ratio in offered if (found := aspect_of(ratio))]
    return min(known, key=lambda pair: abs(math.log(pair[1] / aspect)), default=(None, 0))[0]
