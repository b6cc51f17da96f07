"""The summary at the end of a run: one row per video, the counts, the cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from together_video.ledger.account import Account, account_of
from together_video.ledger.names import Key
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import Usd, VideoPlan, VideoRecord
from together_video.ledger.titles import title_of
from together_video.media.clips import MOST_PIXELS
from together_video.money import usd_number_or_none


class VideoState(StrEnum):
    """How one video of a run ended."""

    ARCHIVED = "archived"  # archived by this run, which paid for it unless another run had bought it
    REUSED = "reused"  # archived earlier: free of charge
    FAILED = "failed"  # the provider gave up on it
    REFUSED = "refused"  # nothing was created
    AMBIGUOUS = "ambiguous"  # may have been charged; not bought again
    SUBMITTED = "submitted"  # still running at the provider, and billed
    SKIPPED = "skipped"  # not started


#: States with which a run still exits with 0.
GOOD = frozenset({VideoState.ARCHIVED, VideoState.REUSED})


class VideoOutcome(BaseModel):
    """One row of the summary, as `--json` prints it. USD, bytes, seconds and pixels."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The purchase's id in the archive.")
    state: VideoState = Field(description="How it ended.")
    job_id: str | None = Field(default=None, description="The provider's id of the job.")
    prompt: str | None = Field(default=None, description="The prompt.")
    model: str = Field(description="The model's API name.")
    asked_model: str | None = Field(
        default=None, description="The requested model, if another one took over."
    )
    asked_id: str | None = Field(
        default=None, description="The id of the first attempt, if this is a later one or another model's."
    )
    failed: int = Field(default=0, ge=0, description="How many attempts before this one failed in this run.")
    failed_usd: Usd = Field(
        default=Decimal(0),
        description="What the provider charged for those, in US dollars, as far as it reported it.",
    )
    failed_perhaps_usd: Usd = Field(
        default=Decimal(0), description="What those without a reported cost may have cost, in US dollars."
    )
    estimate_usd: Usd | None = Field(
        default=None, description="The most that this purchase may cost, in US dollars, if known."
    )
    paid_earlier: bool = Field(
        default=False,
        description="Whether another run bought it, so this one paid nothing for it.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="The labels of the request.")
    varies: dict[str, str] = Field(
        default_factory=dict,
        description="What differs from the others of its sweep: the fields that vary, as text.",
    )
    cost_usd: Usd | None = Field(
        default=None, description="What the provider charged, in US dollars, if reported."
    )
    bucket: str | None = Field(default=None, description="The bucket; null if the archive is a folder.")
    key: Key | None = Field(default=None, description="Its key in the bucket, or its path below the folder.")
    uri: str | None = Field(
        default=None, description="The address of the video: `s3://bucket/key` or `file:///folder/key`."
    )
    file: str | None = Field(
        default=None,
        description="The path of a playable file on the machine that ran the command, if there is one.",
    )
    sha256: str | None = Field(default=None, description="The file's SHA-256, in hexadecimal.")
    size: int | None = Field(default=None, ge=0, le=2**53, description="The file's size in bytes.")
    seconds: float | None = Field(default=None, description="Its length in seconds.")
    width: int | None = Field(default=None, ge=0, le=MOST_PIXELS, description="Width in pixels.")
    height: int | None = Field(default=None, ge=0, le=MOST_PIXELS, description="Height in pixels.")
    error: str | None = Field(default=None, description="Why it is not in the archive.")
    notes: tuple[str, ...] = Field(
        default=(),
        description="Problems of the archived file: it does not match the request, or cannot be opened.",
    )

    @property
    def was_paid_earlier(self) -> bool:
        """Whether this run paid nothing for the video itself."""
        return self.paid_earlier or self.state is VideoState.REUSED

    @property
    def account(self) -> Account:
        """What this run paid for the video, and what it may still pay; see `Account`."""
        return self.failed_account if self.was_paid_earlier else self.price

    @property
    def price(self) -> Account:
        """What the video costs, whichever run paid for it, including the failed attempts of this run."""
        return self.failed_account + self.own_price

    @property
    def failed_account(self) -> Account:
        """What this run's failed attempts cost."""
        return Account(paid=self.failed_usd, perhaps_paid=self.failed_perhaps_usd)

    @property
    def own_price(self) -> Account:
        """What this purchase alone costs.

        A job without a reported cost is perhaps paid: it is unknown whether failed jobs are billed.
        """
        estimate = self.estimate_usd or Decimal(0)
        if self.cost_usd is not None:
            return Account(paid=self.cost_usd)
        if self.state is VideoState.SUBMITTED:
            return Account(in_flight=estimate)
        if self.state is VideoState.AMBIGUOUS or self.job_id is not None:
            return Account(perhaps_paid=estimate)
        return Account()

    @property
    def of_others(self) -> Account:
        """What another run paid, or may still pay, for a job that this run only waited for."""
        is_waited_for = self.paid_earlier and self.state in {VideoState.ARCHIVED, VideoState.SUBMITTED}
        return self.own_price if is_waited_for else Account()

    def title_in(self, longest: int) -> str:
        """The prompt, or the model without one, and what varies in its sweep, in at most `longest` characters on one
        line.
        """
        return title_of(self.prompt or self.model, self.varies, longest)

    def as_json(self) -> dict[str, Any]:
        """Plain values; amounts are numbers, rounded as people see them."""
        amounts = {
            "cost_usd": self.cost_usd,
            "estimate_usd": self.estimate_usd,
            "failed_usd": self.failed_usd,
            "failed_perhaps_usd": self.failed_perhaps_usd,
        }
        numbers = {name: usd_number_or_none(amount) for name, amount in amounts.items()}
        return {**self.model_dump(mode="json"), **numbers}

    @classmethod
    def of_plan(
        cls, plan: VideoPlan, state: VideoState, *, error: str | None = None, job_id: str | None = None
    ) -> VideoOutcome:
        return cls(
            id=plan.id,
            state=state,
            job_id=job_id,
            prompt=plan.request.prompt,
            model=plan.request.model,
            asked_model=plan.asked_model,
            asked_id=_asked_id(plan),
            estimate_usd=plan.estimate_usd,
            labels=plan.request.labels,
            varies=_varies(plan),
            error=error,
        )

    @classmethod
    def of_record(cls, record: VideoRecord, state: VideoState, *, place: ArchivePlace) -> VideoOutcome:
        return cls(
            id=record.id,
            state=state,
            job_id=record.job_id,
            prompt=record.plan.request.prompt,
            model=record.plan.request.model,
            asked_model=record.plan.asked_model,
            asked_id=_asked_id(record.plan),
            estimate_usd=record.plan.estimate_usd,
            labels=record.plan.request.labels,
            varies=_varies(record.plan),
            cost_usd=record.cost_usd,
            bucket=place.bucket if record.video else None,
            key=record.video.key if record.video else None,
            uri=place.uri(record.video.key) if record.video else None,
            sha256=record.video.sha256 if record.video else None,
            size=record.video.size if record.video else None,
            seconds=record.clip.seconds if record.clip else None,
            width=record.clip.width if record.clip else None,
            height=record.clip.height if record.clip else None,
            error=record.error,
            notes=record.notes,
        )


def _varies(plan: VideoPlan) -> dict[str, str]:
    return dict(plan.sweep.values) if plan.sweep else {}


def _asked_id(plan: VideoPlan) -> str | None:
    return None if plan.asked_id == plan.id else plan.asked_id


class Summary(BaseModel):
    """What became of each video of a run."""

    model_config = ConfigDict(frozen=True)

    videos: tuple[VideoOutcome, ...] = Field(description="A row for each video.")
    page: Key | None = Field(default=None, description="The key of the gallery page, if one was written.")
    page_uri: str | None = Field(default=None, description="The URI of the gallery page.")
    bought_before: bool = Field(
        default=False, description="Whether earlier runs bought the videos, and this one only collected them."
    )

    @classmethod
    def of(cls, outcomes: Iterable[VideoOutcome], *, bought_before: bool = False) -> Summary:
        return cls(videos=tuple(outcomes), bought_before=bought_before)

    @property
    def counts(self) -> dict[str, int]:
        """Every state with its count, including zero."""
        found = Counter(outcome.state for outcome in self.videos)
        return {state.value: found[state] for state in VideoState}

    @property
    def account(self) -> Account:
        """What this run itself paid, and what it may still pay."""
        return account_of(self.videos)

    @property
    def cost_usd(self) -> Decimal:
        """What this run itself paid, in US dollars, as the provider reported it."""
        return self.account.paid

    @property
    def failed_percent(self) -> int:
        """The share of this run's purchases that gave no video, in percent, rounded up.

        These are failed, refused and ambiguous ones; reused, skipped and running ones are left out.
        """
        counts = self.counts
        bad = counts["failed"] + counts["refused"] + counts["ambiguous"]
        return -(-100 * bad // (bad + counts["archived"])) if bad else 0

    @property
    def is_good(self) -> bool:
        """Whether every video is in the archive."""
        return all(outcome.state in GOOD for outcome in self.videos)

    @property
    def sentence(self) -> str:
        """For a run's final message: `4 videos: 3 archived, 1 ambiguous; 0.84 USD paid in this run, 0.30 USD perhaps
        paid`. Amounts perhaps paid or in flight are included if they are not zero, and so are those for jobs that
        another run bought.
        """
        total = len(self.videos)
        if not total:
            return "0 videos: nothing to do"
        parts = [f"{count} {state}" for state, count in self.counts.items() if count]
        noun = "video" if total == 1 else "videos"
        when = "by the runs that bought them" if self.bought_before else "in this run"
        others = sum((outcome.of_others for outcome in self.videos), Account())
        rest = f"; {others.sentence('by another run')}" if others.committed else ""
        return f"{total} {noun}: {', '.join(parts)}; {self.account.sentence(when)}{rest}"

    def as_json(self) -> dict[str, Any]:
        """The document of `--json`: plain numbers, no Decimals, rounded as people see them."""
        rows = [outcome.as_json() for outcome in self.videos]
        return {"videos": rows, "counts": self.counts, **self.account.as_json()}
