"""One line per record for lists, and the packed form in `index/<month>/`.

The index is derived and may be lost. A line counts only while the listing of the archive has the same record with the
same size and time. So a stale or damaged index makes a list slow, but never wrong. No purchase depends on it. Anyone
who can write to the archive can forge it, like records, until the next audit rebuilds it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, TypeVar, cast

from pydantic import BaseModel, Field, ValidationError

from together_video.errors import InputError
from together_video.labels import MOST
from together_video.ledger.account import Account
from together_video.ledger.bought import Money, money_of
from together_video.ledger.records import Claim, LedgerState, Submission, VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark, Verdict
from together_video.ledger.titles import MOST_VARIED, varied
from together_video.media.references import object_of, references_of
from together_video.requests import VideoRequest
from together_video.text import one_line

#: Most lines of one object, and most bytes after unpacking.
MOST_LINES, MOST_UNPACKED = 20_000, 48 * 2**20
#: Largest packed object that is read, in bytes.
MOST_PACKED = 16 * 2**20
#: Bytes after which the next object begins; the size of a line is estimated from its texts.
_FULL = 16 * 2**20
#: Highest take that is kept: larger ones lose digits in tables.
_LAST_TAKE = 2**53
#: Most characters of a prompt and of an error that lists show and search.
_PROMPT, _ERROR = 1_000, 300

_MOMENT = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{6}Z$"
#: A month with purchases, as the name of a folder.
MONTH = re.compile(r"\d{4}-\d{2}")
#: Replaces media that are too many or have invalid references: such a record is always read.
UNLISTED = "unlisted"
#: Media that a request names, and most characters of all of them.
_MEDIA = rf"^({UNLISTED}|media/[0-9a-f]{{64}}\.[a-z0-9]{{2,5}}( media/[0-9a-f]{{64}}\.[a-z0-9]{{2,5}})*)?$"
_INPUTS = 8_000


#: States of purchases. Lists also have refused and skipped videos.
_BOUGHT = frozenset(state.value for state in LedgerState)


_NO_USD = Decimal(0)


class Costs:
    """A running total of what many videos cost; much faster than adding up accounts."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(Money, _NO_USD)

    def add(self, entry: Entry) -> Costs:
        money, amount = entry.price
        self._sums[money] += amount
        return self

    @property
    def account(self) -> Account:
        sums = self._sums
        return Account(
            paid=sums[Money.PAID], perhaps_paid=sums[Money.PERHAPS_PAID], in_flight=sums[Money.IN_FLIGHT]
        )


