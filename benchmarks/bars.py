"""Bar charts as PNG, drawn with Pillow only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from benchmarks.harness import RESULTS

_INK, _SOFT, _PAGE = "#1b1a17", "#69655c", "#ffffff"
_COLOURS = ("#17744a", "#1f62a6", "#846000", "#9c4a0b", "#6540b5", "#69655c")
_WIDTH, _LINE, _LEFT = 900, 30, 300


def bars(name: str, panels: Sequence[tuple[str, Mapping[str, float]]]) -> None:
    """Write `results/<name>.png`: a panel of horizontal bars for each title."""
    height = sum(60 + _LINE * len(values) for _, values in panels) + 20
    picture = Image.new("RGB", (_WIDTH, height), _PAGE)
    draw = ImageDraw.Draw(picture)
    text, strong = ImageFont.load_default(14), ImageFont.load_default(17)
    top = 20
    for title, values in panels:
        draw.text((20, top), title, _INK, strong)
        top += 34
        longest = max(values.values(), default=0) or 1
        for number, (label, value) in enumerate(values.items()):
            draw.text((_LEFT - 12, top + 11), label, _SOFT, text, anchor="rm")
            right = _LEFT + max(2, (_WIDTH - _LEFT - 110) * value / longest)
            draw.rectangle((_LEFT, top, right, top + 22), _COLOURS[number % len(_COLOURS)])
            draw.text((right + 8, top + 11), f"{value:.4g}", _INK, text, anchor="lm")
            top += _LINE
        top += 26
    RESULTS.mkdir(exist_ok=True)
    picture.save(RESULTS / f"{name}.png", optimize=True)
