"""The life of one paid video as write-once facts.

    absent ──► claimed ──POST accepted──► submitted ──completed──► archived
                  │  └──proven not created──► absent    └──failed, cancelled──► failed
                  └──no clear answer──► ambiguous

Nothing here touches S3: `state_of` decides from the facts that were found. A final record takes precedence over a job,
    a job over an ambiguity.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from together_video.errors import InputError
from together_video.jobs import VideoJob
from together_video.ledger.names import Key, RequestIds, Token, VideoId
from together_video.ledger.titles import title_of
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest
from together_video.text import printable
from together_video.tries import new_seed


def video_id(request: VideoRequest, *, take: int = 1, edition: str = "once", attempt: int = 1) -> str:
    """The id of one purchase: 24 hexadecimal digits of a SHA-256.

    `take` distinguishes identical requests of one batch, `edition` says when an identical request may be bought again,
    and `attempt` increases only after an earlier purchase is closed for good.
    """
    parts = [request.canonical(), str(take), edition]
    if attempt > 1:
        parts.append(f"attempt {attempt}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def fallback_id(asked: str, model: str, *, attempt: int = 1) -> str:
    """The id of a purchase from another model than the first requested one.

    It depends on the id of the first purchase and not on the request as fitted to the model, so a newer catalogue that
    fits it differently finds the same purchase.
    """
    parts = [f"instead of {asked}", model, *([f"attempt {attempt}"] if attempt > 1 else [])]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def edition_name(edition: str, moment: datetime) -> str:
    """The edition at `moment` (the scheduled time of a run, or now).

    `daily` becomes the day in UTC, `daily@ZONE` that of an IANA time zone, and `hourly` the UTC hour: an hour of local
    time occurs twice when clocks are put back. `once` and any other text stay unchanged.

    Example:
        ```python
        edition_name("daily@Europe/Berlin", datetime(2026, 11, 26, 23, 30, tzinfo=UTC))  # 2026-11-27
        ```

    Raises:
        InputError: it is empty, longer than 100 characters, or not printable on one line; there is no such time zone.
    """
    if not 1 <= len(edition) <= 100 or not edition.isprintable():
        raise InputError(
            "The edition must be once, daily, hourly, or printable text of up to 100 characters."
        )
    kind, at, zone = edition.partition("@")
    if kind == "daily":
        return moment.astimezone(_zone(zone) if at else UTC).strftime("%Y-%m-%d")
    if edition == "hourly":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
    return edition


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise InputError(
            f"The edition daily@{printable(name, 60)} does not name a time zone that this machine knows: write it "
            "like daily@Europe/Berlin."
        ) from error


def _check_moment(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2999:
        raise ValueError("is in another millennium")
    return moment


def _check_amount(amount: Decimal) -> Decimal:
    # Printing an absurd exponent as digits would fill the memory.
    if amount.is_finite() and (amount.adjusted() > 15 or len(amount.as_tuple().digits) > 60):
        raise ValueError("is not an amount of money")
    return amount


#: A time with its zone, within a range that allows arithmetic.
Moment = Annotated[AwareDatetime, AfterValidator(_check_moment)]
#: US dollars.
Usd = Annotated[Decimal, AfterValidator(_check_amount)]


class _Fact(BaseModel):
    """A fact is written once and never changed. Unknown fields from newer versions are ignored."""

    model_config = ConfigDict(frozen=True)


class RunRef(_Fact):
    """The Prefect run that made a video, so that you can find its logs."""

    flow_run_id: str | None = None
    flow_run_name: str | None = None
    host: str | None = None


class Origin(_Fact):
    """The origin of a prompt that came from a brief."""

    brief_id: str
    chat_model: str


class Sweep(_Fact):
    """The sweep of one line's lists, and the values of this request.

    `label` names the line, such as "line 3". `values` are the fields that vary, as text, in the
    order of the line; the last of them has `columns` different values.
    """

    label: str
    values: dict[str, str]
    columns: int = Field(default=1, ge=1)


class Fallback(_Fact):
    """A model that takes over: the changes in the request, and the most that the video may cost there."""

    model: str = Field(min_length=1, max_length=200)
    changes: dict[str, str | int | float | None] = Field(default_factory=dict)
    estimate_usd: Usd | None = None


class VideoPlan(_Fact):
    """One video to make: the request, and everything that determines the id of its purchase.

    `sweep` is for comparing videos and not part of the id; neither are `attempts` (most purchases from one model),
    `new_seed` (whether a later one has another seed) and `fallbacks`. A fallback model's plan has the requested model
    and the id of the first purchase from that. `asked_seed` is the seed of the first attempt, if this one has another.
    """

    request: VideoRequest
    take: int = Field(default=1, ge=1)
    edition: str = Field(default="once", min_length=1, max_length=100)
    attempt: int = Field(default=1, ge=1)
    origin: Origin | None = None
    batch_id: str | None = None
    sweep: Sweep | None = None
    estimate_usd: Usd | None = None
    attempts: int = Field(default=1, ge=1)
    new_seed: bool = False
    fallbacks: tuple[Fallback, ...] = ()
    asked_model: str | None = Field(default=None, max_length=200)
    instead_of: VideoId | None = None
    asked_seed: int | None = None

    @property
    def id(self) -> str:
        return self._id(self.attempt)

    @property
    def asked_id(self) -> str:
        """The id of the first purchase of this video: the same for all attempts and models."""
        return self.instead_of or self._id(1)

    def _id(self, attempt: int) -> str:
        if self.instead_of is not None:
            return fallback_id(self.instead_of, self.request.model, attempt=attempt)
        asked = self.request
        if self.asked_seed is not None:
            asked = asked.model_copy(update={"seed": self.asked_seed})
        return video_id(asked, take=self.take, edition=self.edition, attempt=attempt)

    def next_attempt(self) -> VideoPlan:
        """The plan to buy the same video again after this purchase is closed for good."""
        following = self.attempt + 1
        changed: dict[str, Any] = {"attempt": following}
        if self.new_seed and self.request.seed is not None:
            asked = self.request.seed if self.asked_seed is None else self.asked_seed
            seed = new_seed(asked, following)
            changed |= {"asked_seed": asked, "request": self.request.model_copy(update={"seed": seed})}
        return self.model_copy(update=changed)

    @property
    def chain(self) -> list[VideoPlan]:
        """This plan, and one for each fallback model, in order. All have the same `asked_id`."""
        return [self, *(self._on(place) for place in range(len(self.fallbacks)))]

    def _on(self, place: int) -> VideoPlan:
        fallback = self.fallbacks[place]
        request = self.request
        if self.asked_seed is not None:
            request = request.model_copy(update={"seed": self.asked_seed})
        return self.model_copy(
            update={
                "request": request.model_copy(update={"model": fallback.model, **fallback.changes}),
                "estimate_usd": fallback.estimate_usd,
                "fallbacks": self.fallbacks[place + 1 :],
                "asked_model": self.asked_model or self.request.model,
                "instead_of": self.asked_id,
                "asked_seed": None,
                "attempt": 1,
            }
        )

    @property
    def is_tried_again(self) -> bool:
        """Whether a run may make more than one purchase for this video."""
        return self.attempts > 1 or bool(self.fallbacks)

    @property
    def highest_usd(self) -> Decimal | None:
        """The most that one purchase of this video may cost, in US dollars, from the most expensive possible model.

        None if one of the models has no known price.
        """
        prices = [self.estimate_usd, *(fallback.estimate_usd for fallback in self.fallbacks)]
        known = [price for price in prices if price is not None]
        return max(known) if len(known) == len(prices) else None

    @property
    def most_usd(self) -> Decimal | None:
        """The most that all purchases of this video may cost together, in US dollars, if each is billed.

        The provider is not known to bill failed jobs. None if a price is unknown.
        """
        prices = [self.estimate_usd, *(fallback.estimate_usd for fallback in self.fallbacks)]
        known = [price for price in prices if price is not None]
        return sum(known, Decimal(0)) * self.attempts if len(known) == len(prices) else None

    @property
    def title(self) -> str:
        """The request's title, and what differs from the other videos of its sweep."""
        return self.title_in(120)

    def title_in(self, longest: int) -> str:
        """The title in at most `longest` characters; the prompt is cut before what varies."""
        return title_of(self.request.title, self.sweep.values if self.sweep else None, longest)


