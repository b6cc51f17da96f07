"""Streams that are closed, or of an encoding that cannot do what is needed."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from prefect_together_video.flows.cli.screen.encoding import (
    can_show,
    flush_streams,
    holds_all,
    make_streams_safe,
)
from prefect_together_video.flows.cli.screen.json_output import json_text


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_takes_what_is_written(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python uses None if a daemon has no such stream."""
    monkeypatch.setattr(sys, name, None)
    make_streams_safe()
    with getattr(sys, name) as opened:
        opened.write("狐狸")
        flush_streams()


@pytest.mark.parametrize(
    "encoding", ["cp1252", "ascii", "latin-1", "cp037", "idna", "utf-7", "utf-16", "utf-8"]
)
def test_every_encoding_is_written(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With question marks where it must be; as UTF-8 where an encoding knows no question marks."""
    out = stream(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    make_streams_safe()
    out.write("a fox … 狐狸 \udcff\n")
    flush_streams()
    assert out.buffer.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("encoding", "holds"),
    [
        ("utf-8", True),
        ("UTF8", True),
        ("utf-16", False),
        ("utf-7", False),
        ("cp1252", False),
        ("nonsense", False),
    ],
)
def test_json_is_utf_8_or_ascii(encoding: str, holds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs read it as UTF-8, whatever a terminal would show."""

    class Named:
        def __init__(self) -> None:
            self.encoding = encoding

    assert holds_all(Named()) is holds
    monkeypatch.setattr(sys, "stdout", Named())
    text = json_text({"prompt": "狐狸"})
    assert text.isascii() is not holds
    assert json.loads(text) == {"prompt": "狐狸"}


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("cp1252", "a fox …", True),
        ("cp1252", "狐狸", False),
        ("utf-8", "狐狸", True),
        ("nonsense", "a", False),
    ],
)
def test_what_can_be_shown(encoding: str, text: str, shown: bool) -> None:
    """Asked before prompts are written that somebody wants to use."""
    named: Any = type("Named", (), {"encoding": encoding})()
    assert can_show(named, text) is shown
