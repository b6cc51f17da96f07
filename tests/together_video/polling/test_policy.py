"""Polling: when a job is polled next. Nothing here sleeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from together_video.polling.policy import PollPolicy

CALM = PollPolicy(first_seconds=10, interval_seconds=5, growth=2, ceiling_seconds=30, jitter=0)


def test_waits_grow_from_the_first_poll_to_the_ceiling() -> None:
    """First wait, interval, then each twice the last, and never beyond the ceiling."""
    assert [CALM.wait(polls, chance=0.5) for polls in range(6)] == [10, 5, 10, 20, 30, 30]


def test_waits_stay_at_the_ceiling_for_ever() -> None:
    """However often a job was polled: no overflow."""
    steep = PollPolicy(interval_seconds=1, growth=10, ceiling_seconds=3600, jitter=0)
    assert steep.wait(10**9, chance=0.5) == 3600


def test_the_slowest_growth_reaches_its_ceiling() -> None:
    """The bound on the exponent lies beyond what the default needs."""
    policy = PollPolicy(jitter=0)
    waits = [policy.wait(polls, chance=0.5) for polls in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[-1] == policy.ceiling_seconds


def test_jitter_spreads_around_the_wait() -> None:
    """Half of the chances lie below, half above, and the middle is the wait itself."""
    policy = CALM.model_copy(update={"jitter": 0.1})
    assert policy.wait(1, chance=0) == pytest.approx(4.5)
    assert policy.wait(1, chance=0.5) == pytest.approx(5)
    assert policy.wait(1, chance=1) == pytest.approx(5.5)
    assert policy.wait(0, chance=1) == pytest.approx(11)


def test_a_hint_is_never_undercut_and_never_shortens() -> None:
    """The server asks for patience, not for haste."""
    assert CALM.wait(1, chance=0.5, hint=45) == 45
    assert CALM.wait(1, chance=0.5, hint=1) == 5
    assert CALM.wait(1, chance=0.5, hint=0) == 5


def test_the_last_poll_falls_on_the_deadline() -> None:
    """A wait is cut to what is left; after the deadline there is none."""
    policy = CALM.model_copy(update={"deadline_seconds": 100})
    assert policy.wait_within(1, elapsed=0, chance=0.5) == 5
    assert policy.wait_within(1, elapsed=97, chance=0.5) == 3
    assert policy.wait_within(1, elapsed=90, chance=0.5, hint=60) == 10
    assert policy.wait_within(1, elapsed=100, chance=0.5) is None
    assert policy.wait_within(0, elapsed=101, chance=0.5) is None


def test_a_fixed_interval_is_fixed() -> None:
    """The same from the first poll to the last, without jitter."""
    policy = PollPolicy.fixed(7)
    assert {policy.wait(polls, chance=polls / 9) for polls in range(10)} == {7}
    assert policy.deadline_seconds == PollPolicy().deadline_seconds
    assert PollPolicy.fixed(7, deadline=60).deadline_seconds == 60


@pytest.mark.parametrize("interval", [0, -1, 3601, float("nan")])
def test_a_fixed_interval_has_bounds(interval: float) -> None:
    """An interval of nothing would be a storm."""
    with pytest.raises(ValidationError):
        PollPolicy.fixed(interval)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_seconds": -1},
        {"interval_seconds": 0},
        {"growth": 0.9},
        {"growth": 11},
        {"ceiling_seconds": 0},
        {"jitter": -0.1},
        {"jitter": 0.6},
        {"deadline_seconds": 0},
        {"deadline_seconds": 8 * 86_400},
        {"interval_seconds": 31},
        {"interval": 5},
    ],
)
def test_policies_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """Out of bounds, a ceiling below the interval, or a name that nobody knows."""
    with pytest.raises(ValidationError):
        PollPolicy.model_validate(wrong)


def test_a_policy_cannot_be_changed() -> None:
    """It is shared by all videos of a run."""
    with pytest.raises(ValidationError, match="frozen"):
        CALM.growth = 3  # type: ignore[misc]


POLICIES = st.builds(
    PollPolicy,
    first_seconds=st.floats(0, 3600),
    interval_seconds=st.floats(0.01, 60),
    growth=st.floats(1, 10),
    ceiling_seconds=st.floats(60, 3600),
    jitter=st.floats(0, 0.5),
    deadline_seconds=st.floats(1, 86_400),
)
POLLS = st.integers(0, 10_000)
CHANCES = st.floats(0, 1)


@given(POLICIES, POLLS, CHANCES, st.none() | st.floats(0, 86_400))
def test_a_wait_lies_between_its_bounds(
    policy: PollPolicy, polls: int, chance: float, hint: float | None
) -> None:
    """Never negative, never below the hint, never above ceiling (or first) plus jitter unless for a hint."""
    wait = policy.wait(polls, chance=chance, hint=hint)
    top = policy.ceiling_seconds if polls else policy.first_seconds
    low = policy.interval_seconds if polls else policy.first_seconds
    assert wait >= max(low * (1 - policy.jitter) * 0.999, hint or 0)
    assert wait <= max(top * (1 + policy.jitter) * 1.001, hint or 0)


@given(POLICIES, POLLS, CHANCES, st.floats(0, 100_000), st.none() | st.floats(0, 86_400))
def test_no_wait_passes_the_deadline(
    policy: PollPolicy, polls: int, chance: float, elapsed: float, hint: float | None
) -> None:
    """A wait ends on the deadline at the latest, and there is one exactly while time is left."""
    wait = policy.wait_within(polls, elapsed=elapsed, chance=chance, hint=hint)
    left = policy.deadline_seconds - elapsed
    assert (wait is None) is (left <= 0)
    assert wait is None or 0 <= wait <= left


@given(POLICIES, st.integers(1, 400), CHANCES)
def test_patience_only_grows(policy: PollPolicy, polls: int, chance: float) -> None:
    """A later wait is never shorter than an earlier one of the same chance."""
    assert policy.wait(polls + 1, chance=chance) >= policy.wait(polls, chance=chance)


def test_waits_that_are_given_hold() -> None:
    """A policy learns unless it has waits of its own, or says so; and stays what it is when it is written down."""
    assert PollPolicy().adaptive
    assert PollPolicy(deadline_seconds=60, jitter=0.2).adaptive
    assert not PollPolicy(first_seconds=3).adaptive
    assert not PollPolicy.fixed(5).adaptive
    assert PollPolicy(adaptive=True, interval_seconds=3).adaptive
    for policy in (PollPolicy(), PollPolicy.fixed(5)):
        assert PollPolicy.model_validate_json(policy.model_dump_json()) == policy