class Claim(_Fact):
    """`inflight/<id>/claim.json`: a process is about to pay for this request.

    `token` identifies the owner of the claim. `valid_seconds` is how long its create can take; an older claim without a
    job is ambiguous. All keys are fixed here, including the date. `reservation` is the key of its reservation in the
    archive's monthly limit, if there is one. `key_id` is the provider's id of the API key that pays, if known.
    """

    id: VideoId
    token: Token
    plan: VideoPlan
    claimed_at: Moment
    valid_seconds: float
    video_key: Key
    poster_key: Key
    reservation: Key | None = None
    key_id: Annotated[str, Field(max_length=200)] | None = None
    run: RunRef = RunRef()


class Submission(_Fact):
    """`inflight/<id>/job.json`: the provider accepted the request, with this job id.

    `sent_at` is when the create was sent, `submitted_at` when it was answered; `request_ids` identify that call.
    """

    id: VideoId
    token: Token
    job_id: str
    submitted_at: Moment
    sent_at: Moment | None = None
    request_ids: RequestIds = Field(default_factory=dict)
    answer: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, claim: Claim, job: VideoJob, sent_at: datetime | None = None) -> Submission:
        """The fact that this claim has this job, as of now."""
        return cls(
            id=claim.id,
            token=claim.token,
            job_id=job.id,
            submitted_at=datetime.now(UTC),
            sent_at=sent_at,
            request_ids=job.request_ids,
            answer=job.raw,
        )


