"""What the ledger knows about the money of one purchase, from all its facts. Pure.

A purchase is *paid* if the provider reported a cost, *in flight* while its job runs, and *perhaps paid* if that is
unknown: its create had no clear answer, it was given up, or it ended without a cost. Unknown costs count at the highest
estimate, as they do for the monthly limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from together_video.jobs import VideoJob
from together_video.ledger.records import Claim, LedgerState, Submission, VideoPlan, VideoRecord
from together_video.ledger.reviews import Verdict


class Money(StrEnum):
    """How certain it is that a purchase was paid."""

    PAID = "paid"
    PERHAPS_PAID = "perhaps paid"
    IN_FLIGHT = "in flight"


def money_of(state: str, cost_usd: Decimal | None) -> Money:
    """How certain it is that a purchase in this state was paid."""
    if cost_usd is not None:
        return Money.PAID
    is_under_way = state in {LedgerState.CLAIMED, LedgerState.SUBMITTED}
    return Money.IN_FLIGHT if is_under_way else Money.PERHAPS_PAID


@dataclass(frozen=True)
class Bought:
    """One purchase: what it cost, or may cost, and when it was claimed.

    Example:
        ```python
        Bought.of_record(record).amount_usd  # Decimal("0.28")
        ```
    """

    id: str
    #: The time of the claim, in UTC. It counts in that month, also for the monthly limit.
    moment: datetime
    model: str
    money: Money
    #: US dollars: the cost, or the highest estimate; None if neither is known.
    amount_usd: Decimal | None
    job_id: str | None = None
    #: Whether its video is in the archive.
    is_clip: bool = False
    #: Whether the provider reported the job as failed.
    is_failed: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    #: The model by the provider's answer, if it says so: an old name may be redirected to a new model.
    answered_model: str | None = None
    #: When it ended, by the provider's clock if known; None if it has not ended.
    ended_at: datetime | None = None
    #: The length of the clip, in seconds.
    seconds: float | None = None
    #: The provider's id of the API key that paid, if known.
    key_id: str | None = None
    #: The reviewers' verdict on its clip.
    verdict: Verdict | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was bought after all: another model took over, or the bill shows no charge."""
        return self.money is Money.PAID and not self.amount_usd and self.job_id is None

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
        """A finished purchase."""
        cost = record.cost_usd
        return cls(
            id=record.id,
            moment=(record.claimed_at or record.recorded_at).astimezone(UTC),
            model=record.plan.request.model,
            money=money_of(record.state, cost),
            amount_usd=record.plan.estimate_usd if cost is None else max(cost, Decimal(0)),
            job_id=record.job_id,
            is_clip=record.state == "archived",
            is_failed=record.state == "failed",
            labels=record.plan.request.labels,
            answered_model=_model_of(record.job),
            ended_at=_ended_at(record),
            seconds=record.clip.seconds if record.clip else None,
            key_id=record.key_id,
        )

    @classmethod
    def of_claim(cls, claim: Claim, state: LedgerState, submission: Submission | None = None) -> Bought:
        """A purchase without a record so far, in the state that its facts show."""
        plan: VideoPlan = claim.plan
        return cls(
            id=claim.id,
            moment=claim.claimed_at.astimezone(UTC),
            model=plan.request.model,
            money=money_of(state, None),
            amount_usd=plan.estimate_usd,
            job_id=submission.job_id if submission else None,
            labels=plan.request.labels,
            answered_model=_model_of(submission.answer) if submission else None,
            key_id=claim.key_id,
        )


def _model_of(answer: Mapping[str, Any]) -> str | None:
    model = answer.get("model")
    return model if isinstance(model, str) and 0 < len(model) <= 200 else None


def _ended_at(record: VideoRecord) -> datetime:
    """When the provider finished, if it says so and that is plausible; otherwise, when it was recorded."""
    try:
        finished = VideoJob.from_json(record.job).finished_at if record.job else None
    except ValueError:
        finished = None
    claimed_at = record.claimed_at or record.recorded_at
    if finished is not None and claimed_at <= finished < record.recorded_at:
        return finished
    return record.recorded_at
