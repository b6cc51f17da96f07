"""The first jobs of a model: a guess that is far off, few jobs seen, and responses that report progress.

Part of `benchmarks.polling`. The goals are those of somebody who waits: a mean lag of at most 3 s or 10 % of the
duration, and no more polls than a loop of 5 s.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from statistics import mean

from benchmarks.harness import Goal
from benchmarks.polling_cases import POLICY, Case, Cost, fixed, follow, ours
from together_video.polling.durations import USUAL_SECONDS, learn
from together_video.polling.forecast import LOOP_SECONDS, Forecast
from together_video.polling.learner import schedule_of
from together_video.polling.reports import report_of
from together_video.polling.schedule import Schedule

#: True durations as a multiple of the guess; log-normal with this sigma, like those of one model.
SCALES, SIGMA = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 7.0, 10.0), 0.2
#: Exact durations of all jobs, in seconds.
EXACT = (2.0, 8.0, 30.0, 1200.0)
#: How many jobs were seen; 0 is the first job of all.
SEEN = (0, 1, 2, 5, 10)

#: What a response says about a job that takes `seconds`, at this age.
Tells = Callable[[float, float, random.Random], dict[str, object]]

TELLS: dict[str, Tells] = {
    "nothing": lambda *_: {},
    "progress, exact": lambda age, seconds, _: {"progress": int(100 * age / seconds)},
    "seconds left, exact": lambda age, seconds, _: {"eta_seconds": seconds - age},
    "seconds left, off by half": lambda age, seconds, rng: {
        "eta_seconds": (seconds - age) * rng.uniform(0.5, 1.5)
    },
    "lie: it ends now": lambda *_: {"eta_seconds": 0},
    "lie: it takes a week": lambda *_: {"eta_seconds": 600_000},
    "lie: always queued": lambda *_: {"queue_position": 3},
    "lie: 99 %": lambda *_: {"progress": 99},
    "lie: ten times the time": lambda age, seconds, _: {"progress": 10 * age / seconds},
    "progress that falls": lambda age, seconds, _: {"progress": int(100 - 100 * age / seconds)},
    "any number": lambda _, __, rng: {"progress": rng.uniform(-50, 150), "eta": rng.expovariate(1 / 100)},
}


def bound(seconds: float) -> float:
    """The mean lag that jobs of this duration may have, in seconds."""
    return max(3.0, 0.1 * seconds)


def durations(seconds: float, sigma: float, count: int, rng: random.Random | None = None) -> Sequence[float]:
    """Durations of jobs with this median."""
    if not sigma:
        return [seconds] * count
    return Case("", ((1.0, seconds, sigma),)).jobs(count, rng)


def after(seen: int, seconds: float, sigma: float, *, guess: float = USUAL_SECONDS, runs: int = 12) -> Cost:
    """Ours, after so many jobs were seen: the mean over runs with different jobs."""
    rng = random.Random(5)
    costs = []
    for _ in range(runs if seen else 1):
        schedule = schedule_of(learn(durations(seconds, sigma, seen, rng), guess=guess), POLICY.lag)
        costs.append(follow(ours(schedule), durations(seconds, sigma, 300), rng))
    return Cost(mean(cost.polls for cost in costs), mean(cost.lag for cost in costs))


def first_jobs() -> tuple[list[str], list[Goal]]:
    """The table and its goals."""
    lines = [
        f"| each job takes, guess {USUAL_SECONDS:g} s | fixed 5 s: polls, lag "
        + "".join(f"| {f'{seen} seen' if seen else 'first job'}: polls, lag " for seen in SEEN)
        + "|",
        "|---|---|" + "---|" * len(SEEN),
    ]
    latest = most = 0.0
    for seconds, sigma in [
        *((one, 0.0) for one in EXACT),
        *((USUAL_SECONDS * scale, SIGMA) for scale in SCALES),
    ]:
        jobs = durations(seconds, sigma, 300)
        loop = follow(fixed(LOOP_SECONDS), jobs, random.Random(1))
        costs = [after(seen, seconds, sigma) for seen in SEEN]
        latest = max([latest, *(cost.lag / bound(mean(jobs)) for cost in costs)])
        most = max([most, *(cost.polls / loop.polls for cost in costs)])
        cells = [f"{cost.polls:.2f}, {cost.lag:.1f} s" for cost in (loop, *costs)]
        name = f"{seconds:g} s" + (f", sigma {sigma:g}" if sigma else " exactly")
        lines.append(f"| {' | '.join([name, *cells])} |")
    return lines, [
        Goal("mean lag with few jobs seen, of 3 s or 10 %", latest, 1),
        Goal("polls with few jobs seen / fixed 5 s", most, 1),
    ]


def told(schedule: Schedule, jobs: Sequence[float], tells: Tells) -> Cost:
    """Ours, with these responses. Like `learner.Wait`."""
    rng = random.Random(6)
    polls, lag = 0, 0.0
    for seconds in jobs:
        age, count, forecast = 0.0, 0, Forecast()
        while age < seconds:
            then = schedule.varied(age, count, POLICY.jitter * (2 * rng.random() - 1))
            age = max(forecast.adjusted(then, age=age, polls=count), age + 0.75)
            count += 1
            forecast.hear(report_of(tells(age, seconds, rng)), age)
        polls += count
        lag += age - seconds
    return Cost(polls / len(jobs), lag / len(jobs))


def forecasts() -> tuple[list[str], list[Goal]]:
    """The table and its goals: for jobs of 10, 75 and 300 s with nothing known, and of 75 s with 30 jobs seen."""
    rng = random.Random(7)
    first = schedule_of(learn((), guess=USUAL_SECONDS), POLICY.lag)
    known = schedule_of(learn(durations(75.0, SIGMA, 30, rng)), POLICY.lag)
    columns = [(f"{seconds:g} s, first job", first, seconds) for seconds in (10.0, 75.0, 300.0)]
    columns.append(("75 s, 30 jobs seen", known, 75.0))
    lines = [
        f"| responses tell | {' | '.join(name for name, *_ in columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    latest = most = 0.0
    for name, tells in TELLS.items():
        cells = [name]
        for _, schedule, seconds in columns:
            jobs = durations(seconds, SIGMA, 300)
            cost = told(schedule, jobs, tells)
            loop = follow(fixed(LOOP_SECONDS), jobs, rng)
            latest, most = max(latest, cost.lag / bound(seconds)), max(most, cost.polls / loop.polls)
            cells.append(f"{cost.polls:.2f}, {cost.lag:.1f} s")
        lines.append(f"| {' | '.join(cells)} |")
    return lines, [
        Goal("mean lag whatever responses tell, of 3 s or 10 %", latest, 1),
        Goal("polls whatever responses tell / fixed 5 s", most, 1),
    ]
