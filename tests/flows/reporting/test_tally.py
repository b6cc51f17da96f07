"""How a run stands: counted from its changes, by a clock that is passed in."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.flows.reporting.happenings import PartProgress, Phase, Planned
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.progress_words import part_progress, progress_words
from prefect_together_video.flows.reporting.tally import Standing, Tally, rest_by_pace, rest_by_usual_time
from together_video.ledger.account import Account
from together_video.ledger.records import VideoPlan

PRICE = Decimal("0.28")
Make = Callable[..., Any]


@pytest.fixture
def plan(small: Make) -> Make:
    return lambda prompt: VideoPlan(request=small(prompt), estimate_usd=PRICE)


def test_the_way_of_a_video(plan: Make) -> None:
    """Its state follows each change; its money is in flight, then paid; what is left follows from the budget."""
    tally, fox = Tally(), plan("a fox")
    tally.watch(Planned(3, Decimal(1)))
    seen = []
    for stage in ("creating", "created", "finished"):
        tally.hear(Progress(fox, stage, total=3))
        seen.append(tally.standing())
    tally.hear(Progress(fox, "archived", done=1, total=3, account=Account(paid=PRICE)))
    last = tally.standing()
    assert [list(one.counts) for one in seen] == [
        ["starting", "waiting"],
        ["at the provider", "waiting"],
        ["downloading", "waiting"],
    ]
    assert [one.account.in_flight for one in seen] == [0, PRICE, PRICE]
    assert (last.done, last.total, dict(last.counts)) == (1, 3, {"archived": 1, "waiting": 2})
    assert last.account == Account(paid=PRICE, left=Decimal("0.72"))


def test_an_attempt_that_failed_is_perhaps_paid_until_its_video_is_over(plan: Make) -> None:
    tally, fox = Tally(), plan("a fox")
    for stage in ("created", "again"):
        tally.hear(Progress(fox, stage, total=1))
    assert tally.standing().account == Account(perhaps_paid=PRICE)
    assert dict(tally.standing().counts) == {"waiting": 1}
    over = Account(paid=PRICE, perhaps_paid=PRICE)
    tally.hear(Progress(fox, "archived", done=1, total=1, account=over))
    assert tally.standing().account == over


def test_what_an_earlier_run_has_bought_takes_nothing_from_the_budget(plan: Make) -> None:
    tally = Tally()
    tally.watch(Planned(1, Decimal(1)))
    tally.hear(Progress(plan("a fox"), "resumed", total=1))
    assert tally.standing().account == Account(in_flight=PRICE, left=Decimal(1))


def test_a_create_that_was_stopped_waits_again(plan: Make) -> None:
    tally = Tally()
    for stage in ("creating", "stopped"):
        tally.hear(Progress(plan("a fox"), stage, total=2))
    assert dict(tally.standing().counts) == {"waiting": 2}


def test_parts_are_counted_as_their_runs_report_and_then_video_by_video(plan: Make) -> None:
    """A part that is over is not counted twice."""
    now = [0.0]
    tally = Tally(lambda: now[0])
    tally.watch(Planned(6))
    tally.watch(Phase("2 parts: waiting for workers"))
    assert tally.standing().now == "2 parts: waiting for workers"
    counts = {"archived": 2, "at the provider": 1}
    now[0] = 30.0
    tally.watch(PartProgress(1, 2, 3, counts, Account(paid=2 * PRICE, in_flight=PRICE)))
    tally.watch(PartProgress(2, 2, 3, {"archived": 1, "waiting": 2}, Account(paid=PRICE)))
    standing = tally.standing()
    assert dict(standing.counts) == {"archived": 3, "at the provider": 1, "waiting": 2}
    assert standing.account == Account(paid=3 * PRICE, in_flight=PRICE)
    assert (standing.done, standing.to_go) == (3, 30.0)
    tally.watch(PartProgress(1, 2, 3, is_over=True))
    for number, prompt in enumerate(("a fox", "an owl", "a cat"), 1):
        done = Progress(plan(prompt), "archived", done=number, total=6, account=Account(paid=PRICE))
        tally.hear(done)
    standing = tally.standing()
    assert dict(standing.counts) == {"archived": 4, "waiting": 2}
    assert standing.account.paid == 4 * PRICE


def test_the_end_is_estimated_by_the_usual_time_of_the_model(plan: Make) -> None:
    """Once a job is running; not where it takes longer than usual."""
    now = [0.0]
    tally = Tally(lambda: now[0])
    tally.watch(Planned(2, usual={"pixverse/pixverse-v5": 60.0}.get))
    assert tally.standing().to_go is None
    tally.hear(Progress(plan("a fox"), "created", total=2))
    now[0] = 20.0
    assert tally.standing().to_go == 100.0
    tally.hear(Progress(plan("an owl"), "created", total=2))
    assert tally.standing().to_go == 60.0
    now[0] = 90.0
    assert tally.standing().to_go is None


@pytest.mark.parametrize(
    ("waiting", "ages", "at_once", "seconds"),
    [(40, [30.0] * 20, 20, 150.0), (0, [10.0, 50.0], 2, 50.0), (0, [70.0], 1, None), (5, [], 5, None)],
)
def test_rounds_of_the_usual_time(waiting: int, ages: list[float], at_once: int, seconds: float) -> None:
    assert rest_by_usual_time(waiting, ages, at_once, 60.0) == seconds


def test_the_pace_says_nothing_before_three_videos() -> None:
    assert rest_by_pace(2, 10, 60.0) is None
    assert rest_by_pace(3, 6, 60.0) == 120.0
    assert rest_by_pace(3, 0, 60.0) is None


def test_a_part_is_read_from_what_its_run_has_written() -> None:
    counts = {"archived": 10, "reused": 2, "at the provider": 5, "waiting": 23}
    account = Account(paid=Decimal("2.80"), perhaps_paid=Decimal("0.3234"), in_flight=Decimal("1.40"))
    words = progress_words(Standing(total=40, done=12, counts=counts, account=account))
    assert words == (
        "12 of 40 videos: 10 archived, 2 reused, 5 at the provider, 23 waiting; "
        "2.80 USD paid, 0.3234 USD perhaps paid, 1.40 USD in flight"
    )
    assert part_progress(words, 1, 3, 40) == PartProgress(1, 3, 40, counts, account)


@pytest.mark.parametrize(
    "words",
    [
        None,
        "",
        "9 of 9 videos: 9 archived",
        "1e9 archived",
        "x" * 10**6,
        "٣ archived",
        "999999999999 archived, -1 reused",
    ],
)
def test_what_cannot_be_true_of_a_part_counts_as_nothing(words: str | None) -> None:
    """Others can write into a Prefect server."""
    assert part_progress(words, 1, 3, 4) == PartProgress(1, 3, 4)
