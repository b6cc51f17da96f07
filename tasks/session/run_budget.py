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

    Four parts add up to `limit`: what is `paid`; what is `perhaps` paid, as nobody reported a cost; what is in flight
    at its highest estimate; and what is left. In flight is what this run waits for (`reserved`), and what it has left
    at the provider (`left_behind`).
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.limit = limit
        self.paid = self.perhaps = self.reserved = self.left_behind = Decimal(0)
        self._changed = asyncio.Condition()

    @property
    def spent(self) -> Decimal:
        """What no waiting makes less."""
        return self.paid + self.perhaps + self.left_behind

    @property
    def account(self) -> str:
        """The four parts, in words."""
        in_flight = self.reserved + self.left_behind
        left = max((self.limit or Decimal(0)) - self.spent - self.reserved, Decimal(0))
        parts = (
            (self.paid, "paid"),
            (self.perhaps, "perhaps paid"),
            (in_flight, "in flight"),
            (left, "left"),
        )
        return ", ".join(f"{amount.normalize():f} USD {word}" for amount, word in parts)

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
                        f"the budget of {self.limit} USD cannot cover another {amount} USD ({self.account})."
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
