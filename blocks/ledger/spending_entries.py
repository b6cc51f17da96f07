"""What a month has cost an archive, as keys in it, one for each purchase."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple
from uuid import uuid4

from pydantic import ValidationError

from prefect_together_video.blocks.ledger.index_reading import IndexReader, IndexUnusable
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, StoreUnavailable, VideoError
from together_video.ledger.layout import Layout
from together_video.ledger.records import VideoRecord
from together_video.text import printable

_log = logging.getLogger("together_video")

_MICRO = Decimal("0.000001")
#: Seconds after which a reservation without a claim is nobody's.
_SETTLED_AFTER = 3600
#: In place of a purchase's token, where it had no reservation.
_TAKEN_IN = "recorded"
#: Records that are taken in at the same time.
_AT_ONCE = 16


def this_month() -> str:
    """`2026-11`, in UTC."""
    return f"{datetime.now(UTC):%Y-%m}"


class SpendingEntries:
    """Keys under `spending/<year>-<month>/`: `<id>-<token>-reserved-<micro-USD>` and `…-paid-<micro-USD>`.

    What was recorded without a reservation, as its run had no limit, is taken in as `<id>-recorded-…`.
    Amounts are in USD, months are written `2026-11`. Raises the store's errors.
    """

    def __init__(self, store: Store, layout: Layout, recorded: IndexReader) -> None:
        self._store = store
        self._recorded = recorded
        self._layout = layout

    def reservation(self, month: str, video: str, amount: Decimal) -> str:
        """The key of a new reservation."""
        return self._layout.spending(month, f"{video}-{uuid4().hex[:8]}-reserved-{_micros(amount)}")

    async def total(self, month: str) -> Decimal:
        """USD paid and reserved in `month` (`2026-11`)."""
        return _sum(await self._listed(month))

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

        A read of the month's index, and of each record that is not counted yet; a listing of all records where there
        is no index.
        """
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        # Before the reservations: a run with a limit has written its own by the time of the record.
        names = await self._names(month)
        records = await self._records() if names is None else []
        entries = await self._listed(month)
        of_video = _by_video(entries)
        places = asyncio.Semaphore(_AT_ONCE)
        if names is not None:
            records = await self._uncounted(names, of_video, places)

        async def one(found: ListedObject) -> None:
            video, is_late = _recorded(found)
            known = of_video.get(video, [])
            if any(entry.covers(found, is_late=is_late) for entry in known):
                return
            async with places:
                try:
                    stored = await self._store.get(found.key)
                    record = VideoRecord.model_validate_json(stored.data if stored else b"")
                except StoreUnavailable:
                    raise
                except (ValidationError, ArchiveError):
                    _log.warning("%s is unreadable and counts for no monthly limit: run audit", found.key)
                    return
                cost = record.cost_usd
                if (record.claimed_at or record.recorded_at) < first:
                    cost = Decimal(0)  # Of last month: noted, so that nobody reads it again.
                kind, micros = "paid", _micros(cost or Decimal(0))
                if cost is None:
                    kind, micros = "reserved", _micros(record.plan.estimate_usd or Decimal(0))
                name = f"{video}-{_TAKEN_IN}-{kind}-{micros}"
                await self._store.put_once(self._layout.spending(month, name), b"{}\n")
                entries.append(_Entry(video, _TAKEN_IN, kind == "paid", micros, found.written_at, name))

        await asyncio.gather(*(one(found) for found in records if found.written_at >= first))
        return _sum(entries)

    async def _names(self, month: str) -> set[str] | None:
        """The records of purchases of a month, by the index; None where it does not know them."""
        try:
            return {line.name async for lines in self._recorded.months({month}) for line in lines}
        except IndexUnusable:
            return None

    async def _records(self) -> list[ListedObject]:
        listed = await self._store.list(self._layout.key("records", ""))
        return [found for found in listed if self._layout.is_own("records", found.key)]

    async def _uncounted(
        self, names: Iterable[str], of_video: Mapping[str, list[_Entry]], places: asyncio.Semaphore
    ) -> list[ListedObject]:
        """The objects of those records that no payment stands for: a listing for each."""

        async def listed(name: str) -> list[ListedObject]:
            async with places:
                return await self._store.list(self._layout.key("records", name))

        wanted = [name for name in names if not any(entry.is_paid for entry in of_video.get(name[:24], ()))]
        return [found for several in await asyncio.gather(*map(listed, wanted)) for found in several]

    async def left_behind(self, in_flight: Collection[str]) -> list[str]:
        """Keys of this month's reservations for which nothing is bought: their run died right after them.

        One is left behind when it is older than an hour, its video is not among `in_flight` (listed before),
        and there is no record, or another entry that stands for it.
        """
        month = this_month()
        old_from = datetime.now(UTC) - timedelta(seconds=_SETTLED_AFTER)
        left: dict[str, tuple[list[_Entry], _Entry]] = {}
        for video, entries in _by_video(await self._listed(month)).items():
            old = [entry for entry in entries if not entry.is_paid and entry.written_at <= old_from]
            if old and video not in in_flight:
                # A young one may be withdrawn at any moment, so it stands for nothing.
                left[video] = old, max([entry for entry in entries if entry.is_paid] + old, key=_Entry.amount)
        places = asyncio.Semaphore(_AT_ONCE)

        async def is_bought(video: str, stands: _Entry) -> bool:
            if stands.is_paid:
                return True
            async with places:
                return await self._store.head(self._layout.record(video)) is not None

        bought = await asyncio.gather(*(is_bought(video, stands) for video, (_, stands) in left.items()))
        return [
            entry.key
            for (old, stands), is_one in zip(left.values(), bought, strict=True)
            for entry in old
            if not (is_one and entry is stands)
        ]

    async def unaccounted(self, costs: Mapping[str, Decimal]) -> list[str]:
        """Keys of this month's payments for videos that have cost less by their records, or have none: nobody wrote
        them rightly, and they count all the same.

        Args:
            costs: what each recorded video has cost, in USD.
        """
        paid = [entry for entry in await self._listed(this_month()) if entry.is_paid]
        found = []
        for video, entries in _by_video(paid).items():
            # Each may have been rounded up to a millionth.
            if (sum(entry.micros for entry in entries) - len(entries)) * _MICRO > costs.get(
                video, Decimal(0)
            ):
                found += [entry.key for entry in entries]
        return found

    async def _listed(self, month: str) -> list[_Entry]:
        listed = await self._store.list(self._layout.spending(month, ""))
        entries = []
        for stored in listed:
            if self._layout.is_own("spending", stored.key):
                entries.append(_parsed(stored))
            else:
                _log.warning("%s is not what this project writes there; it is ignored", printable(stored.key))
        return entries


