"""One request as it is in a file, and the lines of text files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def lines_of(text: str) -> list[str]:
    """The lines of a text. Not `splitlines()`: a prompt can contain U+2028 and similar characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@dataclass(frozen=True, slots=True)
class Row:
    """The line (or item, from 1), its fields, or its problems.

    `remark` says how the line was changed: a number or bullet was removed, or a line was joined to the one before.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    remark: Literal["numbered", "continued"] | None = None
