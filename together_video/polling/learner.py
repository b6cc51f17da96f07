"""What a run learns about how long its models take, and when to poll its jobs. No clock, no sleep.

One learner serves all jobs of a run. It learns from every poll: a finished job shows how long it took, a running one
that it takes longer than its age. Earlier runs count until this one has seen enough.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from together_video.jobs import VideoJob
from together_video.polling.durations import KEPT, USUAL_SECONDS, Durations, learn
from together_video.polling.forecast import LOOP_SECONDS, SHORTEST, Forecast
from together_video.polling.policy import PollPolicy
from together_video.polling.reports import report_of
from together_video.polling.schedule import Schedule, best_schedule

#: Bounds of the mean lag, in seconds: less would not be noticed, more would.
LAG_BOUNDS = (1.0, 15.0)
#: The mean lag, in seconds, that a short job may have while little is known.
COLD_LAG = 3.0
#: The planned lag, so that the real one stays below that.
_MOST_LAG = 2.2
#: A longer job may have this multiple of the requested share of its time.
_COLD_FACTOR = 1.5
#: A schedule fits the jobs seen best, and is a little late for future ones.
_MARGIN = 0.9
#: Newest durations of this run: as many as jobs can be in flight, so that both cover the same time.
_NEWEST = 1000
#: The first of many parallel jobs to end are the fast ones: they count once they are one in so many.
_TELLING = 5
#: A job of this run counts as much as so many of earlier runs.
_TODAY = 3


class DurationFacts(BaseModel):
    """`statistics/<model>/<day>-<count>.json`: durations of a model's jobs, in seconds, the newest first."""

    model_config = ConfigDict(frozen=True)

    model: str
    written_at: datetime
    seconds: tuple[float, ...] = Field(max_length=10 * KEPT)


class Learner:
    """The durations of one run, by model, and the schedules that follow from them."""

    def __init__(self, policy: PollPolicy, typical: Callable[[str], float | None] = lambda _: None) -> None:
        """`typical` gives a model's typical time in seconds, if known."""
        self.policy = policy
        self._typical = typical
        self._models: dict[str, _Model] = {}

    def recall(self, model: str, seconds: Iterable[float]) -> None:
        """Note the durations of earlier runs' jobs, in seconds, the newest first."""
        known = self._model(model)
        known.earlier = [one for one in seconds if math.isfinite(one) and one > 0][:KEPT]
        known.schedule = None

    def wait(self, job_id: str, model: str, *, age: float) -> Wait:
        """The waits for one job, which was created `age` seconds ago. They replace earlier waits for it."""
        known = self._model(model)
        known.running[job_id] = wait = Wait(self.policy, known, max(0.0, age))
        return wait

    def done(self, job: VideoJob, model: str, *, age: float, resumed: bool) -> None:
        """Note that a poll found this job completed, `age` seconds after its create."""
        known = self._model(model)
        wait = known.running.pop(job.id, None)
        seconds = _measured(job, age)
        if seconds is None and wait is not None and wait.seen > 0:
            seconds = (wait.seen + age) / 2
        elif seconds is None and not resumed:
            # Done at the first poll: it took less time. First polls then come sooner, until one is too early.
            seconds = (0.8 if known.finished or known.earlier else 0.5) * age
        if seconds is not None:
            known.add(seconds)

    def drop(self, job_id: str, model: str) -> None:
        """Forget a job that ended in another way: it does not show how long a video takes."""
        self._model(model).running.pop(job_id, None)

    def facts(self, now: datetime) -> list[DurationFacts]:
        """For each model that finished a job in this run, the durations for later runs."""
        return [
            DurationFacts(model=name, written_at=now, seconds=known.newest)
            for name, known in self._models.items()
            if known.finished
        ]

    def durations(self, model: str) -> Durations:
        """What is known about this model so far."""
        return self._model(model).durations()

    def usual_seconds(self, model: str) -> float | None:
        """How long a job of this model usually takes, in seconds; None if that would be a guess."""
        known = self._model(model)
        if not known.finished and not known.earlier and self._typical(model) is None:
            return None
        return known.durations().typical

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            self._models[name] = _Model(self._typical(name) or USUAL_SECONDS, self.policy.lag)
        return self._models[name]


