"""What a run may still spend: many videos at a time ask, wait, and give back."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from together_video.budget import Budget, Verdict
from together_video.errors import BudgetReached


class Purse:
    """A budget that can be waited for. Without a limit everything fits at once."""

    def __init__(self, limit: Decimal | None) -> None:
        self._budget = None if limit is None else Budget(limit)
        self._changed = asyncio.Condition()

    async def reserve(self, amount: Decimal | None) -> None:
        """Set `amount` aside for one create, waiting for what is in flight to turn out cheaper.

        Raises:
            BudgetReached: it cannot fit any more, or its price is unknown.
        """
        if self._budget is None:
            return
        if amount is None:
            raise BudgetReached(
                "its price is unknown, and there is a budget: give --price-usd, or your own catalogue its price."
            )
        async with self._changed:
            while (verdict := self._budget.reserve(amount)) is not Verdict.FITS:
                if verdict is Verdict.NEVER:
                    raise BudgetReached(
                        f"the budget of {self._budget.limit} USD has no {amount} USD left "
                        f"({self._budget.spent} USD spent, {self._budget.reserved} USD in flight)."
                    )
                await self._changed.wait()

    def charge(self, amount: Decimal | None) -> None:
        """An earlier run of the same batch has paid this."""
        if self._budget is not None and amount is not None:
            self._budget.charge(amount)

    async def settle(self, amount: Decimal | None, cost: Decimal | None) -> None:
        """A create was paid: at `cost`, or where the provider reports none at the estimate."""
        if self._budget is not None and amount is not None:
            async with self._changed:
                self._budget.settle(amount, cost)
                self._changed.notify_all()

    async def release(self, amount: Decimal | None) -> None:
        """Nothing was created."""
        if self._budget is not None and amount is not None:
            async with self._changed:
                self._budget.release(amount)
                self._changed.notify_all()