class Ambiguity(_Fact):
    """`inflight/<id>/ambiguous.json`: the POST had no clear answer; it may have been charged.

    `sent_at` is when it was sent, if known; `request_ids` identify the call, if there was an answer.
    """

    id: VideoId
    token: Token
    found_at: Moment
    reason: str
    sent_at: Moment | None = None
    request_ids: RequestIds = Field(default_factory=dict)
    status: int | None = None
    body: str | None = None


class StoredObject(_Fact):
    """One object in the bucket: its key, its size in bytes, its SHA-256 in hexadecimal."""

    key: Key
    size: int = Field(ge=0, le=2**53)
    sha256: str
    content_type: str


class VideoRecord(_Fact):
    """`records/<id>.json`: how it ended. Final, and takes precedence over anything in flight.

    `abandoned` closes an ambiguous purchase that a user chose to buy again. It has a `job_id` if the provider no longer
    knows the job. With `followed_by` it closes a purchase that was never made: the model did not accept the request,
    and the purchase with that id, from another model, takes its place.
    """

    id: VideoId
    state: Literal["archived", "failed", "abandoned"]
    plan: VideoPlan
    job_id: str | None = None
    claimed_at: Moment | None = None
    sent_at: Moment | None = None
    submitted_at: Moment | None = None
    recorded_at: Moment
    cost_usd: Usd | None = None
    video: StoredObject | None = None
    poster: StoredObject | None = None
    clip: ClipInfo | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    error_code: str | None = None
    job: dict[str, Any] = Field(default_factory=dict)
    #: Earlier answers about the job with an unknown status, unchanged.
    not_understood: tuple[dict[str, Any], ...] = ()
    #: The ids of the create for the provider's support, by header.
    request_ids: RequestIds = Field(default_factory=dict)
    key_id: Annotated[str, Field(max_length=200)] | None = None
    run: RunRef = RunRef()
    followed_by: VideoId | None = None

    @classmethod
    def of(
        cls,
        claim: Claim,
        state: Literal["archived", "failed", "abandoned"],
        *,
        submission: Submission | None = None,
        job: VideoJob | None = None,
        **more: Any,
    ) -> VideoRecord:
        """The record of how this claim ended, as of now; `more` are further fields."""
        known: dict[str, Any] = {"run": claim.run, "key_id": claim.key_id}
        if submission is not None:
            known |= {
                "job_id": submission.job_id,
                "sent_at": submission.sent_at,
                "submitted_at": submission.submitted_at,
                "request_ids": submission.request_ids,
            }
        if job is not None:
            known |= {"cost_usd": job.cost_usd, "job": job.raw, "not_understood": job.not_understood}
        fields = {**known, **more, "id": claim.id, "plan": claim.plan, "claimed_at": claim.claimed_at}
        return cls(state=state, recorded_at=datetime.now(UTC), **fields)


#: How long after its create a given-up ambiguous job is still polled, in seconds.
WATCHED_SECONDS = 30 * 86_400.0


class LedgerState(StrEnum):
    """The state of one purchase, from its facts."""

    ABSENT = "absent"
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    AMBIGUOUS = "ambiguous"
    ARCHIVED = "archived"
    FAILED = "failed"
    ABANDONED = "abandoned"


def state_of(
    *,
    claim: Claim | None = None,
    submission: Submission | None = None,
    ambiguity: Ambiguity | None = None,
    record: VideoRecord | None = None,
    claim_age: float | None = None,
) -> LedgerState:
    """Decide from the facts that were found. `claim_age` is in seconds, by the store's own clock.

    A claim without a job id that is older than its create can take is ambiguous.
    """
    if record is not None:
        return LedgerState(record.state)
    if submission is not None:
        return LedgerState.SUBMITTED
    if ambiguity is not None:
        return LedgerState.AMBIGUOUS
    if claim is None:
        return LedgerState.ABSENT
    if claim_age is not None and claim_age > claim.valid_seconds:
        return LedgerState.AMBIGUOUS
    return LedgerState.CLAIMED
