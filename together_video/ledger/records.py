"""The life of one paid video as write-once facts.

    absent ──► claimed ──POST accepted──► submitted ──completed──► archived
                  │  └──proven not created──► absent    └──failed, cancelled──► failed
                  └──no clear answer──► ambiguous

Nothing here touches S3: `state_of` decides from the facts that were found. A final record wins over a
job, a job over an ambiguity.
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
from together_video.media.clips import ClipInfo
from together_video.requests import VideoRequest
from together_video.text import printable


def video_id(request: VideoRequest, *, take: int = 1, edition: str = "once", attempt: int = 1) -> str:
    """The name of one purchase: 24 hexadecimal digits of a SHA-256.

    `take` tells identical requests of one batch apart, `edition` says how long "the same request"
    stays the same, and `attempt` counts on only after an earlier purchase is closed for good.
    """
    parts = [request.canonical(), str(take), edition]
    if attempt > 1:
        parts.append(f"attempt {attempt}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def edition_name(edition: str, moment: datetime) -> str:
    """The edition in force at `moment` (the scheduled time of a run, else now).

    `daily` becomes the day in UTC, `daily@ZONE` that of an IANA time zone, and `hourly` the UTC hour: an hour
    of local time comes twice where clocks are put back. `once` and any other text stay as they are.

    Example:
        ```python
        edition_name("daily@Europe/Berlin", datetime(2026, 11, 26, 23, 30, tzinfo=UTC))  # 2026-11-27
        ```

    Raises:
        InputError: it is empty, longer than 100 characters, or not printable on one line; there is no such time zone.
    """
    if not 1 <= len(edition) <= 100 or not edition.isprintable():
        raise InputError(
            "The edition must be once, daily, hourly, or a printable text of up to 100 characters."
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
            f"The edition daily@{printable(name, 60)} names no time zone that this machine knows: write it as in "
            "daily@Europe/Berlin."
        ) from error


def _check_moment(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2999:
        raise ValueError("is in another millennium")
    return moment


def _check_amount(amount: Decimal) -> Decimal:
    # The digits of an absurd exponent would fill the memory wherever it is printed.
    if amount.is_finite() and (amount.adjusted() > 15 or len(amount.as_tuple().digits) > 60):
        raise ValueError("is no amount of money")
    return amount


#: A time with its zone, in which others can be reckoned with.
Moment = Annotated[AwareDatetime, AfterValidator(_check_moment)]
#: US dollars.
Usd = Annotated[Decimal, AfterValidator(_check_amount)]


class _Fact(BaseModel):
    """A fact is written once and never changed; unknown fields of newer writers are ignored."""

    model_config = ConfigDict(frozen=True)


class RunRef(_Fact):
    """The Prefect run that did it, so that a video can be traced to its logs."""

    flow_run_id: str | None = None
    flow_run_name: str | None = None
    host: str | None = None


class Origin(_Fact):
    """Where a prompt came from, if a brief gave it."""

    brief_id: str
    chat_model: str


class Sweep(_Fact):
    """Which requests the lists of one line gave, and what this one has of them.

    `label` names the line, such as "line 3". `values` are the fields that vary, as text, in the
    order of the line; the last of them takes `columns` different values.
    """

    label: str
    values: dict[str, str]
    columns: int = Field(default=1, ge=1)


class VideoPlan(_Fact):
    """One video that is to be made: the request, and all that names its purchase.

    `sweep` is for people who compare, and no part of the id.
    """

    request: VideoRequest
    take: int = Field(default=1, ge=1)
    edition: str = Field(default="once", min_length=1, max_length=100)
    attempt: int = Field(default=1, ge=1)
    origin: Origin | None = None
    batch_id: str | None = None
    sweep: Sweep | None = None
    estimate_usd: Usd | None = None

    @property
    def id(self) -> str:
        return video_id(self.request, take=self.take, edition=self.edition, attempt=self.attempt)

    def next_attempt(self) -> VideoPlan:
        """The same video, to be bought again after this purchase is closed for good."""
        return self.model_copy(update={"attempt": self.attempt + 1})

    @property
    def title(self) -> str:
        return self.request.title


class Claim(_Fact):
    """`inflight/<id>/claim.json`: somebody is about to pay for this request.

    `token` tells whose claim it is. `valid_seconds` is how long the create behind it can take;
    a claim that is older and has no job is ambiguous. Every key is fixed here, date included.
    `reservation` is the key of what it holds of the archive's monthly limit, if there is one. `key_id` is the
    provider's id of the API key that pays, if it says.
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
    """`inflight/<id>/job.json`: the provider took the request; here is the job id.

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
        """The fact that this job answers this claim, as of now."""
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

    `sent_at` is when it was sent, if anybody knows; `request_ids` identify the call, if there was an answer.
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
    """`records/<id>.json`: how it ended. Final, and wins over anything in flight.

    `abandoned` closes an ambiguous purchase that a user chose to buy again; with a `job_id` where that is
    a job that the provider has forgotten.
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
    #: Earlier answers about the job with a status that nobody knows, as they came.
    not_understood: tuple[dict[str, Any], ...] = ()
    #: What identifies the create for the provider's support, by header.
    request_ids: RequestIds = Field(default_factory=dict)
    key_id: Annotated[str, Field(max_length=200)] | None = None
    run: RunRef = RunRef()

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
        """How this claim ended, as of now; `more` are further fields."""
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


#: How long after its create a job is watched that was in doubt, given up and bought again, in seconds.
WATCHED_SECONDS = 30 * 86_400.0


class LedgerState(StrEnum):
    """What the facts about one purchase add up to."""

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
