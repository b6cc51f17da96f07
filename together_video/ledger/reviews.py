"""Reviewers' marks on clips: the file that a gallery exports, and `reviews/<id>/…` in the archive.

A mark is written once and never changed. If a clip has several marks, the newest counts, by its own time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from slugify import slugify

from together_video.errors import InputError
from together_video.ledger.names import BATCH_ID, is_video_id
from together_video.ledger.records import Moment
from together_video.text import one_line, printable
from together_video.validation_messages import explain

Verdict = Literal["star", "reject"]

#: Largest file of marks in bytes, most marks in it, and longest note and name in characters.
LARGEST_REVIEW, MOST_MARKS, LONGEST_NOTE, LONGEST_WHO = 8 * 2**20, 20_000, 1_000, 100
#: The reviewer's clock may be ahead of ours by this. A mark from next year would override all later ones.
_AHEAD = timedelta(days=1)
_FIRST_YEAR = 2020

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")


def _as_text(value: object) -> object:
    """pydantic would also accept a number as a time."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("is not a time such as 2026-11-27T21:00:00Z")
    return value


def _empty(value: object) -> object:
    return "" if value is None else value


def _video(value: str) -> str:
    if not is_video_id(value):
        raise ValueError("is not the id of a video")
    return value


def _note(value: object) -> object:
    """On one line. Too long a note is refused: a shortened one could say the opposite."""
    if not isinstance(value, str):
        return value
    line = one_line(value[: 4 * LONGEST_NOTE])
    if len(line) > LONGEST_NOTE or len(value) > 4 * LONGEST_NOTE:
        raise ValueError(f"has more than {LONGEST_NOTE} characters")
    return line


class Mark(BaseModel):
    """One person's mark on one clip. Without a mark and a note, it takes the earlier ones back.

    Example:
        ```python
        Mark(id="0123456789abcdef01234567", mark="star", at="2026-11-27T21:00:00Z").object_name
        # '20261127T210000.000000Z-somebody-4ab8c9ee.json'
        ```
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, AfterValidator(_video)]
    mark: Verdict | None = None
    note: Annotated[str, BeforeValidator(_note), BeforeValidator(_empty)] = ""
    at: Annotated[Moment, BeforeValidator(_as_text)]
    who: str = Field(default="", max_length=LONGEST_WHO)
    batch: str | None = None

    @field_validator("who", mode="before")
    @classmethod
    def _who_is_a_line(cls, value: object) -> object:
        return one_line(value[: 4 * LONGEST_WHO], LONGEST_WHO) if isinstance(value, str) else _empty(value)

    @field_validator("batch", mode="before")
    @classmethod
    def _batch_is_an_id(cls, value: object) -> str | None:
        """It is only for people: other values, such as the name of a page, are dropped."""
        return value if isinstance(value, str) and BATCH_ID.fullmatch(value) else None

    @field_validator("at")
    @classmethod
    def _at_is_a_time_of_ours(cls, value: datetime) -> datetime:
        if value.year < _FIRST_YEAR:
            raise ValueError(f"is before {_FIRST_YEAR}")
        return value.astimezone(UTC)

    @property
    def content(self) -> bytes:
        """The stored bytes, the same for the same mark."""
        at = self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        document = {**self.model_dump(mode="json"), "at": at}
        return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1).encode()

    @property
    def object_name(self) -> str:
        """`<time>-<who>.json`: sorts by time. The end of `<who>` depends on the content, so the same mark always has
        the same name, and two different marks of one moment have different names.
        """
        who = slugify(self.who, max_length=40).strip("-") or "somebody"
        digest = hashlib.sha256(self.content).hexdigest()[:8]
        return f"{self.at:%Y%m%dT%H%M%S.%fZ}-{who}-{digest}.json"

    @property
    def is_taken_back(self) -> bool:
        return self.mark is None and not self.note


def stored_mark(video: str, name: str, data: bytes) -> Mark:
    """A mark from the archive.

    Raises:
        ValueError: this project did not write this under that name.
    """
    try:
        mark = Mark.model_validate_json(data)
    except ValidationError as error:
        raise ValueError("; ".join(explain(error, Mark)[:3])) from error
    if mark.id != video or mark.object_name != name:
        raise ValueError("its content does not match its name")
    return mark


def newest(marks: Iterable[Mark]) -> dict[str, Mark]:
    """The current mark of each clip: the latest; of two at the same moment, the one with the last name."""
    found: dict[str, Mark] = {}
    for mark in marks:
        known = found.get(mark.id)
        if known is None or known.object_name < mark.object_name:
            found[mark.id] = mark
    return found


class _File(BaseModel):
    review: Literal[1]
    batch: Any = None
    who: Any = None
    marks: list[dict[str, Any]] = Field(max_length=MOST_MARKS)


def is_of_film(data: bytes) -> bool:
    """Whether a file of marks comes from a film's gallery: it names a film and not a batch. Only for messages: the ids
    of the marks decide what they are about.
    """
    try:
        file = _File.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError:
        return False
    return isinstance(file.batch, str) and is_video_id(file.batch)


def parse_review(data: bytes, name: str, *, now: datetime, who: str | None = None) -> list[Mark]:
    """The marks of a file that a gallery exported: only the newest for each clip.

    Args:
        name: the file's name in messages.
        now: marks that are more than a day later are refused.
        who: who made the marks, instead of the name in the file.

    Raises:
        InputError: it is not such a file, or a mark in it cannot be used. Then none of it may be used.
    """
    called = printable(name, 100)
    if len(data) > LARGEST_REVIEW:
        raise InputError(
            f"{called}: has more than {LARGEST_REVIEW // 2**20} MB, so it is not a file of marks."
        )
    try:
        file = _File.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        is_json = all(found["type"] != "json_invalid" for found in error.errors())
        why = "; ".join(explain(error, _File)[:3]) if is_json else "it is not JSON"
        raise InputError(
            f"{called}: is not a file of marks ({printable(why, 300)}). Export one from a gallery page. "
            "Nothing was imported."
        ) from error
    shared = {"who": file.who if who is None else who, "batch": file.batch}
    marks = []
    for number, given in enumerate(file.marks, 1):
        try:
            mark = Mark.model_validate({**given, **shared})
        except ValidationError as error:
            words = printable("; ".join(explain(error, Mark)[:3]), 300)
            raise InputError(f"{called}: mark {number}: {words}. Nothing was imported.") from error
        if mark.at - now > _AHEAD:
            raise InputError(
                f"{called}: mark {number}: {mark.at:%Y-%m-%d %H:%M} UTC is in the future. Set the clock of the machine "
                "that exported it. Nothing was imported."
            )
        marks.append(mark)
    return list(newest(marks).values())
