"""How many polls it takes to notice the end of a job, and how late that is: ours, the optimum, and others.

    python -m benchmarks.polling

Nothing waits: jobs are durations from a known distribution, spread evenly over its chances, and each way of polling is
    simulated on them. The optimum is the schedule with the fewest polls at a given mean lag, from a dynamic program
    that knows the distribution; ours knows a guess, or the durations of some jobs. All times are in seconds. Prints
    three tables and the goals, and draws polls over lag into benchmarks/results/polling.png.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import mean

from benchmarks.curves import Panel, Series, draw
from benchmarks.first_jobs import first_jobs, forecasts
from benchmarks.harness import RESULTS, Goal, keep
from benchmarks.polling_cases import CASES, POLICY, Case, Cost, backoff, fixed, follow, optimum, ours
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.durations import learn
from together_video.polling.learner import Learner, schedule_of
from together_video.polling.schedule import best_schedule

#: The guess at a cold start, as a share of the typical time: off by up to half.
GUESSES = (0.5, 1.0, 1.5)

FIXED = (1.0, 2.0, 5.0, 10.0, 15.0)
DRAWN = ("75 s, sigma 0.2", "75 s, sigma 0.6", "bimodal: 40 s, 120 s", "3 % stuck: 75 s, 1200 s")


def cold(case: Case, guess: float, *, jobs: int = 2000) -> Cost:
    """Ours, if only a guess is known: a share of the typical time."""
    schedule = schedule_of(learn((), guess=guess * case.truth().typical), POLICY.lag)
    return follow(ours(schedule), case.jobs(jobs), random.Random(1))


def learned(case: Case, *, seen: int = 30, runs: int = 60, jobs: int = 100) -> Cost:
    """Ours, after so many jobs were seen: the mean over many runs with different jobs."""
    rng = random.Random(2)
    costs = []
    for run in range(runs):
        guess = case.truth().typical * GUESSES[run % len(GUESSES)]
        schedule = schedule_of(learn(case.jobs(seen, rng), guess=guess), POLICY.lag)
        costs.append(follow(ours(schedule), case.jobs(jobs), rng))
    return Cost(mean(cost.polls for cost in costs), mean(cost.lag for cost in costs))


def whole_run(case: Case, *, videos: int = 300, in_flight: int = 20, guess: float = 1.0) -> Cost:
    """One run from a cold start with parallel jobs, with the flows' learner."""
    rng = random.Random(3)
    typical = guess * case.truth().typical
    learner = Learner(POLICY, lambda _: typical)
    waiting = case.jobs(videos, rng)
    # (when, number, its create, polls so far, the planned wait and how long it was)
    events: list[tuple[float, int, float, int, Callable[[], float | None], float]]
    events = [(rng.random() * 10, number, 0.0, -1, float, 0.0) for number in range(in_flight)]
    heapq.heapify(events)
    waits, polls, lag, following = {}, 0, 0.0, in_flight
    while events:
        now, number, created, count, planned, slept = heapq.heappop(events)
        if count < 0:
            created, waits[number] = now, learner.wait(str(number), "model", age=0)
        elif (longer := planned() or 0.0) > slept:
            # Like in tasks/poll.py: other jobs have delayed this poll.
            heapq.heappush(events, (now + longer - slept, number, created, count, planned, longer))
            continue
        else:
            polls += 1
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
    return Cost(polls / videos, lag / videos)


def main() -> int:
    """Returns 1 if a goal is missed."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    lines = [
        "| durations | optimum at 5 % | first job: polls, lag | after 30 jobs: polls, lag, ratio "
        "| a run of 300, 20 in flight: polls, lag | 300 in flight | fixed 5 s: polls, lag |",
        "|---|---|---|---|---|---|---|",
    ]
    latest = latest_run = worst_learned = 0.0
    dominated = []
    for case in CASES:
        typical, jobs, rng = case.truth().typical, case.jobs(2000), random.Random(1)
        loop = follow(fixed(5), jobs, rng)
        guessed = [cold(case, guess) for guess in GUESSES]
        known, run, crowd = learned(case), whole_run(case), whole_run(case, in_flight=300)
        ratio = known.polls / optimum(case, known.lag)
        dominated += [
            case.name
            for cost in (*guessed, known, run, crowd)
            if cost.polls > loop.polls and cost.lag > loop.lag
        ]
        latest = max(latest, known.lag / typical)
        latest_run = max([latest_run, *(cost.lag / max(3.0, 0.1 * typical) for cost in (run, crowd))])
        if case.has_goals:
            worst_learned = max(worst_learned, ratio)
        cells = [
            case.name,
            f"{optimum(case, 0.05 * typical):.1f}",
            f"{_range([c.polls for c in guessed])}, {_range([100 * c.lag / typical for c in guessed])} %",
            f"{known.polls:.1f}, {100 * known.lag / typical:.1f} %, {ratio:.2f}",
            f"{run.polls:.1f}, {100 * run.lag / typical:.1f} %",
            f"{crowd.polls:.1f}, {100 * crowd.lag / typical:.1f} %",
            f"{loop.polls:.1f}, {100 * loop.lag / typical:.1f} %",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    few_lines, few_goals = first_jobs()
    told_lines, told_goals = forecasts()
    print("\n".join([*lines, "", *few_lines, "", *told_lines, ""]))
    goals = [
        Goal("mean lag after 30 jobs, share of the typical time", latest, 0.05),
        Goal("mean lag of a run from a cold start, of 3 s or 10 %", latest_run, 1),
        Goal("polls after 30 jobs / optimum", worst_learned, 1.15),
        Goal("more polls at more lag than fixed 5 s, cases", len(dominated), 0),
        *few_goals,
        *told_goals,
    ]
    tables = {"table": lines, "first_jobs": few_lines, "forecasts": told_lines}
    keep("polling", {"lag": POLICY.lag, "jitter": POLICY.jitter}, tables, goals)
    print(f"\n{draw([panel(case) for case in CASES if case.name in DRAWN], RESULTS / 'polling.png')}")
    return 0 if all(goal.met for goal in goals) else 1


def panel(case: Case) -> Panel:
    """Polls over lag, in percent of the typical time."""
    typical, jobs, rng = case.truth().typical, case.jobs(1000), random.Random(4)
    lags = [0.018 * 1.25**step for step in range(10)]

    def of(cost: Cost) -> tuple[float, float]:
        return 100 * cost.lag / typical, cost.polls

    samples = [case.jobs(30, rng) for _ in range(10)]
    seen = [
        [follow(ours(best_schedule(learn(sample), lag * typical)), jobs[::5], rng) for sample in samples]
        for lag in lags
    ]
    first = schedule_of(learn((), guess=typical), POLICY.lag)
    return Panel(
        title=case.name,
        across="mean lag, % of the typical time",
        up="polls",
        x_ticks=(0.5, 1, 2, 5, 10, 20, 50),
        y_ticks=(2, 5, 10, 20, 50, 100),
        series=(
            Series(
                "optimum", "#222222", [of(Cost(optimum(case, lag * typical), lag * typical)) for lag in lags]
            ),
            Series(
                "ours, 30 jobs seen",
                "#0b7a3b",
                [of(Cost(mean(c.polls for c in some), mean(c.lag for c in some))) for some in seen],
            ),
            Series("ours, first job", "#3477c9", [of(follow(ours(first), jobs, rng))], ["first job"]),
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
