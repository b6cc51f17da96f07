"""Writing to streams that cannot hold every character: another code page, a pipe on Windows, `PYTHONIOENCODING`."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import Any


def make_streams_safe() -> None:
    """Make stdout and stderr write a question mark where they would raise UnicodeEncodeError, and take what is
    written where they are closed.

    A run that has paid for videos must not end because a prompt of it cannot be printed.
    """
    # For a closed stream Python has None, and writing to that is an error.
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
    """What is left is written, where that can be."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def holds_all(stream: Any) -> bool:
    """Whether this stream is UTF-8, and so holds every character in the bytes that other programs expect."""
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name == "utf-8"
    except LookupError:
        return False


def can_show(stream: Any, text: str) -> bool:
    """Whether this text can be written to this stream as it is."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
