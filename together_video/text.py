"""Text for one line of a terminal or a log, and sentences that stand one behind the other."""

from __future__ import annotations

from typing import SupportsFloat


def printable(text: str, longest: int = 160) -> str:
    """Text for one line: control, format and half characters are escaped, and what is too long is cut."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in _cut(text, longest))


def printable_lines(text: str, longest: int = 2000) -> str:
    """As `printable`, for text of several lines: each is escaped and cut by itself."""
    return "\n".join(printable(line, longest) for line in text.splitlines())


def one_line(text: str, longest: int | None = None) -> str:
    """Text of others on one line: spaces and what cannot be printed become single spaces, too much is cut."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if longest is None else _cut(line, longest)


def spreadsheet_cell(text: str, longest: int = 500) -> str:
    """Text of others for a cell of a CSV file: a spreadsheet would take what begins so for a formula."""
    line = printable(text, longest)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def as_sentence(said: str) -> str:
    """With an end, so that another sentence can follow: a server's own words often have none."""
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def sentences(*parts: str | None) -> str:
    """Those that are there, one behind the other; a single one stays as it is."""
    there = [part for part in parts if part]
    return there[0] if len(there) == 1 else " ".join(as_sentence(part) for part in there)


def clock(seconds: SupportsFloat) -> str:
    """Minutes and seconds, such as 1:05."""
    minutes, rest = divmod(round(float(seconds)), 60)
    return f"{minutes}:{rest:02}"
