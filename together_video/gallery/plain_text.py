"""Text of others, made safe for Prefect's two UIs: it cannot become a picture, a link or other markup.

The first UI reads descriptions and table cells as Markdown with HTML: it loads pictures, and turns bare addresses and
even `javascript:` into links. The second reads descriptions that way, but shows cells as they are. An escape that one
of them removes would be visible in the other. So characters that would be markup are replaced by their full-width
forms, which both show and neither interprets: `［click］(https：//evil.example)`.
"""

from __future__ import annotations

import re

from together_video.text import one_line

#: From an ASCII character to its full-width form.
_WIDER = 0xFEE0
_MARKUP = re.compile(
    r"""
    [\[\]`<\\|~]                                        # links, code, HTML, escapes, cells, strikethrough
    | (?<!\s)\* | \*(?!\s)                              # emphasis; not a character between spaces
    | (?<![^\W_])_ | _(?![^\W_])                        # the same; not inside a name
    | &(?=\#?\w+;)                                      # entities
    | (?:(?<=http)|(?<=https)|(?<=ftp)):(?=//)          # addresses that become links automatically
    | (?<=www)\. | (?<=\S)@(?=\S)
    | ^[\#>=] | ^[-+](?=[-\s]|$) | (?<=[\s\#])\#(?=\#*$)  # headings, quotes, lists, rules
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def plain(text: str, longest: int) -> str:
    """Text on one line, with at most `longest` characters, and not markup wherever an artifact shows it."""
    line = _NUMBERED.sub(lambda found: found[1] + _wide(found[2]), one_line(text, longest))
    return _MARKUP.sub(lambda found: _wide(found[0]), line)


def _wide(mark: str) -> str:
    return chr(ord(mark) + _WIDER)