class _Entry(NamedTuple):
    """A key of the month: the video, its purchase's token, and the amount in millionths of a USD."""

    video: str
    token: str
    is_paid: bool
    micros: int
    written_at: datetime
    key: str

    @property
    def is_taken_in(self) -> bool:
        return self.token == _TAKEN_IN

    def covers(self, record: ListedObject, *, is_late: bool) -> bool:
        """Whether what this record cost counts by this entry."""
        if is_late:
            # The cost of what was given up: under a limit its own reservation stands for it.
            return self.is_paid or not self.is_taken_in
        # A reservation is older than its record; a younger one is of a run that is about to find that.
        return self.is_paid or self.is_taken_in or self.written_at <= record.written_at

    def amount(self) -> tuple[bool, int]:
        """Of several entries of one purchase the highest holds: what was paid, else what was reserved."""
        return self.is_paid, self.micros


def _parsed(stored: ListedObject) -> _Entry:
    stem, _, micros = stored.key.rpartition("/")[2].rpartition("-")
    purchase, _, kind = stem.rpartition("-")
    video, _, token = purchase.partition("-")
    return _Entry(video, token, kind == "paid", int(micros), stored.written_at, stored.key)


def _recorded(record: ListedObject) -> tuple[str, bool]:
    """The video of a key of records/, and whether it is its late record."""
    video, _, late = record.key.rpartition("/")[2].removesuffix(".json").partition(".")
    return video, bool(late)


def _by_video(entries: Iterable[_Entry]) -> dict[str, list[_Entry]]:
    found: dict[str, list[_Entry]] = {}
    for entry in entries:
        found.setdefault(entry.video, []).append(entry)
    return found


def _sum(entries: Iterable[_Entry]) -> Decimal:
    """Each purchase once: one that is being settled has two entries."""
    amounts: dict[tuple[str, str], tuple[bool, int]] = {}
    for entry in entries:
        purchase = (entry.video, entry.token)
        amounts[purchase] = max(amounts.get(purchase, (False, 0)), entry.amount())
    return sum((micros for _, micros in amounts.values()), 0) * _MICRO


def _micros(amount: Decimal) -> int:
    """Never below zero: a negative payment would raise the limit."""
    amount = max(amount, Decimal(0))
    return int((amount / _MICRO).to_integral_value(ROUND_CEILING))
