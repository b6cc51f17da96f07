"""What an archive costs in a month, as keys in the archive, one for each purchase."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import uuid4

from pydantic import ValidationError

from prefect_together_video.blocks.ledger.index_reading import IndexReader, IndexUnusable
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, StoreUnavailable, VideoError
from together_video.ledger.layout import Layout
from together_video.ledger.records import Claim, VideoRecord
from together_video.text import printable

_log = logging.getLogger("together_video")

_MICRO = Decimal("0.000001")
#: Seconds after which a reservation without a claim counts as left behind.
_SETTLED_AFTER = 3600
#: Instead of a purchase's token, if it had no reservation.
_TAKEN_IN = "recorded"
#: How many records are counted at the same time.
_AT_ONCE = 16


def this_month() -> str:
    """`2026-11`, in UTC."""
    return f"{datetime.now(UTC):%Y-%m}"


class SpendingEntries:
    """Keys under `spending/<year>-<month>/`: `<id>-<token>-reserved-<micro-USD>` and `…-paid-<micro-USD>`.

    A record without a reservation, because its run had no limit, is counted as `<id>-recorded-…`.
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
        """Write all of them, and only then raise the first error."""
        done = await asyncio.gather(
            *(self._store.put_once(key, b"{}\n") for key in keys), return_exceptions=True
        )
        for one in done:
            if isinstance(one, BaseException):
                raise one

    async def withdraw(self, keys: Iterable[str]) -> None:
        """Remove these keys. Until the collector finds a key that could not be removed, the limit is tighter."""
        if found := list(keys):
            with suppress(VideoError):
                await self._store.delete(found)

    async def pay(self, reservation: str, cost: Decimal) -> None:
        """Write what was paid next to the reservation, which then no longer counts."""
        stem = reservation.rpartition("-reserved-")[0]
        await self._store.put_once(f"{stem}-paid-{_micros(cost)}", b"{}\n")

    async def take_in(self, month: str) -> Decimal:
        """Also count what runs without a limit recorded this month. Returns the month's total.

        Reads the month's index, and each record that is not counted yet. Without an index it lists all records.
        """
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        # A purchase that finishes in the meantime is in the index when that is read.
        in_flight = await self._in_flight()
        # Before the reservations: a run with a limit writes its own before the record.
        written = await self._recorded_in(month)
        if written is None:
            written = await self._written(first)
        written = {**dict.fromkeys(map(self._layout.record, in_flight)), **written}
        entries = await self._listed(month)
        of_video = _by_video(entries)
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(key: str, written_at: datetime | None) -> None:
            video, is_late = _recorded(key)
            known = of_video.get(video, [])
            if any(entry.covers(written_at, is_late=is_late) for entry in known):
                return
            async with places:
                try:
                    stored = await self._store.get(key)
                    if stored is None:
                        if not any(entry.is_paid or entry.is_taken_in for entry in known):
                            await self._take_claim(video, month, first, entries)
                        return
                    record = VideoRecord.model_validate_json(stored.data)
                except StoreUnavailable:
                    raise
                except (ValidationError, ArchiveError):
                    _log.warning(
                        "%s is unreadable and does not count against the monthly limit: run audit", key
                    )
                    return
                if written_at is None and any(
                    entry.covers(stored.written_at, is_late=is_late) for entry in known
                ):
                    return
                cost = record.cost_usd
                if (record.claimed_at or record.recorded_at) < first:
                    cost = Decimal(0)  # Of last month: noted, so it is not read again.
                kind, micros = "paid", _micros(cost or Decimal(0))
                if cost is None:
                    kind, micros = "reserved", _micros(record.plan.estimate_usd or Decimal(0))
                name = f"{video}-{_TAKEN_IN}-{kind}-{micros}"
                await self._store.put_once(self._layout.spending(month, name), b"{}\n")
                entries.append(Entry(video, _TAKEN_IN, kind == "paid", micros, stored.written_at, name))

        await asyncio.gather(*(one(key, written_at) for key, written_at in written.items()))
        return _sum(entries)

    async def _in_flight(self) -> set[str]:
        """The purchases in flight, by the videos' ids: some of them may have a record, but no line in the index."""
        listed = await self._store.list(self._layout.inflight)
        start = self._layout.inflight
        own = (found.key for found in listed if self._layout.is_own("inflight", found.key))
        return {key.removeprefix(start).partition("/")[0] for key in own}

    async def _take_claim(self, video: str, month: str, first: datetime, entries: list[Entry]) -> None:
        """Count a purchase in flight that a run without a limit claimed, at its highest estimate. Its record replaces
        that.
        """
        try:
            stored = await self._store.get(self._layout.claim(video))
            if stored is None:
                return
            claim = Claim.model_validate_json(stored.data)
        except StoreUnavailable:
            raise
        except (ValidationError, ArchiveError):
            _log.warning(
                "%s is unreadable and does not count against the monthly limit: run audit",
                self._layout.claim(video),
            )
            return
        if claim.reservation is not None or claim.claimed_at < first:
            return
        micros = _micros(claim.plan.estimate_usd or Decimal(0))
        name = f"{video}-{_TAKEN_IN}-reserved-{micros}"
        await self._store.put_once(self._layout.spending(month, name), b"{}\n")
        entries.append(Entry(video, _TAKEN_IN, False, micros, stored.written_at, name))

    def _key(self, name: str) -> str:
        return self._layout.key("records", name)

    async def _recorded_in(self, month: str) -> dict[str, datetime | None] | None:
        """The records of a month's purchases from the index, and when they were written, if that is known; None if the
        index is not usable.
        """
        try:
            return {
                self._key(line.name): datetime.fromtimestamp(line.written / 1e6, UTC)
                if line.written
                else None
                async for lines in self._recorded.months(lambda one: one == month)
                for line in lines
            }
        except IndexUnusable:
            return None

    async def _written(self, first: datetime) -> dict[str, datetime | None]:
        """All records that were written since `first`, and when, by a listing of all."""
        listed = await self._store.list(self._key(""))
        return {
            found.key: found.written_at
            for found in listed
            if found.written_at >= first and self._layout.is_own("records", found.key)
        }

    async def left_behind(self, in_flight: Collection[str]) -> list[str]:
        """Keys of this month's reservations without a purchase: their run died right after them.

        One is left behind when it is older than an hour, its video is not among `in_flight` (listed before),
        and there is no record, or another entry for it.
        """
        old_from = settled_before()
        found: list[str] = []
        standing: dict[str, str] = {}
        for video, entries in _by_video(await self._listed(this_month())).items():
            if video not in in_flight:
                useless, stands = surplus(entries, old_from)
                found += useless
                standing |= {video: stands} if stands else {}
        places = asyncio.Semaphore(_AT_ONCE)

        async def is_recorded(video: str) -> bool:
            async with places:
                return await self._store.head(self._layout.record(video)) is not None

        recorded = await asyncio.gather(*map(is_recorded, standing))
        found += [key for key, is_one in zip(standing.values(), recorded, strict=True) if not is_one]
        return found

    async def _listed(self, month: str) -> list[Entry]:
        listed = await self._store.list(self._layout.spending(month, ""))
        entries = []
        for stored in listed:
            if self._layout.is_own("spending", stored.key):
                entries.append(_parsed(stored))
            else:
                _log.warning("%s is not what this project writes there; it is ignored", printable(stored.key))
        return entries


