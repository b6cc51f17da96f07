"""Jobs with known durations, and ways of polling that are simulated on them. Nothing waits."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

from together_video.polling.durations import Durations
from together_video.polling.policy import PollPolicy
from together_video.polling.schedule import Schedule, best_schedule

POLICY = PollPolicy()

#: A policy as a function: from the age at the last poll, the number of polls and a chance to the age at the next poll.
Rhythm = Callable[[float, int, float], float]


@dataclass(frozen=True)
class Case:
    """Log-normal parts: the share of jobs, their median in seconds, and the sigma of the logarithm."""

    name: str
    parts: tuple[tuple[float, float, float], ...]
    #: Whether the goals for ratios apply; other cases must only not be worse than the fixed loop.
    has_goals: bool = True

    def truth(self) -> Durations:
        """The distribution itself, in steps of 1 %."""
        return _truth(self.parts)

    def jobs(self, count: int, rng: random.Random | None = None) -> list[float]:
        """Durations of jobs: random, or without `rng` spread evenly over the chances."""
        truth = self.truth()
        chances = [(n + 0.5) / count if rng is None else rng.random() for n in range(count)]
        return [_quantile(truth, chance) for chance in chances]


@cache
def _truth(parts: tuple[tuple[float, float, float], ...]) -> Durations:
    times = tuple(parts[0][1] * math.exp(0.01 * step) for step in range(-400, 501))
    bells = [(share, NormalDist(math.log(median), sigma)) for share, median, sigma in parts]
    return Durations(times, tuple(sum(share * bell.cdf(math.log(t)) for share, bell in bells) for t in times))


CASES = (
    *(
        Case(f"{median:g} s, sigma {sigma}", ((1.0, median, sigma),))
        for median in (30.0, 75.0, 180.0)
        for sigma in (0.2, 0.4, 0.6)
    ),
    Case("bimodal: 40 s, 120 s", ((0.6, 40.0, 0.2), (0.4, 120.0, 0.2))),
    Case("bimodal: 60 s, 180 s", ((0.7, 60.0, 0.25), (0.3, 180.0, 0.3))),
    Case("3 % stuck: 75 s, 1200 s", ((0.97, 75.0, 0.3), (0.03, 1200.0, 0.4)), has_goals=False),
)


def _quantile(durations: Durations, chance: float) -> float:
    times, done = durations.times, durations.done
    above = min(max(1, bisect_left(done, chance)), len(times) - 1)
    part = (chance - done[above - 1]) / ((done[above] - done[above - 1]) or 1.0)
    return times[above - 1] + part * (times[above] - times[above - 1])


class Cost(NamedTuple):
    """Polls of one job and seconds from its end to the poll that finds it, on average."""

    polls: float
    lag: float


def optimum(case: Case, lag: float) -> float:
    """The fewest polls at this mean lag (seconds)."""
    best = best_schedule(case.truth(), lag)
    # The lag is met to 1 %; nearby, polls are proportional to one over it.
    return best.polls * best.lag / lag


def follow(rhythm: Rhythm, jobs: Sequence[float], rng: random.Random) -> Cost:
    """The cost of this way of polling."""
    polls, lags = 0, 0.0
    for duration in jobs:
        age, count = 0.0, 0
        while age < duration:
            age = rhythm(age, count, rng.random())
            count += 1
        polls += count
        lags += age - duration
    return Cost(polls / len(jobs), lags / len(jobs))


def ours(schedule: Schedule) -> Rhythm:
    """Like `learner.Wait`."""
    return lambda age, polls, chance: max(
        schedule.varied(age, polls, POLICY.jitter * (2 * chance - 1)), age + 0.75
    )


def fixed(seconds: float) -> Rhythm:
    """The loop of the API's documents."""
    return lambda age, *_: age + seconds


def backoff(age: float, count: int, _: float) -> float:
    """1, 2, 4, … up to 60 seconds."""
    return age + min(60.0, 2.0**count)
