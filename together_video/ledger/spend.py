"""What was spent over time: sums of purchases by day, month, model or label. Pure: the callers read the archive."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from together_video.errors import InputError
from together_video.labels import label_name
from together_video.ledger.bought import Bought, Money
from together_video.money import usd, usd_number, usd_number_or_none
from together_video.text import counted, printable, spreadsheet_cell

#: Most groups, and the group for all further ones: a label can have any number of values.
MOST_GROUPS, OTHERS = 5_000, "(others)"
#: The group of purchases without the label.
WITHOUT = "(none)"
#: Most unreadable records that are named; further ones are only counted.
MOST_NAMED = 100

_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")
_COLUMNS = (
    "videos",
    "clips",
    "failed",
    "paid_usd",
    "perhaps_paid_usd",
    "in_flight_usd",
    "usd_per_clip",
    "unpriced",
    "accepted",
    "rejected",
    "usd_per_accepted",
)


class Grouping(BaseModel):
    """The grouping of rows: `day`, `month`, `model`, `campaign` or `label:NAME`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["day", "month", "model", "label"]
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> Grouping:
        """`campaign` is the label of that name.

        Raises:
            InputError: it is none of these.
        """
        kind, colon, name = text.strip().partition(":")
        if not colon and kind in {"day", "month", "model"}:
            return cls.model_validate({"kind": kind})
        if text == "campaign":
            return cls(kind="label", label="campaign")
        if kind == "label" and name:
            try:
                return cls(kind="label", label=label_name(name))
            except ValueError as error:
                raise InputError(f"{error}.") from error
        raise InputError(
            f"Spending cannot be grouped by {printable(text, 60)!r}: use day, month, model, campaign or label:NAME."
        )

    @property
    def text(self) -> str:
        """As the user gives it: `day`, `label:campaign`."""
        return self.kind if self.label is None else f"{self.kind}:{self.label}"

    @property
    def is_time(self) -> bool:
        return self.kind in {"day", "month"}

    def key(self, bought: Bought) -> str:
        """The row for a purchase."""
        if self.kind == "label":
            return bought.labels.get(self.label or "", WITHOUT)
        return {"day": bought.day, "month": bought.month, "model": bought.model}[self.kind]


