"""A limit on what one run may spend, in USD. Pure arithmetic: whoever has to wait does the waiting.

What is in flight counts at its highest estimate until the provider reports the cost. What the
provider never reports stays counted at the estimate, and so does a create without a clear answer.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a create fits into the budget now."""

    FITS = "fits"
    WAIT = "wait"  # it may fit once what is in flight turns out cheaper than estimated
    NEVER = "never"


class Budget:
    """`spent` is certain, `reserved` is in flight at its highest estimate; their sum never passes `limit`."""

    def __init__(self, limit: Decimal) -> None:
        self.limit = limit
        self.spent = Decimal(0)
        self.reserved = Decimal(0)

    def reserve(self, amount: Decimal) -> Verdict:
        """Take `amount` out of what is left; only FITS has taken it."""
        if self.spent + amount > self.limit:
            return Verdict.NEVER
        if self.spent + self.reserved + amount > self.limit:
            return Verdict.WAIT if self.reserved else Verdict.NEVER
        self.reserved += amount
        return Verdict.FITS

    def settle(self, amount: Decimal, cost: Decimal | None) -> None:
        """What was reserved is paid: at `cost`, or at the estimate where none was reported."""
        self.reserved -= amount
        self.spent += amount if cost is None else cost

    def charge(self, amount: Decimal) -> None:
        """An earlier run has paid this out of the same money."""
        self.spent += amount

    def release(self, amount: Decimal) -> None:
        """Nothing was created for what was reserved."""
        self.reserved -= amount
