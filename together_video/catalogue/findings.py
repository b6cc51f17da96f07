"""What a check has to say of a request: errors, warnings and advice."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"  # this cannot work: nothing is sent
    WARNING = "warning"  # outside of what is documented: it may fail, or be ignored
    ADVICE = "advice"  # it works; it may work better otherwise


class Finding(BaseModel):
    """One remark on one field. `message` is one sentence that says what would pass.

    `source` holds the catalogue's source ids, separated by commas.
    """

    model_config = ConfigDict(frozen=True)

    level: Level
    field: str
    message: str
    source: str | None = None

    def __str__(self) -> str:
        return f"{self.level}: {self.field}: {self.message}"


def error(field: str, message: str, source: str | None = None) -> Finding:
    return Finding(level=Level.ERROR, field=field, message=message, source=source)


def warning(field: str, message: str, source: str | None = None) -> Finding:
    return Finding(level=Level.WARNING, field=field, message=message, source=source)


def advice(field: str, message: str, source: str | None = None) -> Finding:
    return Finding(level=Level.ADVICE, field=field, message=message, source=source)


def sterner(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with every warning made an error (`--strict`)."""
    return [
        finding.model_copy(update={"level": Level.ERROR}) if finding.level is Level.WARNING else finding
        for finding in findings
    ]


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.ERROR]


def shortened(text: str) -> str:
    """Text of the user's, cut at 40 characters."""
    return text if len(text) <= 40 else text[:39] + "…"


def quoted(text: str) -> str:
    """Text of the user's in quotes, fit for one line: cut short, control characters shown as escapes."""
    return repr(shortened(text))
