"""What a run learns of its models, and the waits that follow. Nothing here sleeps."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.polling.learner import Learner
from together_video.polling.policy import PollPolicy

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODEL = "acme/dream-1"


@pytest.fixture
def learner() -> Learner:
    """Of models that take about 100 s, by what it was told."""
    return Learner(PollPolicy(jitter=0, deadline_seconds=1000), lambda _: 100.0)


def done(job_id: str, took: float | None = None) -> VideoJob:
    times = {} if took is None else {"created_at": NOW, "finished_at": NOW + timedelta(seconds=took)}
    return VideoJob.model_validate({"id": job_id, "status": JobStatus.COMPLETED, **times})


def run(learner: Learner, job_id: str, took: float) -> list[float]:
    """Poll one job that says nothing of its own times; gives the ages at its polls."""
    wait, ages = learner.wait(job_id, MODEL, age=0), [0.0]
    while ages[-1] < took:
        pause = wait.wait_within(len(ages) - 1, elapsed=ages[-1], chance=0.5)
        assert pause is not None
        ages.append(ages[-1] + pause)
    learner.done(done(job_id), MODEL, age=ages[-1], resumed=False)
    return ages[1:]


def test_the_first_poll_waits_for_a_likely_end(learner: Learner) -> None:
    """After 5 s while nothing is known; once thirty jobs took 50 s, just before that."""
    assert run(learner, "0", 100)[0] == 5
    learner.recall(MODEL, [50.0 + number % 5 for number in range(30)])
    polls = run(learner, "1", 52)
    assert 40 < polls[0] < 58
    assert len(polls) < 4


@pytest.mark.parametrize("took", [2.0, 8.0, 30.0, 1200.0])
def test_the_first_job_of_a_model_is_noticed_in_time(took: float) -> None:
    """At most 3 s or 10 % late, with no more polls than a loop of 5 s, whatever was guessed; the second one too."""
    learner = Learner(PollPolicy(jitter=0, deadline_seconds=5000), lambda _: 75.0)
    for job_id in ("first", "second"):
        polls = run(learner, job_id, took)
        assert polls[-1] - took <= max(3.0, 0.1 * took)
        assert len(polls) <= math.ceil(took / 5)


def test_the_first_of_many_to_end_say_little(learner: Learner) -> None:
    """One of thirty that run side by side is the fastest of them: the others are not expected so soon."""
    waits = [learner.wait(str(number), MODEL, age=0) for number in range(30)]
    for wait in waits:
        wait.wait_within(1, elapsed=20, chance=0.5)
    learner.done(done("0", took=15), MODEL, age=20, resumed=False)
    assert learner.durations(MODEL).surprise == 1
    for number in range(1, 10):
        learner.done(done(str(number), took=20), MODEL, age=25, resumed=False)
    assert learner.durations(MODEL).surprise < 1


def test_what_a_job_says_moves_its_own_polls_only(learner: Learner) -> None:
    """Three seconds left bring the next poll forward; other jobs keep their schedule."""
    waits = [learner.wait(str(number), MODEL, age=0) for number in range(2)]
    told = VideoJob.from_json({"id": "0", "status": "in_progress", "eta_seconds": 3})
    plain = waits[0].wait_within(8, elapsed=100, chance=0.5)
    waits[0].note(told, elapsed=100)
    assert waits[0].wait_within(8, elapsed=100, chance=0.5) == pytest.approx(3.6, abs=0.1)
    assert waits[1].wait_within(8, elapsed=100, chance=0.5) == plain
    assert plain is not None
    assert plain > 6


def test_it_learns_from_polls_alone(learner: Learner) -> None:
    """Where the provider tells no times, the polls around the end do; also where each first poll is too late."""
    rng = random.Random(1)
    run(learner, "first", 10)
    later = [run(learner, str(number), rng.uniform(9, 11)) for number in range(30)]
    assert 5 < later[-1][0] <= 12
    assert learner.durations(MODEL).typical == pytest.approx(10, rel=0.15)


def test_the_provider_knows_better(learner: Learner) -> None:
    """Its own times count, for a job that was found done long after too; unless they cannot be."""
    for number in range(20):
        learner.done(done(str(number), took=30), MODEL, age=9000, resumed=True)
    assert learner.durations(MODEL).typical == pytest.approx(30, rel=0.1)
    facts = learner.facts(NOW)[0].seconds
    learner.done(done("late"), MODEL, age=9000, resumed=True)
    learner.done(done("wrong", took=9999), MODEL, age=50, resumed=True)
    learner.drop("never begun", MODEL)
    assert learner.facts(NOW)[0].seconds == facts


def test_a_resumed_job_is_polled_at_once(learner: Learner) -> None:
    """It may be done since long, so it waits a moment at most; one that was just made waits for its time."""
    old, new = learner.wait("old", MODEL, age=500), learner.wait("new", MODEL, age=3)
    assert old.wait_within(0, elapsed=0, chance=0.5) == pytest.approx(0.5)
    fresh = learner.wait("fresh", MODEL, age=0).wait_within(0, elapsed=0, chance=0.5)
    assert new.wait_within(0, elapsed=0, chance=0.5) == pytest.approx((fresh or 0) - 3)


def test_jobs_of_one_moment_come_apart() -> None:
    """Their polls differ by their chances, and not by more than to the poll that would follow."""
    learner = Learner(PollPolicy(), lambda _: 100.0)
    learner.recall(MODEL, [90.0, 100.0, 110.0])
    waits = [learner.wait(str(number), MODEL, age=0) for number in range(11)]
    polls = [wait.wait_within(0, elapsed=0, chance=number / 10) for number, wait in enumerate(waits)]
    assert len(set(polls)) == 11
    assert polls == sorted(polls, key=lambda poll: poll or 0)


@given(
    st.lists(st.floats(0.1, 5000), max_size=40),
    st.integers(0, 20),
    st.floats(0, 2000),
    st.floats(0, 1),
    st.none() | st.floats(0, 5000),
)
def test_a_wait_keeps_hint_and_deadline(
    earlier: list[float], polls: int, elapsed: float, chance: float, hint: float | None
) -> None:
    """Never below the server's hint nor below half a second after a poll, never beyond the deadline."""
    learner = Learner(PollPolicy(deadline_seconds=1000))
    learner.recall(MODEL, earlier)
    wait = learner.wait("job", MODEL, age=0).wait_within(polls, elapsed=elapsed, chance=chance, hint=hint)
    left = 1000 - elapsed
    assert (wait is None) is (left <= 0)
    assert wait is None or min(left, max(hint or 0, 0.5 if polls else 0)) <= wait <= left


