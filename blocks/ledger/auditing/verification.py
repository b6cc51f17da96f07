"""Comparing records with the files and media that they name: which were verified before, and problems of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from prefect_together_video.blocks.ledger.auditing.book import AuditBook, moment
from prefect_together_video.blocks.ledger.auditing.comparing import compared
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable, listed_record
from together_video.errors import InputError
from together_video.ledger.audit import AuditFinding
from together_video.ledger.index import UNLISTED, Entry
from together_video.ledger.records import StoredObject, VideoRecord
from together_video.ledger.verified import Named, Seen, can_be_checked, checked, is_verified
from together_video.media.references import references_of

#: How many records are read at the same time, and before the next are listed.
_AT_ONCE, _CHUNK = 16, 500

_KNOWN = """
SELECT r.name, r.size, r.written, l.checked, l.inputs,
    l.key, v.size, v.written, l.has_poster, l.poster, p.size, p.written
FROM records r LEFT JOIN lines l USING (name, size, written)
LEFT JOIN files v ON v.key = l.key LEFT JOIN files p ON p.key = l.poster
"""


class Verification:
    """Verifies the records in the tables: `deep` by each file's content, otherwise by the checksum that the store has.

    The findings are in `unreadable` (records), `of_files` and `of_media` (by key).
    """

    def __init__(self, ledger: Ledger, book: AuditBook, *, deep: bool) -> None:
        self._ledger, self._book, self._deep = ledger, book, deep
        self._start = ledger.layout.key("")
        self.unreadable: list[AuditFinding] = []
        self.of_files: list[AuditFinding] = []
        self.of_media: dict[str, AuditFinding] = {}
        self._reading: dict[str, asyncio.Future[bool]] = {}

    def choose(self, *, full: bool) -> tuple[int, int]:
        """Choose what must be read: everything that is not as an earlier audit found it. Returns how many records that
        are, and how many were verified before.
        """
        rows = self._unverified(full=full)
        self._book.tell("INSERT INTO unread VALUES (?)", ((name,) for name in rows))
        (to_read,) = self._book.one("SELECT count(*) FROM unread")
        (records,) = self._book.one("SELECT count(*) FROM records")
        return to_read, records - to_read

    def _unverified(self, *, full: bool) -> Iterator[str]:
        if full:
            yield from (name for (name,) in self._book.ask("SELECT name FROM records"))
            return
        for row in self._book.ask(_KNOWN):
            name, size, written, found, inputs, key, *files = row
            if not found or inputs == UNLISTED:
                yield name
                continue
            objects = self._objects(key, inputs, files)
            if not is_verified(found, name, Seen(size, written), objects, deep=self._deep):
                yield name

    def _objects(self, key: str | None, inputs: str, files: list[Any]) -> Iterator[Named]:
        """The objects that a line names, with their listings."""
        size, written, has_poster, poster, poster_size, poster_written = files
        if key is not None:
            yield key, None if size is None else Seen(size, written)
        if has_poster:
            yield poster, None if poster_size is None else Seen(poster_size, poster_written)
        for name in inputs.split():
            yield name, self._seen("media", f"{self._start}{name}")

    def _seen(self, table: str, key: str) -> Seen | None:
        for row in self._book.ask(f"SELECT size, written FROM {table} WHERE key = ?", key):  # noqa: S608
            return Seen(*row)
        return None

    async def verify(self) -> None:
        """Read the chosen records, and compare what they name. Each readable one gets a new line."""
        places = asyncio.Semaphore(_AT_ONCE)
        last = ""
        rows = f"SELECT * FROM unread JOIN records USING (name) WHERE name > ? ORDER BY name LIMIT {_CHUNK}"  # noqa: S608

        async def verified(name: str, size: int, written: int) -> Entry | None:
            async with places:
                return await self._verified(name, Seen(size, written))

        while chunk := list(self._book.ask(rows, last)):
            last = chunk[-1][0]
            lines = await asyncio.gather(*(verified(*row) for row in chunk))
            self._book.tell("DELETE FROM lines WHERE name = ?", ((name,) for name, _, _ in chunk))
            self._book.take_lines(line for line in lines if line is not None)

    async def _verified(self, name: str, seen: Seen) -> Entry | None:
        key = self._ledger.layout.key("records", name)
        record = await listed_record(self._ledger, key)
        if isinstance(record, Unreadable):
            self.unreadable.append(AuditFinding(kind="unreadable", key=key, message=record.reason))
            return None
        line = Entry.of_record(record, name, size=seen.size, written_at=moment(seen.written))
        line = line._replace(written=seen.written)
        of_files = await self._compare_files(key, record)
        self.of_files += of_files
        is_right = await self._compare_media(key, record) and not of_files
        if is_right and can_be_checked(record, line.inputs):
            objects = [
                *((stored.key, self._seen("files", stored.key)) for stored in _files_of(record)),
                *((media, self._seen("media", f"{self._start}{media}")) for media in line.inputs.split()),
            ]
            if all(there is not None for _, there in objects):
                line = line._replace(checked=checked(name, seen, objects, deep=self._deep))
        return line

    async def _compare_files(self, key: str, record: VideoRecord) -> list[AuditFinding]:
        self._name(stored.key for stored in _files_of(record))
        if record.state == "archived" and record.video is None:
            return [AuditFinding(kind="half-written", key=key, message="says archived, but names no video")]
        found = await asyncio.gather(*map(self._compare, _files_of(record)))
        return [finding for finding in found if finding is not None]

    async def _compare(self, stored: StoredObject) -> AuditFinding | None:
        store, there, head = self._ledger.store, self._seen("files", stored.key), None
        if there is None and self._ledger.layout.is_video_file(stored.key):
            # It may have been written since the files were listed.
            head = await store.head(stored.key)
        if there is None and head is None:
            message = "the record names it, but it is missing"
            return AuditFinding(kind="missing", key=stored.key, message=message)
        size = there.size if there else head.size if head else None
        return await compared(store, stored, size, deep=self._deep, head=head)

    async def _compare_media(self, key: str, record: VideoRecord) -> bool:
        """Check that the images, videos and audio that a record names exist and are what their names say."""
        is_right = True
        for reference in references_of(record.plan.request):
            try:
                media = self._ledger.layout.referenced(reference)
            except InputError as error:
                self.unreadable.append(AuditFinding(kind="unreadable", key=key, message=error.message))
                is_right = False
            else:
                is_right &= await self._is_media_right(media)
        return is_right

    async def _is_media_right(self, key: str) -> bool:
        if key in self.of_media:
            return False
        if self._seen("media", key) is None:
            message = "a record's request names it, but it is missing"
            self.of_media[key] = AuditFinding(kind="missing", key=key, message=message)
            return False
        if not self._deep:
            return True
        (is_right,) = self._book.one("SELECT is_right FROM media WHERE key = ?", key)
        if is_right is None:
            # Many records may name it, but it is read once.
            reading = self._reading.get(key) or asyncio.ensure_future(self._read_media(key))
            self._reading[key] = reading
            is_right = await reading
        return bool(is_right)

    async def _read_media(self, key: str) -> bool:
        try:
            sha256 = await self._ledger.store.content_sha256(key)
        finally:
            del self._reading[key]
        is_right = sha256 == (name := PurePosixPath(key).stem)
        if not is_right:
            words = f"has SHA-256 {sha256}, but its name says {name}"
            self.of_media[key] = AuditFinding(kind="checksum", key=key, message=words)
        self._book.tell("UPDATE media SET is_right = ? WHERE key = ?", [(is_right, key)])
        return is_right

    def _name(self, keys: Iterable[str]) -> None:
        self._book.tell("UPDATE files SET is_named = 1 WHERE key = ?", ((key,) for key in keys))

    def orphans(self, claimed: Iterable[str]) -> list[AuditFinding]:
        """Files that neither a record nor a purchase in flight names; `claimed` are the keys of purchases in flight."""
        self._name(claimed)
        for column in ("key", "poster"):
            named = f"SELECT l.{column} FROM records JOIN lines l USING (name, size, written)"  # noqa: S608
            self._book.tell(f"UPDATE files SET is_named = 1 WHERE key IN ({named})")  # noqa: S608
        message = "no record and no purchase in flight names this file"
        keys = self._book.ask("SELECT key FROM files WHERE is_named = 0 ORDER BY key")
        return [AuditFinding(kind="orphan", key=key, message=message) for (key,) in keys]


def _files_of(record: VideoRecord) -> list[StoredObject]:
    return [stored for stored in (record.video, record.poster) if stored is not None]
