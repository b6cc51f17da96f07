"""Lines for a width in columns."""

from __future__ import annotations

import textwrap

#: No line is made shorter.
_NARROWEST = 20


def fold(text: str, width: int, indent: str = "") -> list[str]:
    """A line in lines of this width, folded between words; a longer word, such as an address or a path, stays whole.

    Args:
        indent: begins all lines but the first.
    """
    lines = textwrap.wrap(
        text,
        max(width, _NARROWEST),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return lines or [""]
