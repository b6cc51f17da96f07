"""What an audit of the archive finds, and what was spent. Pure: the flow reads the archive."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from together_video.ledger.records import VideoRecord
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
    """One thing that is not as it should be, with the key it is about."""

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
    """Everything that an audit has to say."""

    model_config = ConfigDict(frozen=True)

    #: The archive: `s3://bucket/prefix/`, or a folder.
    location: str
    bucket: str | None = None
    records: int
    objects: int
    bytes: int
    in_flight: int
    findings: tuple[AuditFinding, ...]
    spent: tuple[SpentRow, ...]

    @property
    def sentence(self) -> str:
        found = counted(len(self.findings), "finding") if self.findings else "nothing is amiss"
        return (
            f"{counted(self.records, 'record')}, {counted(self.objects, 'object')} ({self.bytes / 1e6:.1f} MB), "
            f"{self.in_flight} in flight: {found}"
        )

    def as_json(self) -> dict[str, Any]:
        """One JSON document; amounts are numbers."""
        document = self.model_dump(mode="json")
        for row, spent in zip(document["spent"], self.spent, strict=True):
            row["cost_usd"] = usd_number(spent.cost_usd)
        return document


def spent_by_month(records: Iterable[VideoRecord]) -> tuple[SpentRow, ...]:
    """One row a month and model, in order. A purchase counts in the month in which it was made."""
    groups: dict[tuple[str, str], list[VideoRecord]] = {}
    for record in records:
        if record.job_id is None:
            continue
        moment = record.submitted_at or record.recorded_at
        groups.setdefault((f"{moment:%Y-%m}", record.plan.request.model), []).append(record)
    return tuple(
        SpentRow(
            month=month,
            model=model,
            videos=sum(record.state == "archived" for record in found),
            failed=sum(record.state == "failed" for record in found),
            cost_usd=sum((record.cost_usd or Decimal(0) for record in found), Decimal(0)),
            unreported=sum(record.cost_usd is None for record in found),
        )
        for (month, model), found in sorted(groups.items())
    )
