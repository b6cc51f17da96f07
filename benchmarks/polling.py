"""How many looks it takes to notice the end of a job, and how late it is noticed: ours, the optimum, and others.

    python -m benchmarks.polling

Nothing waits: jobs are durations from a known distribution, spread evenly over its chances, and each
way of polling is followed through them. The optimum is the schedule with the fewest looks at a given mean
lag, by a dynamic program that knows the distribution; ours knows a guess, or what 30 jobs took. All times in
seconds. Prints a table and the goals, and draws looks over lag into benchmarks/results/polling.png.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from statistics import NormalDist, mean
from typing import NamedTuple

from benchmarks.curves import Panel, Series, draw
from benchmarks.harness import RESULTS, Goal, keep
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.durations import Durations, learn
from together_video.polling.learner import Learner, schedule_of
from together_video.polling.policy import PollPolicy
from together_video.polling.schedule import Schedule, best_schedule

POLICY = PollPolicy()
#: What is known of the typical time at a cold start, as a share of it: off by up to half.
GUESSES = (0.5, 1.0, 1.5)

FIXED = (1.0, 2.0, 5.0, 10.0, 15.0)
DRAWN = ("75 s, sigma 0.2", "75 s, sigma 0.6", "bimodal: 40 s, 120 s", "3 % stuck: 75 s, 1200 s")

#: A policy as a function: from the age at the last look, their number and a chance to the age at the next one.
Rhythm = Callable[[float, int, float], float]


@dataclass(frozen=True)
class Case:
    """Log-normal parts: the share of jobs, their median in seconds, and the sigma of the logarithm."""

    name: str
    parts: tuple[tuple[float, float, float], ...]
    #: The goals of the ratios are for these; the others must only never be worse than the fixed loop.
    has_goals: bool = True

    def truth(self) -> Durations:
        """The distribution itself, in steps of 1 %."""
        return _truth(self.parts)

    def jobs(self, count: int, rng: random.Random | None = None) -> list[float]:
        """Durations of jobs: by chance, or without one evenly spread over the chances."""
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
    """Looks for one job and seconds from its end to the look that finds it, in the mean."""

    looks: float
    lag: float


def optimum(case: Case, lag: float) -> float:
    """The fewest looks at this mean lag (seconds)."""
    best = best_schedule(case.truth(), lag)
    # The lag is met to 1 %; nearby, looks go with one over it.
    return best.polls * best.lag / lag


def follow(rhythm: Rhythm, jobs: Sequence[float], rng: random.Random) -> Cost:
    """What this way of polling costs."""
    looks, lags = 0, 0.0
    for duration in jobs:
        age, count = 0.0, 0
        while age < duration:
            age = rhythm(age, count, rng.random())
            count += 1
        looks += count
        lags += age - duration
    return Cost(looks / len(jobs), lags / len(jobs))


def ours(schedule: Schedule) -> Rhythm:
    """As `learner.Wait` does."""
    return lambda age, polls, chance: max(
        schedule.varied(age, polls, POLICY.jitter * (2 * chance - 1)), age + 0.75
    )


def fixed(seconds: float) -> Rhythm:
    """The loop of the API's documents."""
    return lambda age, *_: age + seconds


def backoff(age: float, count: int, _: float) -> float:
    """1, 2, 4, … up to 60 seconds."""
    return age + min(60.0, 2.0**count)


def cold(case: Case, guess: float, *, jobs: int = 2000) -> Cost:
    """Ours, where nothing is known but a guess: a share of the typical time."""
    schedule = schedule_of(learn((), guess=guess * case.truth().typical), POLICY.lag)
    return follow(ours(schedule), case.jobs(jobs), random.Random(1))


def learned(case: Case, *, seen: int = 30, runs: int = 60, jobs: int = 100) -> Cost:
    """Ours, once so many jobs have been seen: the mean over many runs that each saw others."""
    rng = random.Random(2)
    costs = []
    for run in range(runs):
        guess = case.truth().typical * GUESSES[run % len(GUESSES)]
        schedule = schedule_of(learn(case.jobs(seen, rng), guess=guess), POLICY.lag)
        costs.append(follow(ours(schedule), case.jobs(jobs), rng))
    return Cost(mean(cost.looks for cost in costs), mean(cost.lag for cost in costs))


def whole_run(case: Case, *, videos: int = 300, in_flight: int = 20, guess: float = 1.0) -> Cost:
    """One run from a cold start, its jobs side by side, by the learner that the flows use."""
    rng = random.Random(3)
    typical = guess * case.truth().typical
    learner = Learner(POLICY, lambda _: typical)
    waiting = case.jobs(videos, rng)
    # (when, number, its create, looks so far, the planned wait and how long it was)
    events: list[tuple[float, int, float, int, Callable[[], float | None], float]]
    events = [(rng.random() * 10, number, 0.0, -1, float, 0.0) for number in range(in_flight)]
    heapq.heapify(events)
    waits, looks, lag, following = {}, 0, 0.0, in_flight
    while events:
        now, number, created, count, planned, slept = heapq.heappop(events)
        if count < 0:
            created, waits[number] = now, learner.wait(str(number), "model", age=0)
        elif (longer := planned() or 0.0) > slept:
            # As in tasks/poll.py: other jobs have put this look off.
            heapq.heappush(events, (now + longer - slept, number, created, count, planned, longer))
            continue
        else:
            looks += 1
            if now - created >= waiting[number]:
                lag += now - created - waiting[number]
                job = VideoJob(id=str(number), status=JobStatus.COMPLETED)
                learner.done(job, "model", age=now - created, resumed=False)
                if following < videos:
                    heapq.heappush(events, (now, following, 0.0, -1, float, 0.0))
                    following += 1
                continue
        planned = partial(waits[number].wait_within, count + 1, elapsed=now - created, chance=rng.random())
        if (pause := planned()) is not None:
            heapq.heappush(events, (now + pause, number, created, count + 1, planned, pause))
    return Cost(looks / videos, lag / videos)


