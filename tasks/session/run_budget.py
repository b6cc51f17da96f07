"""What a run may still spend, in USD: many videos reserve money at a time, wait for it, and release it.

A video in flight counts at its highest estimate until the provider reports the cost. If the provider never reports it,
the video stays counted at the estimate, and so does a create without a clear answer.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from together_video.errors import BudgetReached
from together_video.ledger.account import Account
from together_video.money import usd


class RunBudget:
    """A limit that callers can wait for. Without a limit everything fits at once.

    In flight are videos that this run waits for (`reserved`) and those that it left at the provider (`left_behind`).
    """

    def __init__(self, limit: Decimal | None) -> None:
        self.limit = limit
        self.paid = self.perhaps = self.reserved = self.left_behind = Decimal(0)
        self._changed = asyncio.Condition()

    @property
    def lasting(self) -> Account:
        """The part that waiting cannot reduce."""
        known = Account(paid=self.paid, perhaps_paid=self.perhaps, in_flight=self.left_behind)
        return known.within(self.limit)

    @property
    def account(self) -> Account:
        """Everything, including what this run waits for."""
        known = self.lasting + Account(in_flight=self.reserved)
        return known.within(self.limit)

    async def reserve(self, amount: Decimal | None) -> None:
        """Reserve `amount` for one create, waiting for videos in flight to turn out cheaper.

        Raises:
            BudgetReached: it no longer fits, or its price is unknown.
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
        """Count what an earlier run of the same batch paid: `cost`, or perhaps the estimate; or its job is still in
        flight.
        """
        if in_flight:
            self.left_behind += estimate or 0
        elif cost is None:
            self.perhaps += estimate or 0
        else:
            self.paid += cost

    async def settle(self, amount: Decimal | None, cost: Decimal | None, *, in_flight: bool = False) -> None:
        """The reserved amount is paid: at `cost`, or, if the provider reports none, perhaps at the estimate. A job that
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
        """Give `amount` back: nothing was created for it."""
        if amount is None or self.limit is None:
            return
        async with self._changed:
            self.reserved -= amount
            self._changed.notify_all()
