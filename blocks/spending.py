"""A standing limit on what an archive may cost in a calendar month, over all runs and workers.

No lock is needed. A reservation is written first, with its amount in its key; then all of the month
are listed and added up, and one's own is withdrawn if the sum is over. Whoever writes last sees all
the others, so the limit is never overrun. When the cost is known, the reservation is replaced by it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from uuid import uuid4

from blocks.store import ObjectStore
from together_video.errors import BudgetReached
from together_video.records import Layout

_MICRO = Decimal("0.000001")
#: Two that write at the same moment may both see too much and both withdraw: each tries so often.
_TRIES = 4
#: Seconds after which a reservation without a claim is nobody's.
_SETTLED_AFTER = 3600


class MonthlySpending:
    """Keys under `spending/<year>-<month>/`: `<id>-<token>-reserved-<micro-USD>` and `…-paid-<micro-USD>`."""

    def __init__(
        self,
        store: ObjectStore,
        layout: Layout,
        limit: Decimal | None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limit = limit
        self._store = store
        self._layout = layout
        self._sleep = sleep

    async def reserve(self, video: str, amount: Decimal | None) -> str | None:
        """Reserve `amount` (USD, the highest estimate). Returns the reservation's key; None without a limit.

        Raises:
            BudgetReached: it does not fit into this month, or the price is unknown.
        """
        if self.limit is None:
            return None
        if amount is None:
            raise BudgetReached(
                "its price is unknown, and the archive has a monthly limit: give --price-usd."
            )
        month = f"{datetime.now(UTC):%Y-%m}"
        total = Decimal(0)
        for _ in range(_TRIES):
            total = await self.total(month)
            if total + amount > self.limit:
                break
            key = self._layout.spending(month, f"{video}-{uuid4().hex[:8]}-reserved-{_micros(amount)}")
            await self._store.put_once(key, b"{}\n")
            total = await self.total(month)
            if total <= self.limit:
                return key
            await self._store.delete([key])
            total -= amount
            await self._sleep(random.uniform(0.05, 0.5))  # noqa: S311 - jitter, not a secret
        raise BudgetReached(
            f"the archive's limit of {self.limit} USD a month has no {amount} USD left "
            f"({total} USD spent or in flight in {month})."
        )

    async def withdraw(self, key: str | None) -> None:
        """Nothing was created for this reservation."""
        if key is not None:
            await self._store.delete([key])

    async def settle(self, key: str | None, cost: Decimal | None) -> None:
        """Replace the reservation by what was paid; without a reported cost it stays as it is."""
        if key is None or cost is None:
            return
        stem = key.rpartition("-reserved-")[0]
        # In this order the month never looks cheaper than it is, wherever this is interrupted.
        await self._store.put_once(f"{stem}-paid-{_micros(cost)}", b"{}\n")
        await self._store.delete([key])

    async def left_behind(self, in_flight: Collection[str]) -> list[str]:
        """Keys of reservations behind which no purchase was ever made: their run died right after them.

        A reservation counts as left behind when it is older than an hour, its purchase is not among
        `in_flight` (listed before), and has no record.
        """
        found = []
        for stored in await self._store.list(self._layout.key("spending", "")):
            name = stored.key.rpartition("/")[2]
            age = (datetime.now(UTC) - stored.written_at).total_seconds()
            video = name.partition("-")[0]
            if "-reserved-" not in name or age < _SETTLED_AFTER or video in in_flight:
                continue
            if await self._store.head(self._layout.record(video)) is None:
                found.append(stored.key)
        return found

    async def total(self, month: str) -> Decimal:
        """USD paid and reserved in `month` (`2026-11`)."""
        amounts: dict[str, tuple[bool, int]] = {}
        for stored in await self._store.list(self._layout.spending(month, "")):
            stem, _, micros = stored.key.rpartition("-")
            purchase, _, kind = stem.rpartition("-")
            if not micros.isdigit() or kind not in {"paid", "reserved"}:
                continue
            # A purchase with both is being settled: what was paid holds.
            amounts[purchase] = max(amounts.get(purchase, (False, 0)), (kind == "paid", int(micros)))
        return sum((micros for _, micros in amounts.values()), 0) * _MICRO


def _micros(amount: Decimal) -> int:
    """Never below zero: a negative payment would raise the limit."""
    amount = max(amount, Decimal(0))
    return int((amount / _MICRO).to_integral_value(ROUND_CEILING))
