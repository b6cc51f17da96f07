"""The life of one paid video as write-once facts, and where each of them lies in the bucket.

    absent ──► claimed ──POST accepted──► submitted ──completed──► archived
                  │  └──proven not created──► absent    └──failed, cancelled──► failed
                  └──no clear answer──► ambiguous

Nothing here touches S3: `state_of` decides from the facts that were found, and `Layout` says
under which key each fact lies. A final record wins over a job, a job over an ambiguity.
"""

from __future__ import annotations

import hashlib
import string
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from slugify import slugify

from together_video.errors import ConfigurationError, InputError
from together_video.jobs import VideoJob
from together_video.media_links import object_of
from together_video.requests import VideoRequest

#: Where the files of a video lie under `<prefix>/videos/`, without the ending.
DEFAULT_TEMPLATE = "{date}/{slug}-{id}"

#: Longest key of an object (S3's limit), in bytes.
MAX_KEY = 1024
#: Longest prefix, in bytes: every other key than a video's fits behind it.
_MAX_PREFIX = 512

_TEMPLATE_FIELDS = frozenset({"date", "year", "month", "day", "slug", "id", "model", "edition"})


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
    """The edition in force at `moment` (the scheduled time of a run, else now; UTC).

    `daily` and `hourly` become the day or the hour; `once` and any other text stay as they are.

    Raises:
        InputError: it is empty, longer than 100 characters, or not printable on one line.
    """
    if not 1 <= len(edition) <= 100 or not edition.isprintable():
        raise InputError(
            "The edition must be once, daily, hourly, or a printable text of up to 100 characters."
        )
    if edition == "daily":
        return moment.strftime("%Y-%m-%d")
    if edition == "hourly":
        return moment.strftime("%Y-%m-%dT%H")
    return edition


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
    estimate_usd: Decimal | None = None

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
    `reservation` is the key of what it holds of the archive's monthly limit, if there is one.
    """

    id: str
    token: str
    plan: VideoPlan
    claimed_at: datetime
    valid_seconds: float
    video_key: str
    poster_key: str
    reservation: str | None = None
    run: RunRef = RunRef()


class Submission(_Fact):
    """`inflight/<id>/job.json`: the provider took the request; here is the job id."""

    id: str
    token: str
    job_id: str
    submitted_at: datetime
    answer: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, claim: Claim, job: VideoJob) -> Submission:
        """The fact that this job answers this claim, as of now."""
        return cls(
            id=claim.id, token=claim.token, job_id=job.id, submitted_at=datetime.now(UTC), answer=job.raw
        )


class Ambiguity(_Fact):
    """`inflight/<id>/ambiguous.json`: the POST had no clear answer; it may have been charged."""

    id: str
    token: str
    found_at: datetime
    reason: str
    status: int | None = None
    body: str | None = None


class StoredObject(_Fact):
    """One object in the bucket: its key, its size in bytes, its SHA-256 in hexadecimal."""

    key: str
    size: int
    sha256: str
    content_type: str


class ClipInfo(_Fact):
    """What the file itself says: seconds, pixels, frames per second, codec, sound."""

    seconds: float | None = None
    width: int
    height: int
    fps: float | None = None
    codec: str | None = None
    has_audio: bool = False


class VideoRecord(_Fact):
    """`records/<id>.json`: how it ended. Final, and wins over anything in flight.

    `abandoned` closes an ambiguous purchase that a user chose to buy again; with a `job_id` where that is
    a job that the provider has forgotten.
    """

    id: str
    state: Literal["archived", "failed", "abandoned"]
    plan: VideoPlan
    job_id: str | None = None
    claimed_at: datetime | None = None
    submitted_at: datetime | None = None
    recorded_at: datetime
    cost_usd: Decimal | None = None
    video: StoredObject | None = None
    poster: StoredObject | None = None
    clip: ClipInfo | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    error_code: str | None = None
    job: dict[str, Any] = Field(default_factory=dict)
    run: RunRef = RunRef()


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


def slug_of(request: VideoRequest) -> str:
    """A file name's readable part: ASCII letters, digits and dashes, at most 48 of them."""
    return (
        slugify(request.prompt or request.model, max_length=48, word_boundary=True, save_order=True)
        or "video"
    )


@lru_cache(maxsize=1024)
def slug_of_name(name: str, otherwise: str) -> str:
    """A model's or an edition's name as a part of a key; `otherwise` where nothing of it is left.

    A name in another script can grow tenfold, or vanish.
    """
    return slugify(name, max_length=64) or otherwise


