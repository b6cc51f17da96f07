"""What a run may still spend, in USD: many videos at a time ask, wait, and give back.

What is in flight counts at its highest estimate until the provider reports the cost. What the
provider never reports stays counted at the estimate, and so does a create without a clear answer.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from together_video.errors import BudgetReached
from together_video.ledger.account import Account
from together_video.money import usd


class RunBudget:
    """A limit that can be waited for. Without one everything fits at once.

    In flight is what this run waits for (`reserved`), and what it has left at the provider (`left_behind`).
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.limit = limit
        self.paid = self.perhaps = self.reserved = self.left_behind = Decimal(0)
        self._changed = asyncio.Condition()

    @property
    def lasting(self) -> Account:
        """What no waiting makes less."""
        known = Account(paid=self.paid, perhaps_paid=self.perhaps, in_flight=self.left_behind)
        return known.within(self.limit)

    @property
    def account(self) -> Account:
        """All of it, with what this run waits for."""
        known = self.lasting + Account(in_flight=self.reserved)
        return known.within(self.limit)

    async def reserve(self, amount: Decimal | None) -> None:
        """Set `amount` aside for one create, waiting for what is in flight to turn out cheaper.

        Raises:
            BudgetReached: it cannot fit any more, or its price is unknown.
        """
        if self.limit is None:
            return
        if amount is None:
            raise BudgetReached(
                "its price is unknown, and there is a budget: give --price-usd, or your own catalogue its price."
            )
        async with self._changed:
            while not self.account.takes(amount):
                if not self.reserved or not self.lasting.takes(amount):
                    raise BudgetReached(
                        f"the budget of {usd(self.limit)} cannot cover another {usd(amount)} ({self.account.words})."
                    )
                await self._changed.wait()
            self.reserved += amount

    def charge(self, estimate: Decimal | None, cost: Decimal | None, *, in_flight: bool = False) -> None:
        """An earlier run of the same batch has paid `cost` out of the same money, or perhaps the estimate; or its job
        is in flight.
        """
        if in_flight:
            self.left_behind += estimate or 0
        elif cost is None:
            self.perhaps += estimate or 0
        else:
            self.paid += cost

    async def settle(self, amount: Decimal | None, cost: Decimal | None, *, in_flight: bool = False) -> None:
        """What was reserved is paid: at `cost`, or where the provider reports none perhaps, at the estimate. A job that
        the run leaves behind stays in flight.
        """
        if amount is None or self.limit is None:
            return
        async with self._changed:
            self.reserved -= amount
            if cost is not None:
                self.paid += cost
            elif in_flight:
                self.left_behind += amount
            else:
                self.perhaps += amount
            self._changed.notify_all()

    async def release(self, amount: Decimal | None) -> None:
        """Nothing was created for what was reserved."""
        if amount is None or self.limit is None:
            return
        async with self._changed:
            self.reserved -= amount
            self._changed.notify_all()
