"""Text of others as Prefect's two UIs show it: no picture, no link and no markup comes of it.

The first UI reads descriptions and the cells of tables as Markdown with HTML: it loads pictures, makes links of bare
addresses and even of `javascript:`. The second reads descriptions so, but shows cells as they are. An escape that one
of them takes away would be seen in the other, so what would be markup is written as the full-width form of the same
character, which both show and neither reads: `［click］(https：//evil.example)`.
"""

from __future__ import annotations

import re

from together_video.text import one_line

#: From an ASCII character to its full-width form.
_WIDER = 0xFEE0
_MARKUP = re.compile(
    r"""
    [\[\]`<\\|~]                                        # links, code, HTML, escapes, cells, struck text
    | (?<!\s)\* | \*(?!\s)                              # emphasis; not a sign between spaces
    | (?<![^\W_])_ | _(?![^\W_])                        # the same; not inside of a name
    | &(?=\#?\w+;)                                      # entities
    | (?:(?<=http)|(?<=https)|(?<=ftp)):(?=//)          # addresses that become links by themselves
    | (?<=www)\. | (?<=\S)@(?=\S)
    | ^[\#>=] | ^[-+](?=[-\s]|$) | (?<=[\s\#])\#(?=\#*$)  # headings, quotes, lists, rules
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def plain(text: str, longest: int) -> str:
    """Text on one line, at most so many characters, that is no markup wherever an artifact shows it."""
    line = _NUMBERED.sub(lambda found: found[1] + _wide(found[2]), one_line(text, longest))
    return _MARKUP.sub(lambda found: _wide(found[0]), line)


def _wide(mark: str) -> str:
    return chr(ord(mark) + _WIDER)
