"""`index/<month>/…` in an archive: packed lists, so readers need not list and read every record.

A set of objects that are named by their content and never changed. A run that finishes purchases adds one with their
lines before it removes the facts in flight, so each record is in flight or in the index. Collectors merge small ones;
an audit builds all of them from the records. New objects are written before the old ones are removed. `complete.json`
says that every record has a line: it is written once each has one. If it is lost, readers list the records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from prefect_together_video.blocks.ledger.index_reading import COMPLETE, TURNS, IndexReader, IndexUnusable
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from together_video.ledger.index import Entry, packed
from together_video.ledger.layout import Layout
from together_video.ledger.lines import merged

#: Smaller objects, in bytes, are merged with others, and how many of them a month must have for that.
_SMALL, _MANY = 256 * 2**10, 8
#: At most one collector in this many hours builds an index from the records.
_TURN_HOURS = 6
#: Up to this many listings of 1,000 records a collector builds an index. For more, an audit does.
_PAGES = 10


class Index:
    """The packed lists of one archive. Raises `ArchiveError`s."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout
        self.reader = IndexReader(store, layout)

    async def add(self, lines: Iterable[Entry]) -> None:
        """Add these lines. Their records may have other lines, too."""
        await self._write(_by_month(lines))

    async def _write(self, months: dict[str, list[Entry]]) -> tuple[int, set[str]]:
        """How many objects are new, and the keys of all objects with these lines."""
        keys: list[str] = []
        writes = []
        for month, lines in months.items():
            for name, data in await asyncio.to_thread(_packed, lines):
                keys.append(key := self._layout.index(month, name))
                writes.append(self._store.put_once(key, data, "application/gzip"))
        return sum(await asyncio.gather(*writes)), set(keys)

    async def keys(self) -> set[str]:
        """The keys of all objects with lines."""
        listed, _ = await self.reader.listed()
        return {one.key for several in listed.values() for one in several}

    async def replace(self, before: set[str], entries: Iterable[Entry]) -> int:
        """Make the index contain these lines, of all records. Returns the number of objects that were written.

        Args:
            before: the keys that existed before the records were listed. What was added later stays.
        """
        written, wanted = await self._write(_by_month(entries))
        await self._store.put_once(self._layout.index(COMPLETE), b"{}\n")
        # Only now: until here readers find every line somewhere.
        await self._store.delete(sorted(before - wanted))
        return written

    async def merge(self) -> bool:
        """Merge the small objects of each month that has many. False if the index is not complete."""
        listed, is_complete = await self.reader.listed()
        for month, objects in listed.items():
            small = [one for one in objects if one.size < _SMALL]
            if len(small) >= _MANY:
                await self._merge(month, small)
        return is_complete

    async def _merge(self, month: str, objects: list[ListedObject]) -> None:
        try:
            read = await asyncio.gather(*map(self.reader.lines, objects))
        except IndexUnusable:
            return
        lines = [line for these in read if these is not None for line in these]
        # We never write a line of another month, and it would count twice.
        _, wanted = await self._write({month: merged(line for line in lines if line.month == month)})
        await self._store.delete(sorted({one.key for one in objects} - wanted))

    async def may_be_made(self, now: datetime) -> bool:
        """Whether this collector builds the index from the records: it is its turn, and they are not too many."""
        slot = now.replace(hour=now.hour // _TURN_HOURS * _TURN_HOURS)
        turn = self._layout.index(TURNS, f"{slot:%Y-%m-%dT%H}.json")
        turns = [one.key for one in await self._store.list(self._layout.index(TURNS, ""))]
        if turn in turns:
            return False
        records, whole = await self._store.list_first(self._layout.key("records", ""), pages=_PAGES)
        if not records or not whole or not await self._store.put_once(turn, b"{}\n"):
            return False
        await self._store.delete([key for key in turns if self._layout.is_own("index", key)])
        return True


def _by_month(lines: Iterable[Entry]) -> dict[str, list[Entry]]:
    months: dict[str, list[Entry]] = {}
    for line in lines:
        months.setdefault(line.month, []).append(line)
    return months


def _packed(lines: Iterable[Entry]) -> list[tuple[str, bytes]]:
    return list(packed(lines))
