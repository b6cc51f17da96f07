"""Writing to streams that cannot hold every character: another code page, a pipe on Windows, `PYTHONIOENCODING`."""

from __future__ import annotations

import io
import sys
from typing import Any


def replace_what_cannot_be_shown() -> None:
    """Make stdout and stderr write a question mark where they would raise UnicodeEncodeError.

    A run that has paid for videos must not end because a prompt of it cannot be printed.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def holds_all(stream: Any) -> bool:
    """Whether every character can be written to this stream."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
    return encoding.startswith("utf")


def can_show(stream: Any, text: str) -> bool:
    """Whether this text can be written to this stream as it is."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