class Entry(NamedTuple):
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

    def covers(self, recorded_at: datetime | None, *, is_late: bool) -> bool:
        """Whether this entry certainly counts the cost of a record. `recorded_at` is None if it was not read when the
        record was written.
        """
        if is_late:
            # The cost of a given-up purchase: under a limit, its own reservation counts it.
            return self.is_paid or not self.is_taken_in
        if self.is_paid or recorded_at is None:
            return self.is_paid
        # An entry that was made while the purchase was in flight is older than the record, which may know the cost. A
        # reservation is older, too; a younger one belongs to a run that is about to find the record.
        if self.is_taken_in:
            return self.written_at >= recorded_at
        return self.written_at <= recorded_at

    def amount(self) -> tuple[bool, int]:
        """Of several entries of one purchase the highest counts: what was paid, otherwise what was reserved."""
        return self.is_paid, self.micros


def each_video(listed: Iterable[ListedObject]) -> Iterator[tuple[str, list[Entry]]]:
    """The entries of each video in turn, from a month's own keys in order."""
    for video, entries in groupby(map(_parsed, listed), key=attrgetter("video")):
        yield video, list(entries)


def settled_before() -> datetime:
    """Reservations from before this moment are left behind if nothing is bought for them."""
    return datetime.now(UTC) - timedelta(seconds=_SETTLED_AFTER)


def surplus(entries: Iterable[Entry], old_from: datetime) -> tuple[list[str], str | None]:
    """For a video that is not in flight, the keys of reservations without a purchase, and of the reservation that
    has one, if the video has a record.

    Only reservations from before `old_from`: a younger one may be withdrawn at any moment, so it means nothing.
    """
    known = list(entries)
    old = [entry for entry in known if not entry.is_paid and entry.written_at <= old_from]
    if not old:
        return [], None
    stands = max([entry for entry in known if entry.is_paid] + old, key=Entry.amount)
    return [entry.key for entry in old if entry is not stands], None if stands.is_paid else stands.key


def is_overpaid(entries: Iterable[Entry], cost: Decimal) -> bool:
    """Whether these entries say that more was paid for one video than its records cost, in USD: somebody else wrote the
    entries, and they still count.
    """
    paid = [entry.micros for entry in entries if entry.is_paid]
    # Each may have been rounded up to a millionth.
    return (sum(paid) - len(paid)) * _MICRO > cost


def _parsed(stored: ListedObject) -> Entry:
    stem, _, micros = stored.key.rpartition("/")[2].rpartition("-")
    purchase, _, kind = stem.rpartition("-")
    video, _, token = purchase.partition("-")
    return Entry(video, token, kind == "paid", int(micros), stored.written_at, stored.key)


def _recorded(key: str) -> tuple[str, bool]:
    """The video of a key of records/, and whether it is its late record."""
    video, _, late = key.rpartition("/")[2].removesuffix(".json").partition(".")
    return video, bool(late)


def _by_video(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.video, []).append(entry)
    return found


def _sum(entries: Iterable[Entry]) -> Decimal:
    """The sum with each purchase once: one that is being settled has two entries."""
    amounts: dict[tuple[str, str], tuple[bool, int]] = {}
    for entry in entries:
        purchase = (entry.video, entry.token)
        amounts[purchase] = max(amounts.get(purchase, (False, 0)), entry.amount())
    return sum((micros for _, micros in amounts.values()), 0) * _MICRO


def _micros(amount: Decimal) -> int:
    """Millionths of a USD, never below zero: a negative payment would raise the limit."""
    amount = max(amount, Decimal(0))
    return int((amount / _MICRO).to_integral_value(ROUND_CEILING))
