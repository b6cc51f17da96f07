"""What the lines about a running command say, for each width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from prefect_together_video.flows.cli.screen.progress_lines import (
    about,
    elapsed,
    heartbeat,
    is_due,
    live_lines,
    problem_lines,
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


def test_retries_are_counted_and_the_last_one_has_its_reason() -> None:
    often = replace(HALF, retries=7, retried="the API answered HTTP 503: busy")
    words = "7 retries, the last one: the API answered HTTP 503: busy"
    assert live_lines(often, 79)[-2:] == [words, "archived: a fox in the snow"]
    assert heartbeat(often)[0].endswith(f"about 4 min to go; {words}")
    assert heartbeat(Standing(now="Checking", retries=1)) == ["0:00  Checking … 1 retry"]


def test_a_pipe_gets_one_line_in_two_seconds() -> None:
    """However fast videos are found in the archive; but the first and the last one at once."""
    last, lines = None, []
    for tenth in range(31):
        now = Standing(total=30, done=tenth, seconds=tenth / 10)
        if is_due(now, last):
            last = now
            lines.append(now.done)
    assert lines == [0, 20, 30]


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


def problem(small: Callable[..., Any], prompt: str, stage: str, error: str, **amounts: Decimal) -> Progress:
    return Progress(VideoPlan(request=small(prompt)), stage, error, account=Account(**amounts))


@pytest.mark.parametrize("width", [40, 80, None])
def test_a_problem_is_few_lines(small: Callable[..., Any], width: int | None) -> None:
    hostile = problem(small, "an owl\nat night", "failed", "moderation\x1b[2J " + "x" * 50 + " y" * 500)
    first, *rest = problem_lines(hostile, width)
    assert first.startswith("failed     an owl at night: ")
    assert len(rest) <= {40: 2, 80: 1, None: 0}[width]
    for line in (first, *rest):
        assert line.isprintable()
        assert len(line) <= (width or 300)


def test_a_problem_says_what_it_may_cost_and_why_in_80_columns(small: Callable[..., Any]) -> None:
    """Not the call, the job's id or an address, which are in the whole message at the end."""
    bear = "bear in a snowy forest at dawn, tracking shot, cinematic"
    unclear = (
        "http://127.0.0.1:8765 gave no clear answer to POST /v2/videos: the connection broke before the answer came. "
        "It may have been charged, so it is held and not repeated."
    )
    assert problem_lines(problem(small, bear, "ambiguous", unclear, perhaps_paid=Decimal("0.28")), 80) == [
        "ambiguous  bear in a snowy forest…: 0.28 USD perhaps paid: the connection broke",
        "           before the answer came",
    ]
    refused = (
        "POST /v2/videos was answered with HTTP 422 (x-request-id 1f): no such width. Nothing was created."
    )
    assert problem_lines(problem(small, "a hawk", "refused", refused), 80) == [
        "refused    a hawk: nothing paid: the API answered HTTP 422: no such width",
    ]
    failed = "Job 84c1b37f failed: not this prompt (moderation). --retry-failed buys the video again."
    assert problem_lines(problem(small, "an owl", "failed", failed, paid=Decimal("0.28"))) == [
        "failed     an owl: 0.28 USD paid: not this prompt (moderation)",
    ]
