"""Fold lines to a width in columns."""

from __future__ import annotations

import textwrap

#: Lines are never folded to fewer columns.
_NARROWEST = 20


def fold(text: str, width: int, indent: str = "") -> list[str]:
    """Fold a line to this width between words. A longer word, such as an address or a path, stays whole.

    Args:
        indent: the beginning of all lines but the first.
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
