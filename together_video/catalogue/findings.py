"""The findings of a check: errors, warnings and advice."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

#: A value that would pass; None: leave the field out.
Instead = str | int | float | None


class Level(StrEnum):
    """How serious a finding is."""

    ERROR = "error"  # this cannot work: nothing is sent
    WARNING = "warning"  # not covered by the documents: it may fail, or be ignored
    ADVICE = "advice"  # it works, but could work better
    NOTE = "note"  # what was chosen for you


class Finding(BaseModel):
    """One remark on one field. `message` is one sentence that also says what would work.

    `source` has the catalogue's source ids, separated by commas; `rule` is the name of the broken rule. `instead` has
    request fields that would pass, None for one to leave out; it is empty if the user must decide.
    """

    model_config = ConfigDict(frozen=True)

    level: Level
    field: str
    message: str
    source: str | None = None
    rule: str | None = None
    instead: dict[str, Instead] = {}

    def __str__(self) -> str:
        return f"{self.level}: {self.field}: {self.message}"


def error(field: str, message: str, source: str | None = None, **instead: Instead) -> Finding:
    return Finding(level=Level.ERROR, field=field, message=message, source=source, instead=instead)


def warning(field: str, message: str, source: str | None = None, **instead: Instead) -> Finding:
    return Finding(level=Level.WARNING, field=field, message=message, source=source, instead=instead)


def advice(field: str, message: str, source: str | None = None, **instead: Instead) -> Finding:
    return Finding(level=Level.ADVICE, field=field, message=message, source=source, instead=instead)


def note(field: str, message: str, source: str | None = None) -> Finding:
    return Finding(level=Level.NOTE, field=field, message=message, source=source)


def sterner(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with every warning turned into an error (`--strict`)."""
    return [
        finding.model_copy(update={"level": Level.ERROR}) if finding.level is Level.WARNING else finding
        for finding in findings
    ]


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.ERROR]


def shortened(text: str) -> str:
    """The user's text, cut at 40 characters."""
    return text if len(text) <= 40 else text[:39] + "…"


def quoted(text: str) -> str:
    """The user's text in quotes for one line: cut short, with control characters escaped."""
    return repr(shortened(text))
