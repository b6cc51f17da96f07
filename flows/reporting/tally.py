"""The state of a run: videos by state, money, and the time left. Counted from its changes; prints nothing."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from prefect_together_video.flows.reporting.happenings import Happening, PartProgress, Phase, Planned
from prefect_together_video.flows.reporting.progress import Progress
from together_video.ledger.account import NOTHING, Account
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import VideoState
from together_video.text import counted

#: A video that is started may turn out to be in the archive, so it is not reported as created yet.
BEGUN, AT_PROVIDER, DOWNLOADING, WAITING = "starting", "at the provider", "downloading", "waiting"
#: The order in which states are shown: how videos ended, then those on their way.
ORDER = (*(state.value for state in VideoState), DOWNLOADING, AT_PROVIDER, BEGUN, WAITING)
_STAGES = {"creating": BEGUN, "created": AT_PROVIDER, "resumed": AT_PROVIDER, "finished": DOWNLOADING}
#: States of videos that have ended.
ENDED = frozenset(state.value for state in VideoState)
#: With fewer videos than this that took time, the pace of the run says nothing.
_FEWEST = 3
#: Seconds before the usual time of a model is computed again, which takes a moment.
_HOLDS = 5.0
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Standing:
    """The state of a run at one moment. Seconds and US dollars; `to_go` is None if it is not known. `retries` counts
    the steps that failed and were repeated, as far as they are known; `retried` is the reason for the last one.
    """

    total: int = 0
    done: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    account: Account = NOTHING
    seconds: float = 0.0
    to_go: float | None = None
    now: str = ""
    retries: int = 0
    retried: str = ""
    noun: str = "video"

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def headline(self) -> str:
        """`12 of 60 videos`"""
        return f"{self.done} of {counted(self.total, self.noun)}"

    @property
    def states(self) -> str:
        """`10 archived, 2 reused, 20 at the provider, 28 waiting`"""
        return ", ".join(f"{count} {state}" for state, count in self.counts.items())


@dataclass
class _Job:
    plan: VideoPlan
    since: float
    resumed: bool


class Tally:
    """Counts the changes of a run. May be read from another thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._lock = threading.Lock()
        self._states: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._jobs: dict[str, _Job] = {}
        self._tried: dict[str, Account] = {}
        self._ended = NOTHING
        self._parts: dict[int, PartProgress] = {}
        self._planned = Planned(0)
        self._total = self._done = self._most = 0
        self._now = ""
        self._usual: tuple[float, float | None] = (-math.inf, None)

    def hear(self, change: Progress) -> None:
        """Count the change of one video."""
        with self._lock:
            video, stage = change.plan.asked_id, change.stage
            self._total = max(self._total, change.total)
            if (before := self._states.pop(video, None)) is not None:
                self._counts[before] -= 1
            if stage in _STAGES:
                self._put(video, _STAGES[stage])
            if stage in {"created", "resumed"}:
                self._jobs[video] = _Job(change.plan, self._clock(), stage == "resumed")
                self._most = max(self._most, len(self._jobs))
            elif stage == "again":
                self._jobs.pop(video, None)
                perhaps = Account(perhaps_paid=change.plan.estimate_usd or _ZERO)
                self._tried[video] = self._tried.get(video, NOTHING) + perhaps
            elif stage in ENDED:
                self._put(video, stage)
                self._done = max(self._done, change.done)
                self._jobs.pop(video, None)
                self._tried.pop(video, None)
                self._ended += change.account

    def watch(self, happening: Happening) -> None:
        """Count what happens to the whole run."""
        with self._lock:
            if isinstance(happening, Planned):
                self._planned, self._total = happening, max(self._total, happening.total)
                self._now = ""
            elif isinstance(happening, Phase):
                self._now = happening.words
            elif happening.is_over:
                self._parts.pop(happening.number, None)
            else:
                self._parts[happening.number] = happening
                self._now = f"Part {happening.number} of {happening.parts} is running"

    def standing(self) -> Standing:
        """Its state now."""
        with self._lock:
            counts: Counter[str] = Counter(+self._counts)
            account = self._ended
            done = self._done
            for part in self._parts.values():
                counts.update(part.counts)
                account += part.account
                done += sum(count for state, count in part.counts.items() if state in ENDED)
            if (waiting := self._total - sum(counts.values())) > 0:
                counts[WAITING] += waiting
            for tried in self._tried.values():
                account += tried
            ours = others = _ZERO
            for job in self._jobs.values():
                estimate = job.plan.estimate_usd or _ZERO
                others += estimate if job.resumed else _ZERO
                ours += _ZERO if job.resumed else estimate
            account += Account(in_flight=ours)
            # What an earlier run bought is in flight, but takes nothing from this run's budget.
            account = account.within(self._planned.budget_usd)
            account = account.model_copy(update={"in_flight": account.in_flight + others})
            return Standing(
                total=self._total,
                done=done,
                counts={state: counts[state] for state in ORDER if counts[state]},
                account=account,
                seconds=self._clock() - self._start,
                to_go=self._to_go(counts[WAITING] + counts[BEGUN], done),
                now=self._now,
            )

    def _put(self, video: str, state: str) -> None:
        self._states[video] = state
        self._counts[state] += 1

    def _to_go(self, waiting: int, done: int) -> float | None:
        now = self._clock()
        if self._jobs:
            if now - self._usual[0] >= _HOLDS:
                model = Counter(job.plan.request.model for job in self._jobs.values()).most_common(1)[0][0]
                self._usual = (now, self._planned.usual(model))
            ages = [now - job.since for job in self._jobs.values()]
            if self._usual[1] is not None:
                return rest_by_usual_time(waiting, ages, self._most, self._usual[1])
        elif not self._parts:
            return None
        # What was reused took no time.
        made = done - self._counts[VideoState.REUSED.value]
        return rest_by_pace(made, self._total - done, now - self._start)


def rest_by_usual_time(waiting: int, ages: list[float], at_once: int, usual: float) -> float | None:
    """Seconds until the last video has ended; None if its job already takes longer than usual.

    Args:
        waiting: videos that have no job yet.
        ages: for each job, how long it has been running, in seconds.
        at_once: how many jobs run at the same time.
        usual: how long a job usually takes, in seconds.

    Example:
        ```python
        rest_by_usual_time(40, [30.0] * 20, 20, 60.0)  # 150.0: two more rounds, and half of this one
        ```
    """
    if not ages:
        return None
    if not waiting:
        return usual - min(ages) if min(ages) < usual else None
    rounds = -(-waiting // max(at_once, 1))
    return rounds * usual + max(usual - sum(ages) / len(ages), 0.0)


def rest_by_pace(made: int, left: int, seconds: float) -> float | None:
    """Seconds until the last video has ended, at the pace so far; None until enough have."""
    return seconds * left / made if made >= _FEWEST and left > 0 else None
