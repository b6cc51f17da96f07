"""Text for one line of a terminal or a log, and sentences in a row."""

from __future__ import annotations

from typing import SupportsFloat


def printable(text: str, longest: int = 160) -> str:
    """Text for one line: control, format and half characters are escaped, and long text is cut."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in _cut(text, longest))


def printable_lines(text: str, longest: int = 2000) -> str:
    """Like `printable`, for several lines: each is escaped and cut separately."""
    return "\n".join(printable(line, longest) for line in text.splitlines())


def one_line(text: str, longest: int | None = None) -> str:
    """Text from elsewhere on one line: whitespace and unprintable characters become single spaces, long text is cut."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if longest is None else _cut(line, longest)


def spreadsheet_cell(text: str, longest: int = 500) -> str:
    """Text from elsewhere for a cell of a CSV file: a spreadsheet would take these first characters for a formula."""
    line = printable(text, longest)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def as_sentence(said: str) -> str:
    """Text with a full stop, so another sentence can follow: a server's words often have none."""
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def sentences(*parts: str | None) -> str:
    """The given sentences in a row, without the empty ones; a single one stays unchanged."""
    there = [part for part in parts if part]
    return there[0] if len(there) == 1 else " ".join(as_sentence(part) for part in there)


def clock(seconds: SupportsFloat) -> str:
    """Minutes and seconds, such as 1:05."""
    minutes, rest = divmod(round(float(seconds)), 60)
    return f"{minutes}:{rest:02}"
