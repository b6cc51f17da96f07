"""Words in a box of pixels: fonts, wrapping, and as large as it goes."""

from __future__ import annotations

import bisect

from PIL import ImageFont

from together_video.text import one_line

Font = ImageFont.FreeTypeFont

#: Fonts that know more scripts than Pillow's own; used where the text needs them and they exist.
_WIDER_FONTS = ("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf")
#: A clip cannot show more, and measuring 32,000 letters takes long.
_MOST_LETTERS = 1500


def font_for(text: str, size: int) -> Font:
    """A font of this size in pixels that has the letters of the text, as far as one is installed."""
    if not all(ord(letter) < 0x180 or 0x2013 <= ord(letter) <= 0x2026 for letter in text):
        for name in _WIDER_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    font = ImageFont.load_default(size)
    if not isinstance(font, Font):
        raise RuntimeError("Pillow was built without FreeType, which lettering needs")
    return font


def fit(text: str, box: tuple[int, int], *, largest: int) -> tuple[str, Font]:
    """The text wrapped into width and height in pixels, as large as it goes; cut with … at the smallest."""
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
    """The text, or as much of its beginning as fits the width in pixels, with an ellipsis."""
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
            # Longer than a line, or of a script without spaces: broken where it must be.
            letters = range(1, len(word))
            fitting = bisect.bisect_right(letters, width, key=lambda n: font.getlength(word[:n]))
            head = max(1, fitting)
            lines.append(word[:head])
            word = word[head:]
        line = word
    return [*lines, line]
