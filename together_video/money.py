"""How amounts of money are rounded and written: the same in the terminal, in artifacts, on pages and in JSON.

Amounts are exact decimals until they are shown. Then they are rounded half up to a hundredth of a cent, with at least
two decimals: `0.28 USD`, `5.00 USD`, `0.3234 USD`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

_STEP = Decimal("0.0001")
_CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    """To a hundredth of a cent, half up; with at least two decimals."""
    exact = amount.quantize(_STEP, ROUND_HALF_UP)
    cents = exact.quantize(_CENT, ROUND_HALF_UP)
    return cents if cents == exact else exact.normalize()


def usd(amount: Decimal) -> str:
    """An amount for people.

    Example:
        ```python
        usd(Decimal("0.28"))  # 0.28 USD
        ```
    """
    return f"{rounded(amount):f} USD"


def usd_cell(amount: Decimal | None) -> str:
    """An amount for a table column headed USD; a dash if it is unknown."""
    return "—" if amount is None else f"{rounded(amount):f}"


def usd_cells(amounts: Iterable[Decimal | None]) -> list[str]:
    """The amounts of one column, all with as many decimals as the one that needs most; a dash for an unknown one.

    Example:
        ```python
        usd_cells([Decimal("0.3234"), Decimal("0.28"), None])  # ["0.3234", "0.2800", "—"]
        ```
    """
    shown = [None if amount is None else rounded(amount) for amount in amounts]
    decimals = max((-int(amount.as_tuple().exponent) for amount in shown if amount is not None), default=2)
    return ["—" if amount is None else f"{amount:.{decimals}f}" for amount in shown]


def usd_range(low: Decimal, high: Decimal) -> str:
    """A price range for people: `0.10 to 0.50 USD`, or one amount if both look the same."""
    return usd(high) if rounded(low) == rounded(high) else f"{rounded(low):f} to {usd(high)}"


def usd_number(amount: Decimal) -> float:
    """An amount for JSON: the number that people see."""
    return float(rounded(amount))


def usd_number_or_none(amount: Decimal | None) -> float | None:
    """An amount for JSON; null if it is unknown."""
    return None if amount is None else usd_number(amount)