class Layout(BaseModel):
    """Where everything lies under the prefix."""

    model_config = ConfigDict(frozen=True)

    prefix: str = ""
    template: str = DEFAULT_TEMPLATE

    def key(self, *parts: str) -> str:
        return "/".join([*([self.prefix] if self.prefix else []), *parts])

    @property
    def inflight(self) -> str:
        """The prefix whose listing is the list of money at risk."""
        return self.key("inflight", "")

    def claim(self, video: str) -> str:
        return self.key("inflight", video, "claim.json")

    def job(self, video: str) -> str:
        return self.key("inflight", video, "job.json")

    def ambiguous(self, video: str) -> str:
        return self.key("inflight", video, "ambiguous.json")

    def record(self, video: str) -> str:
        return self.key("records", f"{video}.json")

    def late_record(self, video: str) -> str:
        """For a video that came home although its purchase had been given up."""
        return self.key("records", f"{video}.late.json")

    def brief(self, brief: str) -> str:
        return self.key("briefs", f"{brief}.json")

    def spending(self, month: str, name: str) -> str:
        return self.key("spending", month, name)

    def statistics(self, model: str, name: str) -> str:
        """For what jobs of a model took; `model` is its name as a folder."""
        return self.key("statistics", model, name)

    def batch(self, batch: str, name: str) -> str:
        return self.key("batches", batch, name)

    def part(self, batch: str, part: str) -> str:
        """The summary of one part of a batch that is split."""
        return self.batch(batch, f"parts/{part}.json")

    def referenced(self, reference: str) -> str:
        """The key of content that a request names by its reference.

        Raises:
            InputError: it is no reference.
        """
        return self.key(object_of(reference))

    def media(self, plan: VideoPlan, claimed_at: datetime) -> tuple[str, str]:
        """Keys of the video and of its poster, from the claim alone.

        Raises:
            ConfigurationError: a key has more bytes than S3 takes.
        """
        stem = self.template.format(
            date=claimed_at.strftime("%Y-%m-%d"),
            year=claimed_at.strftime("%Y"),
            month=claimed_at.strftime("%m"),
            day=claimed_at.strftime("%d"),
            slug=slug_of(plan.request),
            id=plan.id,
            model=slug_of_name(plan.request.model, "model"),
            edition=slug_of_name(plan.edition, "edition"),
        )
        ending = (plan.request.output_format or "MP4").lower()
        video, poster = self.key("videos", f"{stem}.{ending}"), self.key("videos", f"{stem}.jpg")
        if (longest := max(len(video.encode()), len(poster.encode()))) > MAX_KEY:
            raise ConfigurationError(
                f"The key of this video's file would have {longest} bytes, and S3 takes {MAX_KEY} at most: "
                "shorten the prefix or the file name template. Nothing was created."
            )
        return video, poster


def check_prefix(prefix: str) -> str:
    """The prefix without slashes at its ends.

    Raises:
        ConfigurationError: it has empty, dotted or unprintable pieces, or is too long.
    """
    prefix = prefix.strip("/")
    if prefix and not _is_plain_path(prefix):
        raise ConfigurationError(f"The prefix {prefix!r} is not a plain path such as videos/production.")
    if (size := len(prefix.encode())) > _MAX_PREFIX:
        raise ConfigurationError(f"The prefix has {size} bytes; {_MAX_PREFIX} at most leave room for keys.")
    return prefix


def check_template(template: str) -> str:
    """The file name template, if every video gets a name of its own inside the prefix.

    Raises:
        ConfigurationError: {id} is missing, a field is unknown, or the path leaves the prefix.
    """
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigurationError(f"The file name template {template!r} is malformed: {error}.") from error
    fields = {name for _, name, _, _ in pieces if name is not None}
    plain = all(not spec and not conversion for _, _, spec, conversion in pieces)
    if unknown := sorted(fields - _TEMPLATE_FIELDS):
        raise ConfigurationError(
            f"The file name template has unknown fields: {', '.join(unknown)}. "
            f"Known are {', '.join(sorted(_TEMPLATE_FIELDS))}."
        )
    if "id" not in fields or not plain:
        raise ConfigurationError("The file name template needs {id}, so that no two videos share a name.")
    if not _is_plain_path(template):
        raise ConfigurationError(f"The file name template {template!r} is not a plain relative path.")
    return template


def _is_plain_path(path: str) -> bool:
    return path.isprintable() and all(piece not in {"", ".", ".."} for piece in path.split("/"))
