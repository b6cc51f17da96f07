"""How an audit reads and writes the index: line by line through its tables.

New objects are written before old ones are deleted, and contain all of their lines. So readers, collectors and other
audits that run at the same time always find every line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from prefect_together_video.blocks.ledger.auditing.book import AuditBook, entry_of
from prefect_together_video.blocks.ledger.index_reading import COMPLETE, MOST, IndexUnusable
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from together_video.ledger.index import Entry, packed_in_order
from together_video.ledger.reviews import Mark

#: Lines that are changed at a time.
_CHUNK = 1_000
#: An object with fewer lines is small. A month has one such object at most.
_SMALL = 1_000
#: Every line that counts, with its record.
_FINAL = "records JOIN lines USING (name, size, written)"


class AuditedIndex:
    """The objects of the index, as listed when the audit started."""

    def __init__(self, ledger: Ledger, book: AuditBook) -> None:
        self._ledger, self._book = ledger, book
        self._start = ledger.layout.index()
        self._complete, self._is_complete = ledger.layout.index(COMPLETE), False
        #: Objects whose lines were read: their content matches their name.
        self._read_keys: set[str] = set()

    async def read(self, listed: Iterable[ListedObject], *, lines: bool) -> None:
        """Add the objects, and their `lines`, to the tables. What cannot be read is skipped."""
        known = list(listed)
        self._is_complete = any(one.key == self._complete for one in known)
        objects = sorted((one for one in known if one.key.endswith(".json.gz")), reverse=True)
        rows = ((one.key, one.key[len(self._start) :][:7]) for one in objects)
        self._book.tell("INSERT INTO objects (key, month) VALUES (?, ?)", rows)
        if lines:
            for number, one in enumerate(objects[:MOST], 1):
                await self._read(number, one)

    async def _read(self, number: int, one: ListedObject) -> None:
        try:
            lines = await self._ledger.index.reader.lines(one) or []
        except IndexUnusable:
            return
        self._read_keys.add(one.key)
        self._book.take_lines(lines, number)
        self._book.tell("UPDATE objects SET lines = ? WHERE id = ?", [(len(lines), number)])

    async def put_marks(self) -> None:
        """Update each line to the mark that counts."""
        book, reviews = self._book, self._ledger.reviews
        book.tell("CREATE TEMP TABLE newest (video TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID")
        book.tell("INSERT INTO newest SELECT video, max(name) FROM marks GROUP BY video")
        changed = f"""
            SELECT line FROM {_FINAL} LEFT JOIN newest ON video = substr(lines.name, 1, 24)
            WHERE review <> coalesce(newest.name, '') AND lines.name > ? ORDER BY lines.name LIMIT {_CHUNK}
        """  # noqa: S608
        last = ""
        while lines := [entry_of(line) for (line,) in book.ask(changed, last)]:
            last = lines[-1].name
            names = {line.id: self._marks_of(line.id) for line in lines}
            said: dict[str, Mark] = await reviews.read(
                {video: found for video, found in names.items() if found}
            )
            book.take_lines(line.marked(said.get(line.id)) for line in lines)

    def _marks_of(self, video: str) -> list[str]:
        return [name for (name,) in self._book.ask("SELECT name FROM marks WHERE video = ?", video)]

    async def write(self) -> int:
        """Make the index contain the lines that count, and mark it as complete. Returns the number of objects that were
        written.
        """
        book, store, layout = self._book, self._ledger.store, self._ledger.layout
        kept, months = self._kept_and_changed()
        before = {key for (key,) in book.ask("SELECT key FROM objects")}
        written = 0
        book.tell("CREATE INDEX by_month ON lines (month, written, name)")
        for month in months:
            objects = packed_in_order(self._lines_of(month))
            while (found := await asyncio.to_thread(next, objects, None)) is not None:
                key = layout.index(month, found[0])
                kept.add(key)
                if key in before and (key in self._read_keys or await self._holds(key, found[1])):
                    continue
                written += await store.put_once(key, found[1], "application/gzip")
        # A record that cannot be read has no line: it is a finding every time.
        if not self._is_complete:
            await store.put_once(self._complete, b"{}\n")
        # Only now: until here readers find every line somewhere.
        await store.delete(sorted(before - kept))
        return written

    async def _holds(self, key: str, content: bytes) -> bool:
        """Whether an object is what its name says. Objects are written once, so one with another content is removed:
        otherwise it would stay for ever.
        """
        stored = await self._ledger.store.get(key)
        if stored is not None and stored.data == content:
            return True
        await self._ledger.store.delete([key])
        return False

    def _kept_and_changed(self) -> tuple[set[str], list[str]]:
        """The objects of months that are correct, and the other months."""
        book = self._book
        lines = f"SELECT object, count(*) AS live FROM {_FINAL} GROUP BY object"  # noqa: S608
        book.tell(f"CREATE TEMP TABLE live AS {lines}")
        months = dict(book.ask(f"SELECT month, count(*) FROM {_FINAL} GROUP BY month"))  # noqa: S608
        is_kept = dict.fromkeys(months, 0)
        small = dict.fromkeys(months, 0)
        kept: dict[str, set[str]] = {month: set() for month in months}
        objects = book.ask("SELECT key, month, lines, live FROM objects LEFT JOIN live ON object = id")
        for key, month, number, live in objects:
            if month in months and number:
                is_kept[month] += live if live == number else -number
                small[month] += number < _SMALL
                kept[month].add(key)
        whole = {month for month, number in months.items() if is_kept[month] == number and small[month] <= 1}
        return {key for month in whole for key in kept[month]}, sorted(set(months) - whole)

    def _lines_of(self, month: str) -> Iterator[Entry]:
        rows = self._book.ask(
            f"SELECT line FROM {_FINAL} WHERE month = ? ORDER BY written, name",  # noqa: S608
            month,
        )
        return (entry_of(line) for (line,) in rows)