def test_facts_are_the_newest_hundred(learner: Learner) -> None:
    """Of this run first, then of earlier ones; nothing where this run saw nothing."""
    learner.recall(MODEL, [10.0] * 90)
    learner.recall("acme/other", [20.0])
    assert learner.facts(NOW) == []
    for number in range(30):
        learner.done(done(str(number), took=100 + number), MODEL, age=500, resumed=False)
    (facts,) = learner.facts(NOW)
    assert (facts.model, len(facts.seconds)) == (MODEL, 100)
    assert facts.seconds[:2] == (129.0, 128.0)
    assert facts.seconds[30:] == (10.0,) * 70


def test_today_wins_over_earlier_runs(learner: Learner) -> None:
    """A provider that has become faster is followed within one run."""
    learner.recall(MODEL, [100.0] * 100)
    for number in range(34):
        learner.done(done(str(number), took=30 + number % 3), MODEL, age=500, resumed=False)
    assert learner.durations(MODEL).typical == pytest.approx(31, rel=0.1)


def test_a_schedule_is_not_made_for_each_poll(learner: Learner) -> None:
    """With much known it holds for a while: making it takes longer than using it."""
    learner.recall(MODEL, [50.0 + number % 7 for number in range(100)])
    wait = learner.wait("job", MODEL, age=0)
    wait.wait_within(0, elapsed=0, chance=0.5)
    made = learner._model(MODEL).schedule
    wait.wait_within(1, elapsed=60, chance=0.5)
    assert learner._model(MODEL).schedule is made
    for number in range(40):
        learner.done(done(str(number), took=55), MODEL, age=60, resumed=False)
    wait.wait_within(2, elapsed=70, chance=0.5)
    assert learner._model(MODEL).schedule is not made


def test_planning_twice_after_one_poll_teaches_nothing(learner: Learner) -> None:
    """The same arguments after a sleep: the same wait, and no reason for a new schedule."""
    learner.recall(MODEL, [50.0 + number % 7 for number in range(100)])
    wait = learner.wait("job", MODEL, age=0)
    answers = {wait.wait_within(1, elapsed=40, chance=0.3) for _ in range(200)}
    assert len(answers) == 1
    assert learner._model(MODEL).news == 0
