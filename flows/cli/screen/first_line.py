"""A sign of life on a terminal, before anything that takes time is imported.

It stays until the first words of the command take its place. A pipe has none: what is read there is what came of the
command, or why it could not begin.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence

_WORDS = "Starting …"
_is_there = False


def show(arguments: Sequence[str], commands: Collection[str]) -> None:
    """Write it for one of these commands, unless its output is for a program, or is its help."""
    global _is_there
    if not arguments or arguments[0] not in commands:
        return
    if {"--json", "--help", "-h", "--version"}.intersection(arguments):
        return
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}:
        sys.stderr.write(f"{_WORDS}\r")
        sys.stderr.flush()
        _is_there = True


def clear() -> None:
    """Take it away, where it is."""
    global _is_there
    if _is_there:
        _is_there = False
        sys.stderr.write("\x1b[K")
        sys.stderr.flush()
