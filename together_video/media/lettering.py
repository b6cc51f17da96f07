"""Text in a box of pixels: fonts, wrapping, and the largest size that fits."""

from __future__ import annotations

import bisect
import functools

from PIL import ImageFont

from together_video.text import one_line

Font = ImageFont.FreeTypeFont

#: Fonts with more scripts than Pillow's own. Used if they exist and the text needs them.
_WIDER_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf")
#: None is Pillow's own.
_FONTS: tuple[str | None, ...] = (None, *_WIDER_FONTS)
#: A size in pixels for the test, and a character that no font has.
_TRIED, _NO_LETTER = 24, "\uffff"
#: A clip cannot show more letters, and measuring 32,000 takes long.
_MOST_LETTERS = 1500


def font_for(text: str, size: int) -> Font:
    """The installed font that has most letters of the text, in this size in pixels."""
    return _font(min(_FONTS, key=lambda name: len(_missing(name, frozenset(text)))), size)


def unlettered(text: str) -> str:
    """The letters that the font for this text lacks, in order, once each. Each would be drawn as a box."""
    missing = min((_missing(name, frozenset(text)) for name in _FONTS), key=len)
    return "".join(dict.fromkeys(letter for letter in text if letter in missing))


@functools.lru_cache(maxsize=256)
def _missing(name: str | None, letters: frozenset[str]) -> frozenset[str]:
    """The letters that a font draws like a missing character. All of them if it is not installed."""
    try:
        font = _font(name, _TRIED)
    except OSError:
        return letters
    box = _drawn(font, _NO_LETTER)
    return frozenset(one for one in letters if not one.isspace() and _drawn(font, one) == box)


def _drawn(font: Font, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def _font(name: str | None, size: int) -> Font:
    """Raises OSError: the font is not installed."""
    if name is not None:
        return ImageFont.truetype(name, size)
    font = ImageFont.load_default(size)
    if not isinstance(font, Font):
        raise RuntimeError("Pillow was built without FreeType, which lettering needs")
    return font


def fit(text: str, box: tuple[int, int], *, largest: int) -> tuple[str, Font]:
    """The text wrapped into width and height in pixels, as large as fits. At the smallest size it is cut with …"""
    if len(text) > _MOST_LETTERS:
        text = text[:_MOST_LETTERS] + "…"
    text = one_line(text)
    smallest = max(8, largest // 4)
    size = max(smallest, largest)
    while True:
        font = font_for(text, size)
        lines = _wrap(text, font, box[0])
        room = max(1, int(box[1] / (size * 1.5)))
        if len(lines) <= room:
            return "\n".join(lines), font
        if size <= smallest:
            return "\n".join([*lines[: room - 1], shorten(lines[room - 1] + " …", font, box[0])]), font
        size = max(smallest, int(size * 0.9))


def shorten(text: str, font: Font, width: float) -> str:
    """The text, or as much of its beginning as fits into the width in pixels, with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1].rstrip(" …")
    return text + "…"


def _wrap(text: str, font: Font, width: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}".strip()
        if font.getlength(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        while font.getlength(word) > width and len(word) > 1:
            # Longer than a line, or in a script without spaces: broken where necessary.
            letters = range(1, len(word))
            fitting = bisect.bisect_right(letters, width, key=lambda n: font.getlength(word[:n]))
            head = max(1, fitting)
            lines.append(word[:head])
            word = word[head:]
        line = word
    return [*lines, line]
