"""Amounts are rounded and written in one way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from together_video.money import rounded, usd, usd_cells, usd_number, usd_range


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


def test_the_amounts_of_a_column_have_the_same_decimals() -> None:
    """As many as the one that needs most, and at least two; what is not known is a dash."""
    amounts = ["0.28", "0.32344", "12", None]
    cells = usd_cells(None if one is None else Decimal(one) for one in amounts)
    assert cells == ["0.2800", "0.3234", "12.0000", "—"]
    assert usd_cells([Decimal(5), Decimal("0.5")]) == ["5.00", "0.50"]
    assert usd_cells([Decimal("0.125"), Decimal(10)]) == ["0.125", "10.000"]
    assert usd_cells([None]) == ["—"]
    assert usd_cells([]) == []
