"""What a run may still spend, in USD: many videos at a time ask, wait, and give back.

What is in flight counts at its highest estimate until the provider reports the cost. What the
provider never reports stays counted at the estimate, and so does a create without a clear answer.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from together_video.errors import BudgetReached


class RunBudget:
    """A limit that can be waited for. Without one everything fits at once.

    `spent` is certain, `reserved` is in flight at its highest estimate; their sum never passes `limit`.
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.limit = limit
        self.spent = Decimal(0)
        self.reserved = Decimal(0)
        self._changed = asyncio.Condition()

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
            while self.spent + self.reserved + amount > self.limit:
                if not self.reserved or self.spent + amount > self.limit:
                    raise BudgetReached(
                        f"the budget of {self.limit} USD has no {amount} USD left "
                        f"({self.spent} USD spent, {self.reserved} USD in flight)."
                    )
                await self._changed.wait()
            self.reserved += amount

    def charge(self, amount: Decimal | None) -> None:
        """An earlier run of the same batch has paid this out of the same money."""
        self.spent += amount or 0

    async def settle(self, amount: Decimal | None, cost: Decimal | None) -> None:
        """What was reserved is paid: at `cost`, or where the provider reports none at the estimate."""
        if amount is not None:
            await self._free(amount, amount if cost is None else cost)

    async def release(self, amount: Decimal | None) -> None:
        """Nothing was created for what was reserved."""
        if amount is not None:
            await self._free(amount, Decimal(0))

    async def _free(self, amount: Decimal, spent: Decimal) -> None:
        if self.limit is None:
            return
        async with self._changed:
            self.reserved -= amount
            self.spent += spent
            self._changed.notify_all()