class Entry(NamedTuple):
    """One video in a list. `name`, `size` and `written` (microseconds) describe its record's object."""

    name: str
    size: int
    written: int
    state: str
    #: When it was claimed, in UTC; sorts as text.
    at: str
    model: str
    prompt: str
    batch: str | None
    #: US dollars, as the provider reported them.
    cost: str | None
    key: str | None
    job: str | None
    edition: str
    take: int
    seconds: float | None
    error: str | None
    labels: dict[str, str]
    #: The name of the mark's object, the mark and its note.
    review: str | None = None
    mark: Verdict | None = None
    note: str = ""
    #: What differs from the others of its sweep, such as `seed 2 · 9:16`.
    varies: str = ""
    #: Whether its record names a poster, which is beside the video.
    poster: bool = False
    #: The media that its request names (`media/<sha256>.<ending>`), with spaces between them, or `UNLISTED`.
    inputs: str = ""
    #: A digest of what an audit verified. Empty if no audit verified it, or if something was wrong.
    checked: str = ""
    #: US dollars: the most that it may cost, if known.
    estimate: str | None = None

    @property
    def id(self) -> str:
        return self.name[:24]

    @property
    def is_late(self) -> bool:
        """Whether it arrived after it had been given up."""
        return self.name.endswith(".late.json")

    @property
    def month(self) -> str:
        return self.at[:7]

    @property
    def cost_usd(self) -> Decimal | None:
        return None if self.cost is None else Decimal(self.cost)

    @property
    def price(self) -> tuple[Money, Decimal]:
        """What it cost, or the most that it may have cost, in US dollars, as `spend` counts it."""
        if self.state not in _BOUGHT:
            return Money.PAID, _NO_USD
        cost = self.cost_usd
        money = money_of(self.state, cost)
        if money is Money.PAID:
            return money, cost or _NO_USD
        return money, Decimal(self.estimate or 0)

    @property
    def account(self) -> Account:
        """The same as a part of an account. Empty if nothing was bought."""
        return Costs().add(self).account

    @property
    def is_perhaps_paid(self) -> bool:
        """Whether its cost is unknown, even without an estimate."""
        return self.state in _BOUGHT and money_of(self.state, self.cost_usd) is Money.PERHAPS_PAID

    def marked(self, mark: Mark | None) -> Entry:
        """This line with its current mark, or without one."""
        if mark is None:
            return self._replace(review=None, mark=None, note="")
        return self._replace(review=mark.object_name, mark=mark.mark, note=mark.note)

    @classmethod
    def of_record(
        cls, record: VideoRecord, name: str, *, size: int = 0, written_at: datetime | None = None
    ) -> Entry:
        """A finished purchase, from its record; size and time are those of its object, if it was listed."""
        claimed_at = record.claimed_at or record.recorded_at
        seconds = record.clip.seconds if record.clip else None
        return _of_plan(record.plan, name, record.state, claimed_at, record.job_id)._replace(
            size=size,
            written=0 if written_at is None else microseconds(written_at),
            cost=None if record.cost_usd is None else _amount(record.cost_usd),
            key=record.video.key if record.video else None,
            seconds=seconds if seconds is not None and math.isfinite(seconds) else None,
            error=None if record.error is None else one_line(record.error, _ERROR),
            poster=record.poster is not None,
            inputs=_inputs(record.plan.request),
        )

    @classmethod
    def of_claim(cls, claim: Claim, state: LedgerState, submission: Submission | None) -> Entry:
        """A purchase without a record so far. It is never kept in the index."""
        job = None if submission is None else submission.job_id
        return _of_plan(claim.plan, f"{claim.id}.json", state.value, claim.claimed_at, job)


def _of_plan(plan: VideoPlan, name: str, state: str, at: datetime, job: str | None) -> Entry:
    request = plan.request
    return Entry(
        name=name,
        size=0,
        written=0,
        state=state,
        at=_text_of(at),
        model=request.model,
        prompt=one_line(request.prompt or "", _PROMPT),
        batch=None if plan.batch_id is None else plan.batch_id[:100],
        cost=None,
        key=None,
        job=None if job is None else job[:200],
        edition=plan.edition,
        take=min(plan.take, _LAST_TAKE),
        seconds=None,
        error=None,
        labels=dict(request.labels),
        varies="" if plan.sweep is None else varied(plan.sweep.values),
        estimate=None if plan.estimate_usd is None else _amount(plan.estimate_usd),
    )


def _inputs(request: VideoRequest) -> str:
    try:
        text = " ".join(map(object_of, references_of(request)))
    except InputError:
        return UNLISTED
    return text if len(text) <= _INPUTS else UNLISTED


def _amount(cost: Decimal) -> str:
    """As plain digits, bounded: an exponent of millions would fill the memory."""
    return format(round(max(cost, Decimal(0)), 10).normalize(), "f")


