"""Captions as WebVTT, for a file beside the film (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

import textwrap
from fractions import Fraction

from together_video.joining.cuts import Cut
from together_video.joining.films import JoinPlan
from together_video.text import one_line

#: Letters per line, as usual in subtitles.
_WIDTH = 42


def webvtt(cut: Cut, plan: JoinPlan) -> str:
    """Each piece's caption, from its start to the start of the next. Without captions, only the header."""
    cues = ["WEBVTT\n"]
    for piece, placed in zip(cut.pieces, plan.pieces, strict=True):
        words = one_line(piece.caption)
        if not words:
            continue
        begin, end = (_time(frame / plan.fps) for frame in (placed.first_frame, placed.until))
        # A cue is marked-up text: possible markup is escaped (section 4.2.2), so no line can look like an arrow.
        for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            words = words.replace(sign, written)
        text = "\n".join(textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False))
        cues.append(f"{begin} --> {end}\n{text}\n")
    return "\n".join(cues)


def _time(seconds: Fraction) -> str:
    thousandths = round(seconds * 1000)
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
