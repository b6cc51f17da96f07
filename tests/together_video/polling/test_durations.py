"""Durations of a model: what is learned from a guess, from finished and from running jobs."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.polling.durations import Durations, learn

SECONDS = st.floats(0.01, 100_000)


def chance(durations: Durations, seconds: float) -> float:
    """The chance that a job ends within so many seconds."""
    return next(done for time, done in zip(durations.times, durations.done, strict=True) if time >= seconds)


def logs(median: float, sigma: float, count: int) -> list[float]:
    rng = random.Random(7)
    return [rng.lognormvariate(math.log(median), sigma) for _ in range(count)]


def test_without_jobs_the_guess_says_little() -> None:
    """The typical time is the guess, and a twentieth or ten times of it is likely too."""
    durations = learn((), guess=100)
    assert durations.typical == 100
    assert durations.surprise == 1
    assert 0.03 < chance(durations, 5) < 0.1
    assert 0.8 < chance(durations, 1000) < 0.9
    near = learn((), guess=50).done, learn((), guess=100).done
    assert max(abs(one - other) for one, other in zip(*near, strict=True)) < 0.16


def test_doubt_about_the_time_scale_goes_with_the_jobs() -> None:
    """The next job may be like none before: once in three after one job, rarely after thirty."""
    jobs = logs(50, 0.2, 30)
    assert [learn(jobs[:count]).doubted for count in (0, 1, 5)] == [1, 1, 1]
    assert 0.2 < learn(jobs[:1]).surprise < 0.5
    assert learn(jobs).surprise < 0.02
    assert learn(jobs).doubted < 0.05


def test_polls_of_a_loop_are_counted() -> None:
    """For jobs like those seen, whatever may come."""
    jobs = [28.0] * 40
    assert learn(jobs).polls_of_a_loop(5) == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize("guess", [25, 50, 100])
def test_thirty_jobs_do_without_the_guess(guess: float) -> None:
    """Where they lie and how far apart is known, whatever was guessed."""
    durations = learn(logs(50, 0.2, 30), guess=guess)
    assert durations.typical == pytest.approx(50, rel=0.1)
    assert chance(durations, 30) < 0.05
    assert chance(durations, 80) > 0.9
    assert durations.doubt < 0.1


def test_two_kinds_of_jobs_stay_two() -> None:
    """Between quick and slow ones hardly any end: no bell would say so."""
    durations = learn([*logs(30, 0.1, 30), *logs(150, 0.1, 30)])
    assert chance(durations, 40) == pytest.approx(0.5, abs=0.06)
    assert chance(durations, 100) - chance(durations, 50) < 0.06


def test_stuck_jobs_do_not_blur_the_others() -> None:
    """One of thirty that took an hour leaves the rest as they are."""
    usual = logs(60, 0.2, 30)
    with_one = learn([*usual, 3600.0])
    assert with_one.typical == pytest.approx(learn(usual).typical, rel=0.1)
    assert chance(with_one, 30) < 0.06
    assert chance(with_one, 100) > 0.85


def test_running_jobs_tell_that_it_takes_longer() -> None:
    """Ten that still run beside some that were quick move the typical time."""
    quick = logs(40, 0.05, 10)
    assert learn(quick, [60.0] * 10).typical > 1.2 * learn(quick).typical


def test_jobs_that_have_just_begun_tell_nothing() -> None:
    """They may end like any other."""
    seen = logs(60, 0.3, 30)
    assert learn(seen, [1.0] * 10).typical == pytest.approx(learn(seen).typical, rel=0.1)


@given(st.lists(SECONDS, max_size=20), st.lists(SECONDS, max_size=10), st.floats(1, 3600))
def test_whatever_is_seen_it_is_a_distribution(
    finished: list[float], running: list[float], guess: float
) -> None:
    """Times and chances rise, from hardly any to nearly all; nothing overflows."""
    durations = learn(finished, running, guess=guess)
    assert all(before < after for before, after in pairwise(durations.times))
    assert all(before <= after + 1e-12 for before, after in pairwise(durations.done))
    assert durations.done[0] >= 0
    assert durations.done[-1] <= 1
    assert math.isfinite(durations.doubt)
