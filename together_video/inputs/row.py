"""One request as it stands in a file, and the lines that files of text are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def lines_of(text: str) -> list[str]:
    """The lines of a text. Not `splitlines()`: U+2028 and its like may stand inside a prompt."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@dataclass(frozen=True, slots=True)
class Row:
    """The line (or item, from 1), its fields, or what is wrong.

    `remark` says what was done to the line: a number or bullet was left out, or a line was joined to the one before.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    remark: Literal["numbered", "continued"] | None = None
