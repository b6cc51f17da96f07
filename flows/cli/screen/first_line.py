"""A first sign of life on the terminal, before anything slow is imported.

It stays until the command's first output replaces it. A pipe does not get one: it gets only results and errors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence

_WORDS = "Starting …"
_is_there = False


def show(arguments: Sequence[str], commands: Collection[str]) -> None:
    """Write it for one of these commands, unless the output is for a program or is the help."""
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
    """Remove it, if it is there."""
    global _is_there
    if _is_there:
        _is_there = False
        sys.stderr.write("\x1b[K")
        sys.stderr.flush()
