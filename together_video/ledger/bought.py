"""What the ledger knows of the money of one purchase, whatever facts there are of it. Pure.

A purchase is *paid* where the provider reported a cost, *in flight* while its job runs, and *perhaps paid* where nobody
knows: its create had no clear answer, it was given up, or it ended without a cost. What is not known counts at the
highest estimate, as it does against a monthly limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from together_video.ledger.records import Claim, LedgerState, VideoPlan, VideoRecord


class Money(StrEnum):
    """How certain it is that a purchase was paid."""

    PAID = "paid"
    PERHAPS_PAID = "perhaps paid"
    IN_FLIGHT = "in flight"


@dataclass(frozen=True)
class Bought:
    """One purchase: what it cost, or may cost, and when its claim was made.

    Example:
        ```python
        Bought.of_record(record).amount_usd  # Decimal("0.28")
        ```
    """

    id: str
    #: The time of the claim, in UTC: the month that it counts in, as it does for a monthly limit.
    moment: datetime
    model: str
    money: Money
    #: US dollars: the cost, or the highest estimate; None where neither is known.
    amount_usd: Decimal | None
    job_id: str | None = None
    #: Whether its video is in the archive.
    is_clip: bool = False
    #: Whether the provider reported the job as failed.
    is_failed: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def month(self) -> str:
        """`2026-11`, in UTC."""
        return f"{self.moment:%Y-%m}"

    @property
    def day(self) -> str:
        """`2026-11-27`, in UTC."""
        return f"{self.moment:%Y-%m-%d}"

    @classmethod
    def of_record(cls, record: VideoRecord) -> Bought:
        """A purchase that is over."""
        cost = record.cost_usd
        return cls(
            id=record.id,
            moment=(record.claimed_at or record.recorded_at).astimezone(UTC),
            model=record.plan.request.model,
            money=Money.PERHAPS_PAID if cost is None else Money.PAID,
            amount_usd=record.plan.estimate_usd if cost is None else max(cost, Decimal(0)),
            job_id=record.job_id,
            is_clip=record.state == "archived",
            is_failed=record.state == "failed",
            labels=record.plan.request.labels,
        )

    @classmethod
    def of_claim(cls, claim: Claim, state: LedgerState, job_id: str | None = None) -> Bought:
        """A purchase that has no record yet, in the state that its facts add up to."""
        plan: VideoPlan = claim.plan
        return cls(
            id=claim.id,
            moment=claim.claimed_at.astimezone(UTC),
            model=plan.request.model,
            money=Money.PERHAPS_PAID if state is LedgerState.AMBIGUOUS else Money.IN_FLIGHT,
            amount_usd=plan.estimate_usd,
            job_id=job_id,
            labels=plan.request.labels,
        )