class Period(BaseModel):
    """The days on which purchases were claimed, in UTC: `since` is the first and `until` the last."""

    model_config = ConfigDict(frozen=True)

    since: date | None = None
    until: date | None = None

    @property
    def first_month(self) -> str:
        """The month of the first day, such as `2026-11`; empty if there is none."""
        return "" if self.since is None else f"{self.since:%Y-%m}"

    @classmethod
    def of_month(cls, month: str) -> Period:
        """A calendar month such as `2026-11`.

        Raises:
            InputError: it is not a month.
        """
        if not _MONTH.fullmatch(month):
            raise InputError(f"{printable(month, 40)!r} is not a month such as 2026-11.")
        first = date(int(month[:4]), int(month[5:]), 1)
        return cls(since=first, until=(first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @classmethod
    def parse(cls, since: str | None, until: str | None) -> Period:
        """Days such as `2026-11-01`.

        Raises:
            InputError: one is not a day, or they are the wrong way round.
        """
        found = cls(since=_day(since), until=_day(until))
        if found.since and found.until and found.since > found.until:
            raise InputError(
                f"The period from {found.since} to {found.until} has no days: the first day is after the last."
            )
        return found

    @property
    def start(self) -> datetime | None:
        """The moment at which it begins."""
        return (
            None
            if self.since is None
            else datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC)
        )

    def holds(self, moment: datetime) -> bool:
        day = moment.astimezone(UTC).date()
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class SpendRow(BaseModel):
    """The purchases of one day, month, model or label, in US dollars."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(description="The day, the month, the model, or the label's value.")
    videos: int = Field(default=0, description="How many videos were bought, or are being bought.")
    clips: int = Field(default=0, description="How many of them are in the archive.")
    failed: int = Field(default=0, description="How many of them the provider reported as failed.")
    paid_usd: Decimal = Field(default=Decimal(0), description="What the provider charged, as it reported it.")
    perhaps_paid_usd: Decimal = Field(
        default=Decimal(0), description="What may have been charged in addition, at the highest estimate."
    )
    in_flight_usd: Decimal = Field(
        default=Decimal(0), description="What is running at the provider, at the highest estimate."
    )
    unpriced: int = Field(default=0, description="How many have neither a cost nor an estimate.")
    accepted: int = Field(default=0, description="How many clips have a star as their newest mark.")
    rejected: int = Field(default=0, description="How many clips are rejected by their newest mark.")

    @property
    def usd_per_accepted(self) -> Decimal | None:
        """The cost per accepted clip, including all other clips, rejected or not reviewed. None without an accepted
        clip.
        """
        return self.paid_usd / self.accepted if self.accepted else None

    @property
    def usd_per_clip(self) -> Decimal | None:
        """The cost per clip in the archive, including failed jobs. None without a clip."""
        return self.paid_usd / self.clips if self.clips else None

    @property
    def most_usd(self) -> Decimal:
        """Paid, perhaps paid and in flight together."""
        return self.paid_usd + self.perhaps_paid_usd + self.in_flight_usd

    def with_one(self, bought: Bought) -> SpendRow:
        """This row with one more purchase."""
        amount = bought.amount_usd or Decimal(0)
        field = {
            Money.PAID: "paid_usd",
            Money.PERHAPS_PAID: "perhaps_paid_usd",
            Money.IN_FLIGHT: "in_flight_usd",
        }[bought.money]
        return self.model_copy(
            update={
                "videos": self.videos + 1,
                "clips": self.clips + bought.is_clip,
                "failed": self.failed + bought.is_failed,
                "unpriced": self.unpriced + (bought.amount_usd is None),
                "accepted": self.accepted + (bought.is_clip and bought.verdict == "star"),
                "rejected": self.rejected + (bought.is_clip and bought.verdict == "reject"),
                field: getattr(self, field) + amount,
            }
        )

    def as_json(self) -> dict[str, Any]:
        """Amounts as the numbers that people see."""
        each = self.usd_per_clip
        return {
            "key": self.key,
            "videos": self.videos,
            "clips": self.clips,
            "failed": self.failed,
            "paid_usd": usd_number(self.paid_usd),
            "perhaps_paid_usd": usd_number(self.perhaps_paid_usd),
            "in_flight_usd": usd_number(self.in_flight_usd),
            "usd_per_clip": usd_number_or_none(each),
            "unpriced": self.unpriced,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "usd_per_accepted": usd_number_or_none(self.usd_per_accepted),
        }


class MonthToDate(BaseModel):
    """The current calendar month (UTC) and the archive's monthly limit, in US dollars."""

    model_config = ConfigDict(frozen=True)

    row: SpendRow = Field(description="All purchases of the month; its key is the month.")
    limit_usd: Decimal | None = Field(default=None, description="The archive's monthly limit, if it has one.")
    counted_usd: Decimal = Field(
        default=Decimal(0),
        description="What counts towards the limit: the higher of records and reservations.",
    )

    @property
    def left_usd(self) -> Decimal | None:
        """What is left of the limit; None without a limit."""
        return None if self.limit_usd is None else max(self.limit_usd - self.counted_usd, Decimal(0))

    @property
    def sentence(self) -> str:
        """`2026-11: 12.40 USD paid, 0.30 USD perhaps paid, 0.60 USD in flight, 86.70 USD left of 100.00 USD`"""
        row = self.row
        parts = [f"{usd(row.paid_usd)} paid"]
        if row.perhaps_paid_usd:
            parts.append(f"{usd(row.perhaps_paid_usd)} perhaps paid")
        if row.in_flight_usd:
            parts.append(f"{usd(row.in_flight_usd)} in flight")
        if self.limit_usd is not None and self.left_usd is not None:
            parts.append(f"{usd(self.left_usd)} left of {usd(self.limit_usd)}")
        return f"{row.key}: {', '.join(parts)}"

    def as_json(self) -> dict[str, Any]:
        left = self.left_usd
        document = {"month": self.row.key, **self.row.as_json()}
        del document["key"]
        return {
            **document,
            "limit_usd": usd_number_or_none(self.limit_usd),
            "left_usd": usd_number_or_none(left),
        }


class SpendReport(BaseModel):
    """What was spent in a period, by a grouping."""

    model_config = ConfigDict(frozen=True)

    location: str = Field(description="The archive: `s3://bucket/prefix/`, or a folder.")
    by: str = Field(description="The grouping of the rows: day, month, model or label:NAME.")
    since: date | None = Field(default=None, description="The first day (UTC), if there is one.")
    until: date | None = Field(default=None, description="The last day (UTC), if there is one.")
    rows: tuple[SpendRow, ...] = Field(
        description="Days and months in their order, other groups by cost, highest first."
    )
    total: SpendRow = Field(description="All rows together.")
    month: MonthToDate = Field(description="The current month, whatever the period is.")
    unreadable: tuple[str, ...] = Field(
        default=(), description="Keys that could not be read, and do not count."
    )
    more_unreadable: int = Field(default=0, description="How many more could not be read.")

    @property
    def heading(self) -> str:
        """The heading of the first column: `day`, `model`, or the label's name."""
        return self.by.removeprefix("label:")

    @property
    def is_time(self) -> bool:
        """Whether the rows are days or months, in order of time."""
        return self.by in {"day", "month"}

    @property
    def sentence(self) -> str:
        """`3 videos, 2 clips: 0.84 USD paid, 0.42 USD a clip. 2026-11: …`"""
        total, each = self.total, self.total.usd_per_clip
        parts = [f"{usd(total.paid_usd)} paid"]
        if total.perhaps_paid_usd:
            parts.append(f"{usd(total.perhaps_paid_usd)} perhaps paid")
        if total.in_flight_usd:
            parts.append(f"{usd(total.in_flight_usd)} in flight")
        if each is not None:
            parts.append(f"{usd(each)} a clip")
        if total.usd_per_accepted is not None:
            parts.append(f"{total.accepted} accepted at {usd(total.usd_per_accepted)} each")
        if total.rejected:
            parts.append(f"{total.rejected} rejected")
        bought = f"{counted(total.videos, 'video')}, {counted(total.clips, 'clip')}: {', '.join(parts)}"
        unread = len(self.unreadable) + self.more_unreadable
        note = f". {counted(unread, 'record')} could not be read: run audit" if unread else ""
        return f"{bought}. {self.month.sentence}{note}"

    def as_json(self) -> dict[str, Any]:
        """One JSON document; amounts are numbers, rounded as people see them."""
        total = self.total.as_json()
        del total["key"]
        return {
            "location": self.location,
            "by": self.by,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "rows": [row.as_json() for row in self.rows],
            "total": total,
            "month": self.month.as_json(),
            "unreadable": list(self.unreadable),
            "more_unreadable": self.more_unreadable,
        }

    def as_csv(self) -> str:
        """A line for each row after a line with the column names; no total, so that you can add up columns."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([self.heading, *_COLUMNS])
        for row in self.rows:
            cells = row.as_json()
            writer.writerow(
                [
                    spreadsheet_cell(row.key),
                    *("" if cells[name] is None else cells[name] for name in _COLUMNS),
                ]
            )
        return out.getvalue()


class Spending:
    """Adds up purchases one by one. It keeps a row for each group, not the purchases."""

    def __init__(self, grouping: Grouping, period: Period, *, month: str) -> None:
        self._grouping = grouping
        self._period = period
        self._rows: dict[str, SpendRow] = {}
        self._total = SpendRow(key="total")
        self._month = SpendRow(key=month)

    def add(self, bought: Bought) -> None:
        if bought.month == self._month.key:
            self._month = self._month.with_one(bought)
        if not self._period.holds(bought.moment):
            return
        self._total = self._total.with_one(bought)
        key = self._grouping.key(bought)
        if key not in self._rows and len(self._rows) >= MOST_GROUPS:
            key = OTHERS
        self._rows[key] = self._rows.get(key, SpendRow(key=key)).with_one(bought)

    def report(
        self,
        location: str,
        *,
        limit_usd: Decimal | None = None,
        counted_usd: Decimal = Decimal(0),
        unreadable: Iterable[str] = (),
    ) -> SpendReport:
        """Everything that was added.

        Args:
            limit_usd: the archive's monthly limit, if it has one.
            counted_usd: what counts towards it by this month's reservations.
            unreadable: keys that could not be read.
        """
        keys = sorted(unreadable)
        rows = list(self._rows.values())
        if self._grouping.is_time:
            rows.sort(key=lambda row: row.key)
        else:
            rows.sort(key=lambda row: (-row.most_usd, row.key))
        return SpendReport(
            location=location,
            by=self._grouping.text,
            since=self._period.since,
            until=self._period.until,
            rows=tuple(rows),
            total=self._total,
            month=MonthToDate(
                row=self._month, limit_usd=limit_usd, counted_usd=max(counted_usd, self._month.most_usd)
            ),
            unreadable=tuple(keys[:MOST_NAMED]),
            more_unreadable=max(0, len(keys) - MOST_NAMED),
        )


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise InputError(f"{printable(text, 40)!r} is not a day such as 2026-11-01.") from None
    return found