def _text_of(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def microseconds(moment: datetime) -> int:
    """The time in a listing as a whole number: equal for equal listings of an object."""
    return round(moment.timestamp() * 1_000_000)


_Short = Annotated[str, Field(max_length=200)]
_Amount = Annotated[str, Field(pattern=r"^[0-9]{1,16}(\.[0-9]{1,60})?$")]
T = TypeVar("T")
#: Bounded by the lines of an object: reading stops there.
_Column = Annotated[list[T], Field(max_length=MOST_LINES)]


class _Columns(BaseModel):
    """A column for each field, which is read ten times as fast as a document for each line."""

    index: Literal[2]
    name: _Column[Annotated[str, Field(pattern=r"^[0-9a-f]{24}(\.late)?\.json$")]]
    size: _Column[int]
    written: _Column[int]
    state: _Column[Literal["archived", "failed", "abandoned"]]
    at: _Column[Annotated[str, Field(pattern=_MOMENT)]]
    model: _Column[_Short]
    prompt: _Column[Annotated[str, Field(max_length=_PROMPT)]]
    batch: _Column[_Short | None]
    cost: _Column[_Amount | None]
    key: _Column[Annotated[str, Field(max_length=1024)] | None]
    job: _Column[_Short | None]
    edition: _Column[_Short]
    take: _Column[Annotated[int, Field(ge=1, le=_LAST_TAKE)]]
    seconds: _Column[Annotated[float, Field(allow_inf_nan=False)] | None]
    error: _Column[Annotated[str, Field(max_length=_ERROR)] | None]
    labels: _Column[Annotated[dict[_Short, _Short], Field(max_length=MOST)]]
    review: _Column[_Short | None]
    mark: _Column[Verdict | None]
    note: _Column[Annotated[str, Field(max_length=1_000)]]
    varies: _Column[Annotated[str, Field(max_length=MOST_VARIED)]]
    poster: _Column[bool]
    inputs: _Column[Annotated[str, Field(max_length=_INPUTS, pattern=_MEDIA)]]
    checked: _Column[Annotated[str, Field(pattern=r"^([mc][0-9a-f]{32})?$")]]
    estimate: _Column[_Amount | None]


def packed(entries: Iterable[Entry]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each object for these lines of one month.

    Lines are in the order in which their records were written, so a growing month keeps its first objects.
    """
    return packed_in_order(sorted(entries, key=lambda entry: (entry.written, entry.name)))


def packed_in_order(entries: Iterable[Entry]) -> Iterator[tuple[str, bytes]]:
    """Like `packed`, for lines in that order: only one object's lines are in memory at a time."""
    for lines in _shares(entries):
        columns = zip(*lines, strict=True)
        document = {"index": 2, **dict(zip(Entry._fields, columns, strict=True))}
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        yield f"{hashlib.sha256(data).hexdigest()[:32]}.json.gz", gzip.compress(data, 6, mtime=0)


def _shares(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    lines: list[Entry] = []
    room = _FULL
    for entry in entries:
        labels = sum(len(name) + len(text) for name, text in entry.labels.items())
        weight = 600 + 4 * (
            len(entry.prompt)
            + len(entry.note)
            + len(entry.varies)
            + len(entry.error or "")
            + len(entry.inputs)
            + labels
        )
        if lines and (len(lines) == MOST_LINES or weight > room):
            yield lines
            lines, room = [], _FULL
        lines.append(entry)
        room -= weight
    if lines:
        yield lines


def unpacked(data: bytes) -> list[Entry]:
    """The lines of one object.

    Raises:
        ValueError: it is not a result of `packed`, or is too large.
    """
    if len(data) > MOST_PACKED:
        raise ValueError("it is too large")
    unpacking = zlib.decompressobj(wbits=31)
    try:
        text = unpacking.decompress(data, MOST_UNPACKED)
    except zlib.error as error:
        raise ValueError(f"it cannot be unpacked: {error}") from error
    if not unpacking.eof:
        raise ValueError("it is too large, or cut short")
    try:
        found = _Columns.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(f"{error.error_count()} problems in it") from error
    columns = [getattr(found, name) for name in Entry._fields]
    if len({len(column) for column in columns}) != 1:
        raise ValueError("its columns are of different lengths")
    return cast("list[Entry]", list(map(Entry._make, zip(*columns, strict=True))))
