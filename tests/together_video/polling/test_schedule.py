"""When to poll: the fewest polls at a given lag, and how near to that what is learned comes."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from benchmarks.first_jobs import TELLS, after, bound, durations, told
from benchmarks.polling import GUESSES, cold, learned, whole_run
from benchmarks.polling_cases import CASES, POLICY, Case, fixed, follow, optimum
from together_video.polling.durations import learn
from together_video.polling.learner import schedule_of
from together_video.polling.schedule import best_schedule

BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize(
    ("sigma", "share", "polls"), [(0.2, 0.35, 3.7), (0.4, 0.60, 6.8), (0.6, 0.79, 9.9)], ids=str
)
@pytest.mark.parametrize("median", [30.0, 180.0])
def test_the_optimum_is_the_known_one(median: float, sigma: float, share: float, polls: float) -> None:
    """For log-normal durations, against a fixed interval of the same lag: whatever the median."""
    case = Case("", ((1.0, median, sigma),))
    best = optimum(case, 0.05 * median)
    assert best == pytest.approx(polls, rel=0.03)
    loop = follow(fixed(median / 10), case.jobs(2000), random.Random(1))
    assert best / loop.polls == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("lag", [2.0, 4.0, 8.0])
def test_what_is_expected_comes_true(lag: float) -> None:
    """The polls and the lag that a schedule promises are those of jobs of its distribution."""
    case = BY_NAME["75 s, sigma 0.4"]
    best = best_schedule(case.truth(), lag)
    cost = follow(lambda age, *_: best.next(age), case.jobs(4000), random.Random(1))
    assert best.lag == pytest.approx(lag, rel=0.03)
    assert cost.lag == pytest.approx(best.lag, rel=0.05)
    assert cost.polls == pytest.approx(best.polls, rel=0.03)


def test_polls_follow_the_chance_of_an_end() -> None:
    """None before an end is likely, many where it is, none between two kinds of jobs, ever fewer in the tail."""
    schedule = schedule_of(BY_NAME["bimodal: 40 s, 120 s"].truth(), 0.05)
    polls = [0.0]
    while polls[-1] < 1000:
        polls.append(schedule.next(polls[-1]))
    gaps = [after - before for before, after in pairwise(polls)]

    def longest(low: float, high: float) -> float:
        return max(gap for poll, gap in zip(polls, gaps, strict=False) if low <= poll <= high)

    assert gaps[0] > 20
    assert longest(30, 48) < 8
    assert longest(55, 75) > 12
    assert longest(100, 140) < 10
    assert longest(400, 1000) > 2 * longest(150, 200)


@pytest.mark.parametrize("share", [-1.0, -0.3, 0.3, 1.0])
@pytest.mark.parametrize("age", [0.0, 20.0, 60.0, 75.0, 1e5])
def test_a_varied_poll_comes_later_than_the_last(age: float, share: float) -> None:
    """However it is moved; and never beyond the poll that would follow."""
    schedule = schedule_of(learn([60, 75, 90]), 0.05)
    assert age <= schedule.varied(age, 0, share) <= schedule.next(schedule.next(age))


@pytest.mark.parametrize(
    "name", ["30 s, sigma 0.2", "75 s, sigma 0.4", "180 s, sigma 0.6", *list(BY_NAME)[-3:]]
)
def test_goals_of_polling(name: str) -> None:
    """With 30 jobs seen late by 5 % at most and near the optimum; before the first job as late as allowed at most, with
    no more polls than the loop of the documents. `benchmarks/polling.py` shows all cases with more jobs.
    """
    case = BY_NAME[name]
    typical = case.truth().typical
    loop = follow(fixed(5), case.jobs(500), random.Random(1))
    known = learned(case, runs=30, jobs=60)
    guessed = [cold(case, guess, jobs=500) for guess in GUESSES]
    assert known.lag <= 0.05 * typical
    for cost in guessed:
        assert cost.lag <= bound(typical)
        assert cost.polls <= 1.001 * loop.polls
    for cost in (known, *guessed):
        assert cost.polls <= loop.polls or cost.lag <= loop.lag
    if case.has_goals:
        assert known.polls <= 1.2 * optimum(case, known.lag)


@pytest.mark.parametrize("guess", GUESSES)
def test_a_run_learns_on_its_way(guess: float) -> None:
    """Two hundred jobs side by side from a cold start, known by their polls alone: near the optimum on average."""
    case = BY_NAME["75 s, sigma 0.2"]
    cost = whole_run(case, videos=200, guess=guess)
    assert cost.lag <= 0.055 * 75
    assert cost.polls <= 1.6 * optimum(case, cost.lag)
    assert POLICY.adaptive


@pytest.mark.parametrize("seen", [0, 1, 3, 8])
@pytest.mark.parametrize(
    ("seconds", "sigma"), [(2, 0), (8, 0), (30, 0), (1200, 0), (3.75, 0.2), (15, 0.2), (750, 0.2)]
)
def test_a_wrong_guess_costs_little(seen: int, seconds: float, sigma: float) -> None:
    """From the first job: 3 s or 10 % of lag at most, with no more polls than a loop of 5 s."""
    cost, loop = (
        after(seen, seconds, sigma, runs=6),
        follow(fixed(5), durations(seconds, sigma, 300), random.Random(1)),
    )
    assert cost.lag <= bound(seconds)
    assert cost.polls <= 1.001 * loop.polls


@pytest.mark.parametrize("name", list(TELLS))
@pytest.mark.parametrize("seen", [0, 30])
def test_what_responses_tell_cannot_break_the_bounds(name: str, seen: int) -> None:
    """Whatever is reported, the lag keeps its bound, and the polls stay below the loop's."""
    rng, jobs = random.Random(1), durations(75.0, 0.2, 200)
    cost = told(schedule_of(learn(durations(75.0, 0.2, seen, rng)), 0.05), jobs, TELLS[name])
    assert cost.lag <= bound(75)
    assert cost.polls <= follow(fixed(5), jobs, rng).polls
    if "exact" in name:
        assert cost.lag <= 1.5
