"""The findings of an audit of the archive, and what was spent. Pure: the flow reads the archive."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from together_video.money import usd_number
from together_video.text import counted

Kind = Literal[
    "missing",
    "size",
    "checksum",
    "unreadable",
    "orphan",
    "half-written",
    "ambiguous",
    "stale",
    "foreign",
]


class AuditFinding(BaseModel):
    """One problem, with the key of its object."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    key: str
    message: str


class SpentRow(BaseModel):
    """What one model cost in one month (UTC), in USD, as the provider reported it.

    `unreported` counts the videos without a reported cost.
    """

    model_config = ConfigDict(frozen=True)

    month: str
    model: str
    videos: int
    failed: int
    cost_usd: Decimal
    unreported: int


class AuditReport(BaseModel):
    """The whole result of an audit."""

    model_config = ConfigDict(frozen=True)

    #: The archive: `s3://bucket/prefix/`, or a folder.
    location: str
    bucket: str | None = None
    records: int
    #: How many of them an earlier audit verified and nothing changed since.
    verified_before: int
    objects: int
    bytes: int
    in_flight: int
    findings: tuple[AuditFinding, ...]
    spent: tuple[SpentRow, ...]

    @property
    def sentence(self) -> str:
        found = counted(len(self.findings), "finding") if self.findings else "no findings"
        before = f" ({self.verified_before} verified before)" if self.verified_before else ""
        records, objects = counted(self.records, "record"), counted(self.objects, "object")
        return (
            f"{records}{before}, {objects} ({self.bytes / 1e6:.1f} MB), {self.in_flight} in flight: {found}"
        )

    def as_json(self) -> dict[str, Any]:
        """One JSON document; amounts are numbers."""
        document = self.model_dump(mode="json")
        for row, spent in zip(document["spent"], self.spent, strict=True):
            row["cost_usd"] = usd_number(spent.cost_usd)
        return document


class Bought(NamedTuple):
    """Equal purchases of a month: their state, the cost of each in USD, and how many there are."""

    month: str
    model: str
    state: str
    cost: str | None
    number: int


def spent_by_month(bought: Iterable[Bought]) -> tuple[SpentRow, ...]:
    """One row per month and model, in order. A purchase counts in the month of its claim."""
    rows: dict[tuple[str, str], SpentRow] = {}
    for month, model, state, cost, number in bought:
        row = rows.get((month, model)) or SpentRow(
            month=month, model=model, videos=0, failed=0, cost_usd=Decimal(0), unreported=0
        )
        rows[month, model] = row.model_copy(
            update={
                "videos": row.videos + number * (state == "archived"),
                "failed": row.failed + number * (state == "failed"),
                "cost_usd": row.cost_usd + Decimal(cost or 0) * number,
                "unreported": row.unreported + number * (cost is None),
            }
        )
    return tuple(row for _, row in sorted(rows.items()))
