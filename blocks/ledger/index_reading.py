"""Reading `index/`: the lines about every record, month by month, if the index is complete."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Container, Iterable
from itertools import islice

from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.ledger.index import MOST_PACKED, Entry, unpacked
from together_video.ledger.layout import Layout
from together_video.text import printable

_log = logging.getLogger("together_video")

#: How many objects are read at the same time, and at most.
_AT_ONCE, MOST = 8, 20_000
#: How many months are read ahead: memory has room for their lines.
_AHEAD = 2
#: How often the objects of a month are listed again because some were merged in the meantime.
_TRIES = 5
#: Says that the index has a line for each record whose purchase is not in flight.
COMPLETE = "complete.json"
#: The folder that says which collector builds an index.
TURNS = "turns"


class IndexUnusable(Exception):
    """The index does not describe every record, or cannot be read: read the records."""


class IndexReader:
    """Raises `ArchiveError`s if the archive does not answer."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def listed(self) -> tuple[dict[str, list[ListedObject]], bool]:
        """The objects of each month, and whether they are complete."""
        start, found, is_complete = self._layout.index(), dict[str, list[ListedObject]](), False
        for one in await self._store.list(start):
            if not self._layout.is_own("index", one.key):
                continue
            month, _, name = one.key.removeprefix(start).partition("/")
            if name and month != TURNS:
                found.setdefault(month, []).append(one)
            elif month == COMPLETE:
                is_complete = True
        return found, is_complete

    async def months(self, wanted: Callable[[str], bool] = lambda _: True) -> AsyncIterator[list[Entry]]:
        """The lines of each month, the newest month first; a record may have several lines.

        List what is in flight first: what is neither in flight nor here was never bought.

        Args:
            wanted: whether to read a month, such as `2026-11`.

        Raises:
            IndexUnusable: the index is not complete, or not what this project wrote.
        """
        listed, is_complete = await self.listed()
        if not is_complete:
            raise IndexUnusable
        waiting = iter(sorted(filter(wanted, listed), reverse=True))
        under_way = [
            asyncio.ensure_future(self._month(month, listed[month])) for month in islice(waiting, _AHEAD)
        ]
        try:
            while under_way:
                yield await under_way.pop(0)
                under_way += [
                    asyncio.ensure_future(self._month(month, listed[month])) for month in islice(waiting, 1)
                ]
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _month(self, month: str, objects: Iterable[ListedObject]) -> list[Entry]:
        found: dict[str, list[Entry]] = {}
        for _ in range(_TRIES):
            missing = [one for one in objects if one.key not in found]
            lines = await asyncio.gather(*(self.lines(one) for one in missing))
            found |= {one.key: these for one, these in zip(missing, lines, strict=True) if these is not None}
            if None not in lines:
                return [line for one in found.values() for line in one]
            # Their lines are now in others, which were written before.
            objects = (await self.listed())[0].get(month, [])
        raise IndexUnusable

    async def lines(self, one: ListedObject) -> list[Entry] | None:
        """The lines of one object; None if it is gone.

        Raises:
            IndexUnusable: it is not what this project wrote; that is logged.
        """
        async with self._places:
            try:
                if one.size > MOST_PACKED:
                    raise ValueError("it is too large")
                stored = await self._store.get(one.key)
                return None if stored is None else await asyncio.to_thread(unpacked, stored.data)
            except StoreUnavailable:
                raise
            except (ArchiveError, ValueError) as error:
                _log.warning("%s cannot be used and is ignored: %s", printable(one.key), error)
                raise IndexUnusable from error

    async def known(self, listed: Container[str]) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
        """One line about each record of these names, by name, and further lines about some. All may be out of date.

        What cannot be read is skipped: this is for readers that list the records.
        """
        firsts: dict[str, Entry] = {}
        more: dict[str, list[Entry]] = {}
        seen: set[str] = set()
        for _ in range(2):
            objects = [one for several in (await self.listed())[0].values() for one in several]
            unseen = [one for one in objects[:MOST] if one.key not in seen]
            seen.update(one.key for one in unseen)
            answers = await asyncio.gather(*(self.lines(one) for one in unseen), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, IndexUnusable):
                    raise answer
                for line in answer if isinstance(answer, list) else ():
                    if line.name in firsts:
                        more.setdefault(line.name, []).append(line)
                    elif line.name in listed:
                        firsts[line.name] = line
            if None not in answers:
                break
        return firsts, more
