"""A standing limit on what an archive may cost in a calendar month, over all runs and workers.

No lock is needed. Each process first writes its reservations, with their amounts in the keys. Then it lists and adds up
all reservations of the month, and withdraws its own as far as the sum exceeds the limit. The last writer sees all
others, so the limit is never exceeded. When a cost is known, it replaces the reservation. Videos of a process that
reserve at the same moment share a listing: late in a month it is long.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from prefect_together_video.blocks.ledger.coalescing import Coalesced
from prefect_together_video.blocks.ledger.index_reading import IndexReader
from prefect_together_video.blocks.ledger.spending_entries import SpendingEntries, this_month
from prefect_together_video.blocks.store.store import Store
from together_video.errors import BudgetReached
from together_video.ledger.account import Account
from together_video.ledger.layout import Layout
from together_video.money import usd

#: Two processes that write at the same moment may both see too much and both withdraw. Each tries this often.
_TRIES = 4


@dataclass(eq=False)
class _Wish:
    """One video that needs room, and the decision: the `key` of its reservation, or none.

    `total` is the month's sum without it, in USD; `is_final` says that trying again is useless.
    """

    video: str
    amount: Decimal
    key: str | None = None
    total: Decimal = Decimal(0)
    is_final: bool = False
    is_given_up: bool = False


class MonthlySpending:
    """Room for purchases under the limit. Without a limit nothing is reserved and nothing is written."""

    def __init__(
        self,
        store: Store,
        layout: Layout,
        limit: Decimal | None,
        *,
        recorded: IndexReader | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = limit
        self.entries = SpendingEntries(store, layout, recorded or IndexReader(store, layout))
        self._sleep = sleep
        self._decided = Coalesced(self._decide)
        #: The month whose records are counted, and its total as last seen.
        self._month = ""
        self._seen = Decimal(0)

    async def reserve(self, video: str, amount: Decimal | None) -> str | None:
        """Reserve `amount` (USD, the highest estimate). Returns the reservation's key; None without a limit.

        Raises:
            BudgetReached: it does not fit into this month, or the price is unknown.
        """
        if self.limit is None:
            return None
        if amount is None:
            raise BudgetReached(
                "its price is unknown, and the archive has a monthly limit: give --price-usd, or your own "
                "catalogue its price."
            )
        wish = _Wish(video, amount)
        try:
            for attempt in range(_TRIES):
                if attempt:
                    await self._sleep(random.uniform(0.05, 0.5))  # noqa: S311 - jitter, not a secret
                await self._decided(wish)
                if wish.key is not None:
                    return wish.key
                if wish.is_final:
                    break
        except BaseException:
            wish.is_given_up = True
            await self.entries.withdraw([wish.key] if wish.key else [])
            raise
        # The listing does not say whether a reservation is in flight or perhaps paid.
        left = Account(in_flight=wish.total).within(self.limit).left or Decimal(0)
        raise BudgetReached(
            f"the archive's limit of {usd(self.limit)} a month cannot cover another {usd(amount)} "
            f"({usd(wish.total)} paid, perhaps paid or in flight in {self._month}, {usd(left)} left)."
        )

    async def _decide(self, wishes: list[_Wish]) -> None:
        """Reserve for these, in order, as long as there is room."""
        limit = self.limit or Decimal(0)
        month = this_month()
        if month != self._month:
            self._seen, self._month = await self.entries.take_in(month), month
        elif self._seen + sum(wish.amount for wish in wishes) > limit:
            self._seen = await self.entries.total(month)
        keys: dict[_Wish, str] = {}
        for wish in wishes:
            if wish.key is not None or wish.is_given_up:
                continue
            wish.total, wish.is_final = self._seen, self._seen + wish.amount > limit
            if not wish.is_final:
                self._seen += wish.amount
                keys[wish] = self.entries.reservation(month, wish.video, wish.amount)
        if not keys:
            return
        try:
            await self.entries.put(keys.values())
            self._seen = await self.entries.total(month)
        except BaseException:
            await self.entries.withdraw(keys.values())
            raise
        for wish, key in reversed(keys.items()):
            if self._seen > limit or wish.is_given_up:
                self._seen -= wish.amount
                wish.total = self._seen
            else:
                wish.key = key
        await self.entries.withdraw(key for wish, key in keys.items() if wish.key is None)

    async def has_room(self, amount: Decimal | None) -> bool:
        """Whether `amount` would fit now. No promise: only a reservation counts."""
        if self.limit is None:
            return True
        return amount is not None and await self.entries.total(this_month()) + amount <= self.limit

    async def left(self) -> Decimal | None:
        """What is left of this month's limit, in USD; None without a limit. No promise, as `has_room`."""
        if self.limit is None:
            return None
        month = this_month()
        if month != self._month:
            self._seen, self._month = await self.entries.take_in(month), month
        else:
            self._seen = await self.entries.total(month)
        return max(self.limit - self._seen, Decimal(0))

    async def withdraw(self, key: str | None) -> None:
        """Withdraw this reservation: nothing was created for it."""
        if key is not None:
            await self.entries.withdraw([key])

    async def settle(self, key: str | None, cost: Decimal | None) -> list[str]:
        """Write what was paid next to the reservation. Returns what may be removed now: nothing without a cost."""
        if key is None or cost is None:
            return []
        # In this order the month never looks cheaper than it is, wherever this is interrupted.
        await self.entries.pay(key, cost)
        return [key]
