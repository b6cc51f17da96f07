"""Pacing: one 429 slows all creators of the process, and success lets them go faster again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.api.rate_limiter import AdaptiveRateLimiter


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> AdaptiveRateLimiter:
    return AdaptiveRateLimiter(clock)


def test_nothing_is_slowed_before_the_first_refusal(gate: AdaptiveRateLimiter) -> None:
    """No limit is known, so none is kept."""
    for _ in range(1000):
        assert gate.enter() == 0
        gate.passed()
    assert gate.pace is None


def test_the_servers_hint_shuts_the_gate_for_everyone(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """For exactly as long as it says, for every caller."""
    assert gate.refused(12) == 12
    assert [gate.enter(), gate.enter()] == [12, 12]
    clock.now += 11
    assert gate.enter() == 1
    clock.now += 1
    assert gate.enter() == 0


def test_without_a_hint_the_gate_is_shut_longer_each_time(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """2, 4, 8 … seconds, a minute at most; a success starts again."""
    shut = []
    for _ in range(12):
        shut.append(gate.refused(None))
        clock.now += shut[-1]
    assert shut == [2, 4, 8, 16, 32, *[60] * 7]
    gate.passed()
    assert gate.refused(None) == 2


def test_those_that_were_refused_together_count_once(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """Fifty creates in flight meet the same limit: that is one refusal, not fifty."""
    for _ in range(50):
        gate.passed()
    assert [gate.refused(None) for _ in range(50)] == [2] * 50
    assert gate.pace == 25
    clock.now += 2
    assert gate.refused(None) == 4


def test_a_later_hint_never_opens_the_gate_earlier(gate: AdaptiveRateLimiter) -> None:
    """The longest wait that anybody was told holds."""
    assert gate.refused(30) == 30
    assert gate.refused(5) == 30
    assert gate.refused(40) == 40


def test_a_hint_of_nothing_still_makes_a_pause(gate: AdaptiveRateLimiter) -> None:
    """Zero seconds would make a storm of it."""
    assert gate.refused(0) > 0
    assert gate.enter() > 0


def test_a_refusal_halves_the_pace_that_was_reached(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """Creates of the last minute count, older ones do not."""
    for _ in range(30):
        gate.passed()
    clock.now += 61
    for _ in range(20):
        gate.passed()
    gate.refused(1)
    assert gate.pace == 10
    clock.now += 1
    gate.refused(1)
    assert gate.pace == 5


def test_creates_are_spread_at_the_pace(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """Ten a minute: one every six seconds, and who asks too early takes no place."""
    for _ in range(20):
        gate.passed()
    gate.refused(1)
    clock.now += 1
    entered = []
    for _ in range(600):
        if gate.enter() == 0:
            entered.append(clock.now)
        clock.now += 0.1
    assert len(entered) == 10
    assert min(later - earlier for earlier, later in pairwise(entered)) > 5.99


def test_each_success_raises_the_pace_a_little(gate: AdaptiveRateLimiter) -> None:
    """Additive increase."""
    for _ in range(20):
        gate.passed()
    gate.refused(1)
    gate.passed()
    gate.passed()
    assert gate.pace == 12


def test_the_pace_never_falls_to_nothing(gate: AdaptiveRateLimiter, clock: Clock) -> None:
    """However often it is refused, a batch continues."""
    for _ in range(100):
        clock.now += gate.refused(None)
    assert gate.pace is not None
    assert gate.pace > 0
    assert gate.enter() == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["refused", "passed", "enter"]),
            st.none() | st.floats(0, 86_400),
            st.floats(0, 100),
        ),
        max_size=40,
    )
)
def test_who_waits_as_told_gets_in(steps: list[tuple[str, float | None, float]]) -> None:
    """Whatever happened before: no wait is negative, and after it the gate is open."""
    clock = Clock()
    gate = AdaptiveRateLimiter(clock)
    for what, hint, later in steps:
        if what == "refused":
            assert gate.refused(hint) >= (hint or 0) - 1e-6
        elif what == "passed":
            gate.passed()
        else:
            assert gate.enter() >= 0
        clock.now += later
    wait = gate.enter()
    assert 0 <= wait <= 86_400
    clock.now += wait + 1e-6
    assert wait == 0 or gate.enter() == 0
