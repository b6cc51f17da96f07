"""`index/<month>/…` in an archive: packed lists that spare reading every record. Rebuilt by collect and audit.

Objects are named by their content and never changed. A rebuild writes what is missing and then removes the objects that
it has seen and not made. Where two rebuilds race, both their objects stay or some lines are lost: lists are
then slower, and never wrong, as each line is verified against the listing of the records.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Iterable
from datetime import datetime

from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.ledger.index import MOST_PACKED, Entry, packed, unpacked
from together_video.ledger.layout import Layout
from together_video.text import printable

_log = logging.getLogger("together_video")

#: Objects that are read at the same time, and most that are read: 20 million lines.
_AT_ONCE, _MOST = 4, 1_000
#: A rebuild by the collector: at most one in so many hours.
_TURN_HOURS = 6
_TURNS = "turns"


class Index:
    """The packed lists of one archive. Raises `ArchiveError`s."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout

    async def read(self, listed: Container[str]) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
        """A line about each record of these names, by name, and further lines about some; all may be out of date.

        What cannot be read is passed over.
        """
        keys = await self._keys()
        found: tuple[dict[str, Entry], dict[str, list[Entry]]] = ({}, {})
        for attempt in (1, 2):
            gone = await self._read(keys, listed, found)
            if not gone or attempt == 2:
                break
            # A rebuild has removed them meanwhile, and has written others before.
            keys = sorted(set(await self._keys()) - set(keys))
        return found

    async def _keys(self) -> list[str]:
        listed = await self._store.list(self._layout.index())
        own = [one for one in listed if self._is_list(one.key)]
        for one in own:
            if one.size > MOST_PACKED:
                _log.warning("%s is too large for what this project writes there; it is ignored", one.key)
        # The newest months first.
        return sorted((one.key for one in own if one.size <= MOST_PACKED), reverse=True)[:_MOST]

    def _is_list(self, key: str) -> bool:
        return self._layout.is_own("index", key) and key.endswith(".json.gz")

    async def _read(
        self,
        keys: Iterable[str],
        listed: Container[str],
        found: tuple[dict[str, Entry], dict[str, list[Entry]]],
    ) -> bool:
        """Add the lines of these objects. True where one was gone."""
        firsts, more = found
        places = asyncio.Semaphore(_AT_ONCE)

        async def read(key: str) -> bool:
            async with places:
                try:
                    stored = await self._store.get(key)
                    lines = [] if stored is None else await asyncio.to_thread(unpacked, stored.data)
                except StoreUnavailable:
                    raise
                except (ArchiveError, ValueError) as error:
                    _log.warning("%s cannot be used, and is ignored: %s", printable(key), error)
                    return False
                for line in lines:
                    name = line.name
                    if name in firsts:
                        more.setdefault(name, []).append(line)
                    elif name in listed:
                        firsts[name] = line
                return stored is None

        return any(await asyncio.gather(*map(read, keys)))

    async def rebuild(self, entries: Iterable[Entry]) -> int:
        """Make the index hold these lines. Gives the number of objects that were written."""
        before = {one.key for one in await self._store.list(self._layout.index()) if self._is_list(one.key)}
        months: dict[str, list[Entry]] = {}
        for entry in entries:
            months.setdefault(entry.month, []).append(entry)
        wanted: set[str] = set()
        written = 0
        for month, lines in months.items():
            for name, data in await asyncio.to_thread(_packed, lines):
                key = self._layout.index(month, name)
                wanted.add(key)
                if key not in before:
                    written += await self._store.put_once(key, data, "application/gzip")
        # Only now: until here a reader has found every line somewhere.
        await self._store.delete(sorted(before - wanted))
        return written

    async def takes_turn(self, now: datetime) -> bool:
        """Whether this caller is the one that rebuilds in these hours. False where there is nothing to list."""
        slot = now.replace(hour=now.hour // _TURN_HOURS * _TURN_HOURS)
        turn = self._layout.index(_TURNS, f"{slot:%Y-%m-%dT%H}.json")
        turns = [one.key for one in await self._store.list(self._layout.index(_TURNS, ""))]
        if turn in turns:
            return False
        records, _ = await self._store.list_first(self._layout.key("records", ""), pages=1)
        if not records or not await self._store.put_once(turn, b"{}\n"):
            return False
        await self._store.delete([key for key in turns if self._layout.is_own("index", key)])
        return True


def _packed(lines: Iterable[Entry]) -> list[tuple[str, bytes]]:
    return list(packed(lines))