class Wait:
    """When to poll one job: see `policy.Patience`. Times count from the job's create."""

    def __init__(self, policy: PollPolicy, model: _Model, age: float) -> None:
        self.seen = 0.0
        self._policy = policy
        self._model = model
        self._age = age
        self._forecast = Forecast()

    @property
    def deadline_seconds(self) -> float:
        return self._policy.deadline_seconds

    def note(self, job: VideoJob, *, elapsed: float) -> None:
        """Note the provider's report on this job's progress; it affects only this job."""
        self._forecast.hear(report_of(job.raw), self._age + elapsed)

    def wait_within(
        self, polls: int, *, elapsed: float, chance: float, hint: float | None = None
    ) -> float | None:
        """Seconds to the next poll, which is at the deadline at the latest; None once that has passed."""
        left = self.deadline_seconds - elapsed
        if left <= 0:
            return None
        age = self._age + elapsed
        if polls and age != self.seen:
            # Also after a failed poll: the next one must not follow immediately.
            self.seen = age
            self._model.news += 1
        then = self._model.up_to_date().varied(self.seen, polls, self._policy.jitter * (2 * chance - 1))
        then = self._forecast.adjusted(then, age=self.seen, polls=polls)
        shortest = SHORTEST * ((1 + chance) / 2 if polls else chance)
        return min(max(then - age, shortest, hint or 0.0), left)


class _Model:
    def __init__(self, guess: float, lag: float) -> None:
        self.guess = guess
        self.lag = lag
        self.finished: deque[float] = deque(maxlen=_NEWEST)
        self.earlier: list[float] = []
        self.running: dict[str, Wait] = {}
        self.schedule: Schedule | None = None
        #: Polls since the schedule was made.
        self.news = 0

    @property
    def newest(self) -> tuple[float, ...]:
        own = [round(one, 2) for one in reversed(self.finished)]
        return tuple([*own, *self.earlier][:KEPT])

    def add(self, seconds: float) -> None:
        self.finished.append(seconds)
        self.news += 1

    def durations(self) -> Durations:
        running = [wait.seen for wait in self.running.values() if wait.seen > 0]
        if not self.earlier and _TELLING * len(self.finished) < len(running):
            return learn((), guess=self.guess)
        # Both in proportion: the finished ones alone would be the fast ones.
        step = -(-(len(self.finished) + len(running)) // KEPT) or 1
        earlier = self.earlier[: max(0, KEPT - _TODAY * len(self.finished))]
        return learn([*list(self.finished)[::step], *earlier], running[::step], guess=self.guess)

    def up_to_date(self) -> Schedule:
        """The schedule, made again after much was learned: that takes a few hundredths of a second."""
        known = len(self.finished) + len(self.running) + len(self.earlier)
        # Before the first job has ended, the schedule is the same however long others have been running.
        if self.schedule is None or (self.news > known / 4 and (self.finished or self.earlier)):
            self.schedule = schedule_of(self.durations(), self.lag)
            self.news = 0
        return self.schedule


def schedule_of(durations: Durations, lag: float) -> Schedule:
    """The schedule with a mean lag of the share `lag` of the typical time, as far as that is known.

    Before the first job, the mean lag is at most 3 s or twice that share of the job's duration, whatever that is, and
    no poll comes earlier than the same poll of a loop of 5 s. While few jobs were seen, the lag is longer than
    requested if that loop would poll less, up to the same bound.
    """

    def allowed(seconds: float) -> float:
        return max(COLD_LAG, _COLD_FACTOR * lag * seconds)

    if durations.surprise == 1:
        # For a model that is known to be fast, the first poll comes within half of the guess.
        pitch = min(LOOP_SECONDS, durations.guess / 2)
        return replace(best_schedule(durations, COLD_LAG, allowed=allowed), pitch=pitch)
    # If the typical time is a guess, videos may be faster.
    least = durations.typical * math.exp(-durations.doubt)
    shortest, longest = LAG_BOUNDS
    wanted = _MARGIN * lag * least
    seconds = min(longest, max(shortest, wanted))
    schedule = best_schedule(durations, seconds, allowed=allowed)
    most = _MOST_LAG * (1.0 if wanted < shortest else durations.doubted)
    polls = durations.polls_of_a_loop(LOOP_SECONDS)
    while schedule.polls > polls and seconds < most:
        seconds = min(most, 1.25 * seconds)
        schedule = best_schedule(durations, seconds, allowed=allowed)
    return schedule


def _measured(job: VideoJob, age: float) -> float | None:
    """The duration by the provider's own clock, if it is plausible."""
    if job.created_at is None or job.finished_at is None:
        return None
    seconds = (job.finished_at - job.created_at).total_seconds()
    return seconds if 0 < seconds <= age + 60 else None
