"""What the lines about a running command say, for each width."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.flows.cli.screen.progress_lines import (
    about,
    elapsed,
    heartbeat,
    is_due,
    live_lines,
    problem_line,
)
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.tally import ORDER, Standing
from together_video.ledger.account import Account
from together_video.ledger.records import VideoPlan

ACCOUNT = Account(paid=Decimal("2.80"), in_flight=Decimal("5.60"), left=Decimal("1.60"))
HALF = Standing(
    total=60,
    done=30,
    counts={"archived": 28, "reused": 2, "at the provider": 20, "waiting": 10},
    account=ACCOUNT,
    seconds=72.4,
    to_go=250.0,
    now="archived: a fox in the snow",
)
FULL = Standing(
    total=10_000,
    done=1_234,
    counts=dict.fromkeys(ORDER, 1_234),
    account=Account(**dict.fromkeys(("paid", "perhaps_paid", "in_flight", "left"), Decimal("12345.6789"))),
    seconds=36_001,
    to_go=8_000,
    now="created: " + "狐" * 100 + "\x1b[2J",
)


def test_the_live_area_of_80_columns() -> None:
    assert live_lines(HALF, 79) == [
        "━━━━━━━━━━━━━━━━━━━━────────────────────  30 of 60 videos",
        "28 archived, 2 reused, 20 at the provider, 10 waiting",
        "2.80 USD paid, 5.60 USD in flight, 1.60 USD left",
        "1:12 elapsed, about 4 min to go",
        "archived: a fox in the snow",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("standing", [Standing(now="Checking"), HALF, FULL])
def test_every_line_fits(width: int, standing: Standing) -> None:
    """And nothing of others moves the cursor."""
    for line in [*live_lines(standing, width), *heartbeat(standing, width)]:
        assert len(line) <= width
        assert line.isprintable()


def test_a_pipe_gets_one_line() -> None:
    assert heartbeat(HALF) == [
        "1:12  30 of 60 videos: 28 archived, 2 reused, 20 at the provider, 10 waiting; 2.80 USD paid, "
        "5.60 USD in flight, 1.60 USD left; about 4 min to go"
    ]
    assert heartbeat(Standing(seconds=3.0, now="Listing the archive")) == ["0:03  Listing the archive …"]


@pytest.mark.parametrize(("videos", "seconds"), [(200, 60), (200, 36_000), (10_000, 3_600), (1, 86_400)])
def test_tens_of_lines_however_many_videos_and_however_long(videos: int, seconds: int) -> None:
    """A line at each twentieth, and else ever less often; the last video always has one."""
    last, lines = None, []
    for second in range(seconds + 1):
        now = Standing(total=videos, done=videos * second // seconds, seconds=second)
        if is_due(now, last):
            last = now
            lines.append(now)
    assert 2 <= len(lines) <= 99 if seconds < 86_400 else len(lines) <= 200
    assert lines[-1].done == videos


def test_times_as_people_say_them() -> None:
    assert [elapsed(seconds) for seconds in (0, 59.9, 754, 3723)] == ["0:00", "0:59", "12:34", "1:02:03"]
    assert [about(seconds) for seconds in (0, 12, 54, 56, 250, 3_599, 5_000)] == [
        "5 s",
        "10 s",
        "55 s",
        "1 min",
        "4 min",
        "1 h",
        "1 h 20 min",
    ]


@pytest.mark.parametrize("width", [40, 80, None])
def test_a_problem_is_one_line(small: Callable[..., Any], width: int | None) -> None:
    plan = VideoPlan(request=small("an owl\nat night"))
    line = problem_line(Progress(plan, "failed", "moderation\x1b[2J " + "x" * 500), width)
    assert line.startswith("failed     an owl")
    assert line.isprintable()
    assert len(line) <= (width or 300)
