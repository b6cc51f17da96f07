"""Amounts are rounded and written in one way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from together_video.money import rounded, usd, usd_number, usd_range


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00 USD"),
        ("5", "5.00 USD"),
        ("0.280", "0.28 USD"),
        ("0.3234", "0.3234 USD"),
        ("0.00005", "0.0001 USD"),
        ("0.00004", "0.00 USD"),
        ("1E+3", "1000.00 USD"),
        ("-0.5", "-0.50 USD"),
    ],
)
def test_usd(amount: str, text: str) -> None:
    """At least two decimals, at most four, rounded half up."""
    assert usd(Decimal(amount)) == text
    assert usd_number(Decimal(amount)) == float(rounded(Decimal(amount)))


def test_usd_range() -> None:
    """Two readings that are shown alike are one."""
    assert usd_range(Decimal("0.1"), Decimal("0.5")) == "0.10 to 0.50 USD"
    assert usd_range(Decimal("0.28"), Decimal("0.280001")) == "0.28 USD"