def main() -> int:
    """Returns 1 if a goal does not hold."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    lines = [
        "| durations | optimum at 5 % | cold: looks, lag, ratio | after 30 jobs: looks, lag, ratio "
        "| a run of 300, 20 in flight: looks, lag | 300 in flight | fixed 5 s: looks, lag |",
        "|---|---|---|---|---|---|---|",
    ]
    latest = worst_cold = worst_learned = 0.0
    dominated = []
    for case in CASES:
        typical, jobs, rng = case.truth().typical, case.jobs(2000), random.Random(1)
        loop = follow(fixed(5), jobs, rng)
        guessed = [cold(case, guess) for guess in GUESSES]
        known, run, crowd = learned(case), whole_run(case), whole_run(case, in_flight=300)
        ratios = [cost.looks / optimum(case, cost.lag) for cost in guessed]
        ratio = known.looks / optimum(case, known.lag)
        dominated += [
            case.name
            for cost in (*guessed, known, run, crowd)
            if cost.looks > loop.looks and cost.lag > loop.lag
        ]
        latest = max([latest, *(cost.lag / typical for cost in (*guessed, known, run, crowd))])
        if case.has_goals:
            worst_cold, worst_learned = max([worst_cold, *ratios]), max(worst_learned, ratio)
        cells = [
            case.name,
            f"{optimum(case, 0.05 * typical):.1f}",
            f"{_range([c.looks for c in guessed])}, {_range([100 * c.lag / typical for c in guessed])} %, "
            f"{_range(ratios, 2)}",
            f"{known.looks:.1f}, {100 * known.lag / typical:.1f} %, {ratio:.2f}",
            f"{run.looks:.1f}, {100 * run.lag / typical:.1f} %",
            f"{crowd.looks:.1f}, {100 * crowd.lag / typical:.1f} %",
            f"{loop.looks:.1f}, {100 * loop.lag / typical:.1f} %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    print("\n".join(lines))
    print()
    goals = [
        Goal("mean lag, share of the typical time", latest, 0.05),
        Goal("looks after 30 jobs / optimum", worst_learned, 1.15),
        Goal("looks from a cold start / optimum", worst_cold, 2.5),
        Goal("more looks at more lag than fixed 5 s, cases", len(dominated), 0),
    ]
    keep("polling", {"lag": POLICY.lag, "jitter": POLICY.jitter}, {"table": lines}, goals)
    print(f"\n{draw([panel(case) for case in CASES if case.name in DRAWN], RESULTS / 'polling.png')}")
    return 0 if all(goal.met for goal in goals) else 1


def panel(case: Case) -> Panel:
    """Looks over lag, in percent of the typical time."""
    typical, jobs, rng = case.truth().typical, case.jobs(1000), random.Random(4)
    lags = [0.018 * 1.25**step for step in range(10)]

    def of(cost: Cost) -> tuple[float, float]:
        return 100 * cost.lag / typical, cost.looks

    samples = [case.jobs(30, rng) for _ in range(10)]
    seen = [
        [follow(ours(best_schedule(learn(sample), lag * typical)), jobs[::5], rng) for sample in samples]
        for lag in lags
    ]
    guessed = learn((), guess=typical)
    return Panel(
        title=case.name,
        across="mean lag, % of the typical time",
        up="looks",
        x_ticks=(0.5, 1, 2, 5, 10, 20, 50),
        y_ticks=(2, 5, 10, 20, 50, 100),
        series=(
            Series(
                "optimum", "#222222", [of(Cost(optimum(case, lag * typical), lag * typical)) for lag in lags]
            ),
            Series(
                "ours, 30 jobs seen",
                "#0b7a3b",
                [of(Cost(mean(c.looks for c in some), mean(c.lag for c in some))) for some in seen],
            ),
            Series(
                "ours, cold",
                "#3477c9",
                [of(follow(ours(best_schedule(guessed, lag * typical)), jobs, rng)) for lag in lags],
            ),
            Series(
                "fixed interval",
                "#c0392b",
                [of(follow(fixed(seconds), jobs, rng)) for seconds in FIXED],
                [f"{seconds:g} s" for seconds in FIXED],
            ),
            Series("backoff: 1, 2, 4 … 60 s", "#8e44ad", [of(follow(backoff, jobs, rng))], [""]),
        ),
    )


def _range(values: Sequence[float], digits: int = 1) -> str:
    return f"{min(values):.{digits}f}–{max(values):.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
