"""When to poll a job next. Pure arithmetic: no clock, no sleep.

Polling is not retrying. How long to wait for a job, and how often to repeat one failed call, are
two policies; this is the first. An adaptive policy says how late an end may be noticed, and `learner.Learner` finds the
times. Its fixed waits apply if that is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from together_video.jobs import VideoJob

#: The fields that say when to poll. If one of them is given, nothing is learned.
_RHYTHM = frozenset({"first_seconds", "interval_seconds", "growth", "ceiling_seconds"})


class Patience(Protocol):
    """Decides when a job is polled next: a policy, or what was learned about its model."""

    @property
    def deadline_seconds(self) -> float: ...

    def wait_within(
        self, polls: int, *, elapsed: float, chance: float, hint: float | None = None
    ) -> float | None:
        """Seconds to the next poll; None once the deadline has passed. See `PollPolicy.wait_within`.

        A second call with the same arguments may return another wait, because something was learned meanwhile.
        """

    def note(self, job: VideoJob, *, elapsed: float) -> None:
        """What a poll returned, `elapsed` seconds after the wait began."""


class PollPolicy(BaseModel):
    """How often to poll a job, and for how long. All times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adaptive: bool = Field(
        default=True,
        description="Learn how long the model takes, and poll when its videos are likely to be done. "
        "The fixed waits below apply if this is off.",
    )
    lag: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="If adaptive: how late the end of a job may be noticed on average, as a share of the model's "
        "typical time, but 1 to 15 seconds. While few jobs of the model were seen: 3 seconds, or twice this share of "
        "the "
        "job's duration.",
    )
    first_seconds: float = Field(
        default=10, ge=0, le=3600, description="Wait before the first poll: no video is done immediately."
    )
    interval_seconds: float = Field(default=5, gt=0, le=3600, description="Wait between the first polls.")
    growth: float = Field(
        default=1.15, ge=1, le=10, description="Each wait is this many times longer than the one before."
    )
    ceiling_seconds: float = Field(default=30, gt=0, le=3600, description="Longest wait between two polls.")
    jitter: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share by which a wait varies, so that jobs are not polled at the same moments.",
    )
    deadline_seconds: float = Field(
        default=1800,
        gt=0,
        le=7 * 86_400,
        description="After this time the run stops waiting. The job keeps running and is billed. A later run "
        "archives its video.",
    )

    @model_validator(mode="before")
    @classmethod
    def _waits_that_are_given_hold(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "adaptive" not in values and _RHYTHM & set(values):
            return {**values, "adaptive": False}
        return values

    @model_validator(mode="after")
    def _ceiling_is_above(self) -> Self:
        if self.ceiling_seconds < self.interval_seconds:
            raise ValueError("ceiling_seconds must not be below interval_seconds")
        return self

    @classmethod
    def fixed(cls, interval: float, *, deadline: float | None = None) -> Self:
        """The same interval from the first poll to the last, as in the API's documents."""
        values: dict[str, float] = {
            "first_seconds": interval,
            "interval_seconds": interval,
            "growth": 1,
            "ceiling_seconds": interval,
            "jitter": 0,
        }
        if deadline is not None:
            values["deadline_seconds"] = deadline
        return cls.model_validate(values)

    def wait(self, polls: int, *, chance: float, hint: float | None = None) -> float:
        """Seconds from now to the next poll, by the fixed waits.

        Args:
            polls: how often the job was polled so far.
            chance: a random number from 0 to 1 for the jitter.
            hint: the server's requested wait in seconds (`x-ratelimit-reset`, `retry-after`); the wait is never
                shorter.
        """
        if polls == 0:
            base = self.first_seconds
        else:
            # Bounded because 10 ** 400 does not fit into a float; any relevant growth has reached its ceiling by then.
            steps = min(polls - 1, 300)
            base = min(self.ceiling_seconds, self.interval_seconds * self.growth**steps)
        wait = base * (1 + self.jitter * (2 * chance - 1))
        return max(wait, hint or 0.0)

    def wait_within(
        self, polls: int, *, elapsed: float, chance: float, hint: float | None = None
    ) -> float | None:
        """Like `wait`, but cut so that one last poll comes at the deadline; None once it has passed."""
        left = self.deadline_seconds - elapsed
        return None if left <= 0 else min(self.wait(polls, chance=chance, hint=hint), left)

    def note(self, job: VideoJob, *, elapsed: float) -> None:
        """Fixed waits stay as they are."""
