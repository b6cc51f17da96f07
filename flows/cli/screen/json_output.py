"""JSON on stdout for programs. It imports nothing for terminals, so `models` and `check` answer at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect_together_video.flows.cli.screen.encoding import holds_all
from together_video.errors import VideoError


def json_text(content: Any, *, indent: int | None = 1) -> str:
    """A JSON document for stdout. Control and direction characters, and those that stdout cannot encode, are escaped in
    JSON's way.
    """
    if not holds_all(sys.stdout):
        return json.dumps(content, indent=indent)
    return "".join(map(_escaped, json.dumps(content, indent=indent, ensure_ascii=False)))


def _escaped(letter: str) -> str:
    if letter == "\n" or letter.isprintable():
        return letter
    # Gives two escapes if the letter takes two UTF-16 units. Such letters occur only in texts.
    return json.dumps(letter)[1:-1] if letter != "\x7f" else "\\u007f"


@contextmanager
def errors_as_document(as_json: bool) -> Iterator[None]:
    """With `--json`, print an error as a document, too: a program that reads stdout always finds one."""
    try:
        yield
    except VideoError as error:
        if as_json:
            print(json_text({"error": error.message}))  # noqa: T201 - the result
        raise
