"""Write to streams that cannot encode every character: another code page, a pipe on Windows, `PYTHONIOENCODING`."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import Any


def make_streams_safe() -> None:
    """Make stdout and stderr write a question mark where they would raise UnicodeEncodeError, and ignore output if they
    are closed.

    A run that paid for videos must not end because one of its prompts cannot be printed.
    """
    # A closed stream is None in Python, and writing to that is an error.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        try:
            "?".encode(stream.encoding, "replace")
            stream.reconfigure(errors="replace")
        except (UnicodeError, LookupError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="replace")


def flush_streams() -> None:
    """Write what is left in the buffers, if possible."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def holds_all(stream: Any) -> bool:
    """Whether this stream is UTF-8, so that it can encode every character as other programs expect."""
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name == "utf-8"
    except LookupError:
        return False


def can_show(stream: Any, text: str) -> bool:
    """Whether this stream can encode this text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
