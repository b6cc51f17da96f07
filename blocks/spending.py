"""A standing limit on what an archive may cost in a calendar month, over all runs and workers.

No lock is needed. Reservations are written first, with their amounts in their keys; then all of the
month are listed and added up, and one's own are withdrawn as far as the sum is over. Whoever writes
last sees all the others, so the limit is never overrun. When a cost is known, it replaces the
reservation. Videos of a process that ask at the same moment share a listing: late in a month it is long.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from uuid import uuid4

from pydantic import ValidationError

from blocks.gathering import Gathered
from blocks.store import ObjectStore
from together_video.errors import ArchiveError, BudgetReached
from together_video.records import Layout, VideoRecord

_log = logging.getLogger("together_video")

_MICRO = Decimal("0.000001")
#: Two that write at the same moment may both see too much and both withdraw: each tries so often.
_TRIES = 4
#: Seconds after which a reservation without a claim is nobody's.
_SETTLED_AFTER = 3600
#: Records that are taken in at the same time.
_AT_ONCE = 16


@dataclass(eq=False)
class _Wish:
    """One video that asks for room, and what was decided: `key` of its reservation, or none.

    `total` is what the month came to without it, in USD; `is_final` that there is no use in asking again.
    """

    video: str
    amount: Decimal
    key: str | None = None
    total: Decimal = Decimal(0)
    is_final: bool = False
    is_given_up: bool = False


class MonthlySpending:
    """Keys under `spending/<year>-<month>/`: `<id>-<token>-reserved-<micro-USD>` and `…-paid-<micro-USD>`.

    What was recorded without a reservation, as its run had no limit, is taken in as `<id>-recorded-…` by the
    next process that has one.
    """

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
        self._decided = Gathered(self._decide)
        #: The month whose records are taken in, and its total as last seen.
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
            await self._withdraw([wish.key] if wish.key else [])
            raise
        raise BudgetReached(
            f"the archive's limit of {self.limit} USD a month has no {amount} USD left "
            f"({wish.total.normalize():f} USD spent or in flight in {self._month})."
        )

    async def _decide(self, wishes: list[_Wish]) -> None:
        """Reserve for all of these, in their order, what there is room for."""
        limit = self.limit or Decimal(0)
        month = f"{datetime.now(UTC):%Y-%m}"
        if month != self._month:
            self._seen, self._month = await self._take_in(month), month
        elif self._seen + sum(wish.amount for wish in wishes) > limit:
            self._seen = await self.total(month)
        keys: dict[_Wish, str] = {}
        for wish in wishes:
            wish.total, wish.is_final = self._seen, self._seen + wish.amount > limit
            if not wish.is_final and not wish.is_given_up:
                self._seen += wish.amount
                name = f"{wish.video}-{uuid4().hex[:8]}-reserved-{_micros(wish.amount)}"
                keys[wish] = self._layout.spending(month, name)
        if not keys:
            return
        try:
            await self._put(keys.values())
            self._seen = await self.total(month)
        except BaseException:
            await self._withdraw(keys.values())
            raise
        for wish, key in reversed(keys.items()):
            if self._seen > limit or wish.is_given_up:
                self._seen -= wish.amount
                wish.total = self._seen
            else:
                wish.key = key
        await self._withdraw(key for wish, key in keys.items() if wish.key is None)

    async def _take_in(self, month: str) -> Decimal:
        """Count also what runs without a limit have recorded this month. Returns the month's total.

        A listing of all records, and a read of each that is not counted yet.
        """
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        # Before the reservations: a run with a limit has written its own by the time of the record.
        listed = await self._store.list(self._layout.key("records", ""))
        amounts = await self._amounts(month)
        counted = {purchase.partition("-")[0] for purchase in amounts}
        missing = {
            video: stored.key
            for stored in listed
            if stored.written_at >= first
            and (video := stored.key.rpartition("/")[2].partition(".")[0]) not in counted
        }
        places = asyncio.Semaphore(_AT_ONCE)

        async def take_in(key: str) -> int:
            async with places:
                stored = await self._store.get(key)
                try:
                    record = VideoRecord.model_validate_json(stored.data if stored else b"")
                except ValidationError:
                    _log.warning("%s is unreadable and does not count for the monthly limit: run audit", key)
                    return 0
                if (record.claimed_at or record.recorded_at) < first:
                    return 0
                kind, cost = "paid", record.cost_usd
                if cost is None:
                    kind, cost = "reserved", record.plan.estimate_usd or Decimal(0)
                name = f"{record.id}-recorded-{kind}-{_micros(cost)}"
                await self._store.put_once(self._layout.spending(month, name), b"{}\n")
                return _micros(cost)

        taken = await asyncio.gather(*(take_in(key) for key in missing.values()))
        return (sum(micros for _, micros in amounts.values()) + sum(taken)) * _MICRO

    async def _put(self, keys: Iterable[str]) -> None:
        """Write all of them, and only then say what went wrong with one."""
        done = await asyncio.gather(
            *(self._store.put_once(key, b"{}\n") for key in keys), return_exceptions=True
        )
        for one in done:
            if isinstance(one, BaseException):
                raise one

    async def _withdraw(self, keys: Iterable[str]) -> None:
        """What cannot be removed makes the limit tighter until the collector finds it."""
        if found := list(keys):
            with suppress(ArchiveError):
                await self._store.delete(found)

    async def withdraw(self, key: str | None) -> None:
        """Nothing was created for this reservation."""
        if key is not None:
            await self._store.delete([key])

    async def settle(self, key: str | None, cost: Decimal | None) -> list[str]:
        """Write what was paid beside the reservation. Returns what may be removed now: nothing without a cost."""
        if key is None or cost is None:
            return []
        stem = key.rpartition("-reserved-")[0]
        # In this order the month never looks cheaper than it is, wherever this is interrupted.
        await self._store.put_once(f"{stem}-paid-{_micros(cost)}", b"{}\n")
        return [key]

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
        return sum((micros for _, micros in (await self._amounts(month)).values()), 0) * _MICRO

    async def _amounts(self, month: str) -> dict[str, tuple[bool, int]]:
        """Of each purchase's `<id>-<token>` whether it is paid, and how many micro-USD."""
        amounts: dict[str, tuple[bool, int]] = {}
        for stored in await self._store.list(self._layout.spending(month, "")):
            stem, _, micros = stored.key.rpartition("/")[2].rpartition("-")
            purchase, _, kind = stem.rpartition("-")
            if not micros.isdigit() or kind not in {"paid", "reserved"}:
                continue
            # A purchase with both is being settled: what was paid holds.
            amounts[purchase] = max(amounts.get(purchase, (False, 0)), (kind == "paid", int(micros)))
        return amounts


def _micros(amount: Decimal) -> int:
    """Never below zero: a negative payment would raise the limit."""
    amount = max(amount, Decimal(0))
    return int((amount / _MICRO).to_integral_value(ROUND_CEILING))
