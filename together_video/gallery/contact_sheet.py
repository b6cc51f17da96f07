"""One picture of many videos: their posters in a grid with short captions."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slugify import slugify

from together_video.gallery.shapes import shape_of

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

#: How many videos one sheet shows: 240 make 20 megapixels.
MOST_TILES = 240
#: The size of a tile in pixels, by the shape of most videos.
_TILES = {"wide": (320, 180), "square": (240, 240), "tall": (180, 320)}
_COLUMNS = 8
_GAP, _EDGE, _LINE = 12, 24, 18
_GROUND, _PLAIN, _TITLE, _TEXT = (247, 246, 243), (225, 222, 215), (27, 26, 23), (90, 86, 78)
_QUALITY = 85


@dataclass(frozen=True)
class Tile:
    """One video: its caption; the RGB bytes of its poster in the tile size, or the words to write instead; and what
    varies in its sweep.
    """

    caption: str
    state: str
    pixels: bytes | None
    varies: str = ""


def tile_size(sizes: Iterable[tuple[int | None, int | None]]) -> tuple[int, int]:
    """The size of all tiles, from the widths and heights of the videos: the median shape decides."""
    return _TILES[shape_of(sizes)]


def contact_sheet(title: str, tiles: Sequence[Tile], size: tuple[int, int]) -> bytes:
    """A JPEG of up to `MOST_TILES` tiles, row by row, with the title above them."""
    from PIL import Image, ImageDraw, ImageFont

    shown = tiles[:MOST_TILES]
    width, height = size
    columns = max(1, min(_COLUMNS, math.ceil(math.sqrt(len(shown) * height / width * 1.6)), len(shown)))
    rows = math.ceil(len(shown) / columns)
    heading = 24 + _GAP
    sheet = Image.new(
        "RGB",
        (
            2 * _EDGE + columns * (width + _GAP) - _GAP,
            2 * _EDGE + heading + rows * (height + _LINE + _GAP) - _GAP,
        ),
        _GROUND,
    )
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(20), ImageFont.load_default(13)
    draw.text((_EDGE, _EDGE), _cut(draw, plain_letters(title), large, sheet.width - 2 * _EDGE), _TITLE, large)
    for number, tile in enumerate(shown):
        x = _EDGE + number % columns * (width + _GAP)
        y = _EDGE + heading + number // columns * (height + _LINE + _GAP)
        if tile.pixels is None:
            draw.rectangle((x, y, x + width - 1, y + height - 1), _PLAIN)
            draw.text((x + width // 2, y + height // 2), tile.state, _TEXT, small, anchor="mm")
        else:
            sheet.paste(Image.frombytes("RGB", size, tile.pixels), (x, y))
        caption = f"{number + 1}. {plain_letters(tile.caption)}"
        varies = plain_letters(tile.varies.replace(" · ", ", "))
        draw.text((x, y + height + 3), _told_apart(draw, caption, varies, small, width), _TEXT, small)
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


def plain_letters(text: str) -> str:
    """The text in ASCII letters, the only ones that every installation's font has. Others are transliterated.

    Example:
        ```python
        plain_letters("灯台, très beau")  # Deng Tai, tres beau
        ```
    """
    plain = slugify(
        text[:300],
        separator=" ",
        lowercase=False,
        entities=False,
        decimal=False,
        hexadecimal=False,
        regex_pattern=r"[^\w .,;:!?'\"()&+/%@#=-]+",
    )
    return " ".join(plain.split())


def _told_apart(
    draw: ImageDraw, caption: str, varies: str, font: FreeTypeFont | ImageFont, width: int
) -> str:
    """The caption with what varies. The caption is cut if there is no room for both."""
    if not varies:
        return _cut(draw, caption, font, width)
    varies = _cut(draw, f" - {varies}", font, width * 2 // 3)
    return _cut(draw, caption, font, width - math.ceil(draw.textlength(varies, font))) + varies


def _cut(draw: ImageDraw, text: str, font: FreeTypeFont | ImageFont, width: int) -> str:
    """As much of the text as fits into `width` pixels."""
    if draw.textlength(text, font) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if draw.textlength(f"{text[:middle]}...", font) <= width:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low].rstrip()}..."
