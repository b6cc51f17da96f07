"""One shape for all frames of a page, although its videos may have several."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

#: Width by height of the frames.
SHAPES = {"wide": 16 / 9, "square": 1.0, "tall": 9 / 16}


def shape_of(sizes: Iterable[tuple[int | None, int | None]]) -> str:
    """`wide`, `square` or `tall`, from the widths and heights of the videos: the median shape, so that most of them
    fill their frames.
    """
    shapes = [width / height for width, height in sizes if width and height]
    middle = median(shapes) if shapes else SHAPES["wide"]
    return "wide" if middle > 1.2 else "square" if middle > 0.8 else "tall"
