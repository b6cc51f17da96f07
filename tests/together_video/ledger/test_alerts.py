"""Alerts: what is due, once; and labels that an automation can compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatch

import pytest

from together_video.ledger.alerts import (
    PERCENTS,
    MonthReached,
    days_in_doubt,
    months_reached,
    percents_above,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize("threshold", range(100))
def test_a_label_matches_above_the_threshold_and_nowhere_else(threshold: int) -> None:
    """Text is all that automations compare: of 000 to 100 exactly the larger ones match."""
    patterns = percents_above(threshold)
    matched = [number for number in range(101) if any(fnmatch(f"{number:03}", one) for one in patterns)]
    assert matched == list(range(threshold + 1, 101))
    assert len(patterns) <= 20


@pytest.mark.parametrize(
    ("counted", "said", "due"),
    [
        ("9.99", set(), []),
        ("10", set(), [50]),
        ("16", {"limit-050.json"}, [80]),
        ("16", {"limit-050.json", "limit-080.json"}, []),
        ("25", {"another"}, list(PERCENTS)),
    ],
)
def test_each_share_of_the_limit_is_due_once(counted: str, said: set[str], due: list[int]) -> None:
    """All that were passed at once are due, so that whichever threshold was chosen is among them."""
    found = months_reached("2026-11", Decimal(counted), Decimal(20), said)
    assert [alert.percent for alert in found] == due


def test_the_sentence_has_the_amounts() -> None:
    """Nothing is left below zero."""
    alert = MonthReached("2026-11", 100, Decimal("21.5"), Decimal(20))
    assert alert.sentence == (
        "100 % of the monthly limit of 20.00 USD is reached in 2026-11: 21.50 USD paid, perhaps paid or in flight, "
        "0.00 USD left."
    )


@pytest.mark.parametrize(("hours", "days"), [(-1, 0), (23.9, 0), (24, 1), (49, 2)])
def test_days_in_doubt_are_whole_ones(hours: float, days: int) -> None:
    assert days_in_doubt(NOW - timedelta(hours=hours), NOW) == days
