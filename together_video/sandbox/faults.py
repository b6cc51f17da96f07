"""What goes wrong on purpose: the rules, and which one applies next.

Kinds, by the call on which they can be set:

    create    status rate_limit moderation hang slow reset garbage no_id
              and, lasting for the job: job_failed stuck no_cost wrong_length_video wrong_size_video
    retrieve  status rate_limit hang slow reset garbage no_id unknown_status renamed_status no_url no_cost
    link      status rate_limit hang slow reset garbage link_expired
    download  status rate_limit hang slow reset garbage link_expired truncated wrong_content file headers
    chat      status rate_limit moderation hang slow reset garbage cut not_json too_few duplicates
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence, Set
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Call = Literal["create", "retrieve", "link", "download", "chat"]
Kind = Literal[
    "status",
    "rate_limit",
    "moderation",
    "hang",
    "slow",
    "reset",
    "garbage",
    "no_id",
    "job_failed",
    "stuck",
    "no_cost",
    "wrong_length_video",
    "wrong_size_video",
    "unknown_status",
    "renamed_status",
    "no_url",
    "link_expired",
    "truncated",
    "wrong_content",
    "file",
    "headers",
    "cut",
    "not_json",
    "too_few",
    "duplicates",
]

_ON_ANY_CALL: frozenset[Kind] = frozenset({"status", "rate_limit", "hang", "slow", "reset", "garbage"})

#: Kinds that stay with the created job.
LASTING: frozenset[Kind] = frozenset(
    {"job_failed", "stuck", "no_cost", "wrong_length_video", "wrong_size_video"}
)
#: Kinds that change what a chat completion says, not how it is sent.
IN_COMPLETION: frozenset[Kind] = frozenset({"cut", "not_json", "too_few", "duplicates"})
#: Kinds that only have an effect once the job is completed.
ON_COMPLETED: frozenset[Kind] = frozenset({"no_url", "no_cost"})

ALLOWED: dict[Call, frozenset[Kind]] = {
    "create": _ON_ANY_CALL | LASTING | {"moderation", "no_id"},
    "retrieve": _ON_ANY_CALL | ON_COMPLETED | {"no_id", "unknown_status", "renamed_status"},
    "link": _ON_ANY_CALL | {"link_expired"},
    "download": _ON_ANY_CALL | {"link_expired", "truncated", "wrong_content", "file", "headers"},
    "chat": _ON_ANY_CALL | IN_COMPLETION | {"moderation"},
}
#: Faults of a create that happen before there is a job, unless `created` says otherwise.
_BEFORE_THE_JOB: frozenset[Kind] = frozenset({"status", "rate_limit", "moderation"})


class FaultRule(BaseModel):
    """One thing that goes wrong: on which call, how, how often, and for which prompts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Call = Field(description="The call that fails.")
    kind: Kind = Field(description="What goes wrong. Each call has its own kinds of faults.")
    times: int | None = Field(default=None, ge=1, description="How often it happens. By default always.")
    per_job: bool = Field(default=False, description="Count `times` and `skip` for each job separately.")
    skip: int = Field(default=0, ge=0, description="How many calls succeed first.")
    probability: float | None = Field(default=None, ge=0, le=1, description="Probability each time.")
    match: str | None = Field(default=None, description="Only for prompts that contain this text.")
    created: bool | None = Field(
        default=None, description="On create: whether the job is made, and billed, before the fault."
    )
    status: int | None = Field(default=None, ge=200, le=599, description="HTTP status of the answer.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of the answer.")
    body: JsonValue = Field(
        default=None, description="Body: JSON, or a string as text. For a file, its content in base64."
    )
    seconds: float | None = Field(
        default=None, ge=0, description="How long to hang, or to be slow, in seconds."
    )
    code: str | None = Field(default=None, description="Error code in the answer.")
    message: str | None = Field(default=None, description="Error message in the answer.")
    shape: Literal["list", "dict", "text"] = Field(
        default="list", description="Form of a failed job's `info.errors` in the older format."
    )
    state: str | None = Field(default=None, description="Job status to report, if the kind needs one.")
    share: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Fraction of the file that is sent, or of the length that is kept.",
    )

    @model_validator(mode="after")
    def _the_call_can_go_wrong_so(self) -> Self:
        if self.kind not in ALLOWED[self.on]:
            known = ", ".join(sorted(ALLOWED[self.on]))
            raise ValueError(f"{self.kind} cannot happen on {self.on}; these can: {known}")
        return self

    @property
    def makes_the_job(self) -> bool:
        """Whether a create with this fault is billed all the same."""
        return self.kind not in _BEFORE_THE_JOB if self.created is None else self.created


class FaultPlan:
    """The current rules, and how often each has been considered and applied."""

    def __init__(self, rules: Sequence[FaultRule], *, seed: int = 0) -> None:
        self._random = random.Random(f"faults/{seed}")  # noqa: S311 - play, not cryptography
        self.replace(rules)

    def replace(self, rules: Sequence[FaultRule]) -> None:
        """Replace the rules. All counts start again."""
        self.rules = tuple(rules)
        self._met: Counter[tuple[int, str]] = Counter()
        self._struck: Counter[tuple[int, str]] = Counter()

    def draw(
        self, on: Call, *, prompt: str, kinds: Set[Kind] | None = None, job_id: str = ""
    ) -> FaultRule | None:
        """The first rule that applies to this call, or None. Rules of other kinds are not counted."""
        for index, rule in enumerate(self.rules):
            if rule.on != on or (kinds is not None and rule.kind not in kinds):
                continue
            if rule.match is not None and rule.match not in prompt:
                continue
            key = (index, job_id if rule.per_job else "")
            self._met[key] += 1
            if self._met[key] <= rule.skip:
                continue
            if rule.times is not None and self._struck[key] >= rule.times:
                continue
            if rule.probability is not None and self._random.random() >= rule.probability:
                continue
            self._struck[key] += 1
            return rule
        return None
