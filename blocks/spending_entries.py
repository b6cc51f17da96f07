"""What a month has cost an archive, as keys in its bucket, one for each purchase."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from uuid import uuid4

from pydantic import ValidationError

from blocks.objects import ListedObject
from blocks.store import ObjectStore
from together_video.errors import VideoError
from together_video.records import Layout, VideoRecord

_log = logging.getLogger("together_video")

_MICRO = Decimal("0.000001")
#: Seconds after which a reservation without a claim is nobody's.
_SETTLED_AFTER = 3600
#: Records that are taken in at the same time.
_AT_ONCE = 16


class SpendingEntries:
    """Keys under `spending/<year>-<month>/`: `<id>-<token>-reserved-<micro-USD>` and `…-paid-<micro-USD>`.

    What was recorded without a reservation, as its run had no limit, is taken in as `<id>-recorded-…`.
    Amounts are in USD, months are written `2026-11`. Raises the store's errors.
    """

    def __init__(self, store: ObjectStore, layout: Layout) -> None:
        self._store = store
        self._layout = layout

    def reservation(self, month: str, video: str, amount: Decimal) -> str:
        """The key of a new reservation."""
        return self._layout.spending(month, f"{video}-{uuid4().hex[:8]}-reserved-{_micros(amount)}")

    async def total(self, month: str) -> Decimal:
        """USD paid and reserved in `month` (`2026-11`)."""
        return _sum(await self._amounts(month))

    async def put(self, keys: Iterable[str]) -> None:
        """Write all of them, and only then say what went wrong with one."""
        done = await asyncio.gather(
            *(self._store.put_once(key, b"{}\n") for key in keys), return_exceptions=True
        )
        for one in done:
            if isinstance(one, BaseException):
                raise one

    async def withdraw(self, keys: Iterable[str]) -> None:
        """What cannot be removed makes the limit tighter until the collector finds it."""
        if found := list(keys):
            with suppress(VideoError):
                await self._store.delete(found)

    async def pay(self, reservation: str, cost: Decimal) -> None:
        """Write what was paid beside the reservation, which counts no more."""
        stem = reservation.rpartition("-reserved-")[0]
        await self._store.put_once(f"{stem}-paid-{_micros(cost)}", b"{}\n")

    async def take_in(self, month: str) -> Decimal:
        """Count also what runs without a limit have recorded this month. Returns the month's total.

        A listing of all records, and a read of each that is not counted yet.
        """
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        # Before the reservations: a run with a limit has written its own by the time of the record.
        listed = await self._store.list(self._layout.key("records", ""))
        amounts = await self._amounts(month)
        known = {purchase.partition("-")[0] for purchase in amounts}
        paid = {purchase.partition("-")[0] for purchase, (is_paid, _) in amounts.items() if is_paid}
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(key: str) -> None:
            video, _, late = key.rpartition("/")[2].removesuffix(".json").partition(".")
            # A late record has the cost of a purchase that was given up, and counted at its estimate.
            if video in (paid if late else known):
                return
            async with places:
                stored = await self._store.get(key)
                try:
                    record = VideoRecord.model_validate_json(stored.data if stored else b"")
                except ValidationError:
                    _log.warning("%s is unreadable and does not count for the monthly limit: run audit", key)
                    return
                cost = record.cost_usd
                if (record.claimed_at or record.recorded_at) < first:
                    cost = Decimal(0)  # Of last month: noted, so that nobody reads it again.
                kind, micros = "paid", _micros(cost or Decimal(0))
                if cost is None:
                    kind, micros = "reserved", _micros(record.plan.estimate_usd or Decimal(0))
                purchase = f"{video}-recorded"
                await self._store.put_once(
                    self._layout.spending(month, f"{purchase}-{kind}-{micros}"), b"{}\n"
                )
                amounts[purchase] = max(amounts.get(purchase, (False, 0)), (kind == "paid", micros))

        await asyncio.gather(*(one(found.key) for found in listed if found.written_at >= first))
        return _sum(amounts)

    async def left_behind(self, in_flight: Collection[str]) -> list[str]:
        """Keys of this month's reservations for which nothing is bought: their run died right after them.

        One is left behind when it is older than an hour, its video is not among `in_flight` (listed before),
        and there is no record, or another entry that stands for it.
        """
        entries: dict[str, list[tuple[bool, int, ListedObject]]] = {}
        for stored in await self._store.list(self._layout.spending(f"{datetime.now(UTC):%Y-%m}", "")):
            if (entry := _parsed(stored.key)) is not None:
                purchase, is_paid, micros = entry
                entries.setdefault(purchase.partition("-")[0], []).append((is_paid, micros, stored))
        found = []
        for video, several in entries.items():
            is_old = {
                stored.key: (datetime.now(UTC) - stored.written_at).total_seconds() >= _SETTLED_AFTER
                for is_paid, _, stored in several
                if not is_paid
            }
            if video in in_flight or not any(is_old.values()):
                continue
            is_paid, _, stands = max(several, key=lambda entry: entry[:2])
            is_bought = is_paid or await self._store.head(self._layout.record(video)) is not None
            found += [key for key, old in is_old.items() if old and not (is_bought and key == stands.key)]
        return found

    async def _amounts(self, month: str) -> dict[str, tuple[bool, int]]:
        """Of each purchase's `<id>-<token>` whether it is paid, and how many micro-USD."""
        amounts: dict[str, tuple[bool, int]] = {}
        for stored in await self._store.list(self._layout.spending(month, "")):
            if (entry := _parsed(stored.key)) is not None:
                purchase, is_paid, micros = entry
                # A purchase with both is being settled: what was paid holds.
                amounts[purchase] = max(amounts.get(purchase, (False, 0)), (is_paid, micros))
        return amounts


def _parsed(key: str) -> tuple[str, bool, int] | None:
    """`<id>-<token>`, whether it is paid, and how many micro-USD."""
    stem, _, micros = key.rpartition("/")[2].rpartition("-")
    purchase, _, kind = stem.rpartition("-")
    if not micros.isdigit() or kind not in {"paid", "reserved"}:
        return None
    return purchase, kind == "paid", int(micros)


def _sum(amounts: Mapping[str, tuple[bool, int]]) -> Decimal:
    return sum((micros for _, micros in amounts.values()), 0) * _MICRO


def _micros(amount: Decimal) -> int:
    """Never below zero: a negative payment would raise the limit."""
    amount = max(amount, Decimal(0))
    return int((amount / _MICRO).to_integral_value(ROUND_CEILING))
