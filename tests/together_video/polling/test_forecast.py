"""What a response says of a job's progress, and how far it moves the next poll."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from together_video.polling.forecast import Forecast
from together_video.polling.reports import Report, report_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("progress", "percent", "eta", "time_remaining", "queue_position", "info", "outputs")


@pytest.mark.parametrize(
    ("answer", "report"),
    [
        ({"progress": 45}, Report(share=0.45)),
        ({"progress": 0.45}, Report(share=0.45)),
        ({"progress": "45 %"}, Report(share=0.45)),
        ({"progress": "45"}, Report(share=0.45)),
        ({"progress": {"percent": 1}}, Report(share=0.01)),
        ({"info": {"eta_seconds": "12.5"}}, Report(left=12.5)),
        ({"queue_position": 3, "progress": 0}, Report(share=0.0, place=3)),
        ({"progress": 100, "eta": 0}, Report(share=1.0, left=0.0)),
    ],
)
def test_what_is_understood(answer: dict[str, Any], report: Report) -> None:
    """Percent or share, as number or text, on top or inside."""
    assert report_of(answer) == report


@pytest.mark.parametrize(
    "value",
    [None, True, 1, 1.0, -3, 101, math.nan, math.inf, 10**400, "", "soon", "9" * 5000, [50], {"x": 5}],
)
def test_what_makes_no_sense_is_dropped(value: object) -> None:
    """1 may be all or a hundredth; nothing else of these is a progress."""
    assert report_of({"progress": value}) == Report()


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, 10**400, 1e9, "1e999", False, "tomorrow"])
def test_times_and_places_have_bounds(value: object) -> None:
    """A week, and a million jobs before this one."""
    assert report_of({"eta": value, "queue_position": value}) == Report()


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON),
    st.lists(st.floats(0.1, 600), max_size=6),
    st.floats(0, 1000),
)
def test_nothing_moves_a_poll_beyond_its_bounds(
    answer: dict[str, Any], gaps: list[float], more: float
) -> None:
    """Never beyond the schedule, 3 s or 10 %; sooner only while a loop would have polled as often."""
    forecast, age = Forecast(), 0.0
    for polls, gap in enumerate(gaps, start=1):
        age += gap
        forecast.hear(report_of(answer), age)
        then = age + more
        moved = forecast.adjusted(then, age=age, polls=polls)
        assert min(then, max(age + 1, 5.0 * (polls + 1))) <= moved <= max(then, age + max(3.0, 0.1 * age))


def test_progress_is_extended_from_where_it_began() -> None:
    """A job that waited in a queue for a minute and makes 10 % in 5 s ends at 110 s, not at three times that."""
    forecast = Forecast()
    for age, share in ((60.0, 0.0), (65.0, 0.1), (70.0, 0.2)):
        forecast.hear(Report(share=share), age)
    assert forecast.end == pytest.approx(110)


def test_progress_that_falls_begins_again() -> None:
    """What was counted before does not count any more; nor does a value that stands still for too long."""
    forecast = Forecast()
    forecast.hear(Report(share=0.5), 50)
    assert forecast.end == pytest.approx(100)
    forecast.hear(Report(share=0.6), 55)
    assert forecast.end == pytest.approx(75)
    forecast.hear(Report(share=0.01), 60)
    assert forecast.end is None
    forecast.hear(Report(share=0.21), 70)
    assert forecast.end == pytest.approx(109.5)
    forecast.hear(Report(share=0.21), 120)
    assert forecast.end is None


def test_a_forecast_that_fails_is_believed_less() -> None:
    """An end that is always near brings polls forward less and less, and in the end not at all."""
    forecast, age, gaps = Forecast(), 100.0, []
    for polls in range(12):
        forecast.hear(Report(left=0), age)
        then = forecast.adjusted(age + 60, age=age, polls=polls)
        gaps.append(then - age)
        age = then
    assert gaps == sorted(gaps)
    assert gaps[0] < 5
    assert gaps[-1] == 60
