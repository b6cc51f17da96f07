"""What an audit must join, in a temporary database on disk: an archive of any size needs the same memory.

It has the listings of records, files, media, marks and the month's spending, and the lines of the index. A line counts
for a record of the same size and time. Lines that the audit makes itself replace those.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect_together_video.blocks.store.objects import ListedObject
from together_video.errors import ArchiveError
from together_video.ledger.index import Entry, microseconds
from together_video.ledger.verified import poster_key

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16000;
CREATE TABLE records (name TEXT PRIMARY KEY, size INTEGER, written INTEGER) WITHOUT ROWID;
CREATE TABLE files (key TEXT PRIMARY KEY, size INTEGER, written INTEGER, is_named INTEGER) WITHOUT ROWID;
CREATE TABLE media (key TEXT PRIMARY KEY, size INTEGER, written INTEGER, is_right INTEGER) WITHOUT ROWID;
CREATE TABLE spending (key TEXT PRIMARY KEY, size INTEGER, written INTEGER) WITHOUT ROWID;
CREATE TABLE marks (video TEXT, name TEXT, PRIMARY KEY (video, name)) WITHOUT ROWID;
CREATE TABLE objects (id INTEGER PRIMARY KEY, key TEXT UNIQUE, month TEXT, lines INTEGER DEFAULT 0);
CREATE TABLE unread (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE lines (
    name TEXT, size INTEGER, written INTEGER,
    month TEXT, model TEXT, state TEXT, cost TEXT, has_job INTEGER,
    key TEXT, poster TEXT, has_poster INTEGER, inputs TEXT, checked TEXT, review TEXT,
    worth INTEGER, object INTEGER, line TEXT,
    UNIQUE (name, size, written)
);
"""
_TAKE = {
    "records": "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
    "files": "INSERT OR REPLACE INTO files VALUES (?, ?, ?, 0)",
    "media": "INSERT OR REPLACE INTO media VALUES (?, ?, ?, NULL)",
    "spending": "INSERT OR REPLACE INTO spending VALUES (?, ?, ?)",
}
_LINE = """
INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name, size, written) DO UPDATE SET
    month = excluded.month, model = excluded.model, state = excluded.state, cost = excluded.cost,
    has_job = excluded.has_job, key = excluded.key, poster = excluded.poster, has_poster = excluded.has_poster,
    inputs = excluded.inputs, checked = excluded.checked, review = excluded.review, worth = excluded.worth,
    object = excluded.object, line = excluded.line
WHERE excluded.object IS NULL OR (excluded.review, excluded.worth) > (lines.review, lines.worth)
"""
#: The range of whole numbers in SQLite: a line of the index may contain anything.
_MOST = 2**63
#: Of two lines with the same mark, verification by content is worth more than verification by metadata.
_WORTH = {"": 0, "m": 1, "c": 2}


class AuditBook:
    """The tables of one audit. Not for two threads at the same time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection
        self._sql.executescript(_TABLES)
        # Nothing is ever committed: what does not fit into the cache is still written to disk.
        self._sql.execute("BEGIN")

    def ask(self, words: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, one by one."""
        yield from self._sql.execute(words, values)

    def one(self, words: str, *values: Any) -> tuple[Any, ...]:
        """The only row of a query."""
        row: tuple[Any, ...] = self._sql.execute(words, values).fetchone()
        return row

    def tell(self, words: str, rows: Iterable[tuple[Any, ...]] = ((),)) -> None:
        """Change rows, once for each of `rows`."""
        self._sql.executemany(words, rows)

    def take_listed(
        self, table: str, listed: Iterable[ListedObject], name: Callable[[str], str] = lambda key: key
    ) -> None:
        """Add objects of a listing to one of `_TAKE`, by their keys or another name."""
        self.tell(_TAKE[table], ((name(one.key), one.size, microseconds(one.written_at)) for one in listed))

    def take_lines(self, lines: Iterable[Entry], number: int | None = None) -> None:
        """Add lines: from the index object with this number, or new ones, which replace those."""
        self.tell(_LINE, (_row(line, number) for line in lines if _fits(line)))


@contextmanager
def audit_book() -> Iterator[AuditBook]:
    """Empty tables, which are removed together with their folder at the end.

    Raises:
        ArchiveError: this machine's disk has no room for them.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="together-video-audit-")
    except OSError as error:
        raise _refused(tempfile.gettempdir(), error) from error
    with folder as place:
        try:
            # Used by one thread after another.
            connection = sqlite3.connect(
                Path(place) / "audit.db", isolation_level=None, check_same_thread=False
            )
            with closing(connection):
                yield AuditBook(connection)
        except sqlite3.Error as error:
            raise _refused(place, error) from error


def _refused(place: str, error: Exception) -> ArchiveError:
    return ArchiveError(
        f"This machine's disk cannot store the tables of the audit in {place}: {error}.",
        remedy="Make room, or set TMPDIR to a folder with more, and run again.",
    )


def entry_of(line: str) -> Entry:
    """A line as it was added."""
    return Entry._make(json.loads(line))


def moment(written: int) -> datetime:
    """The time in a listing."""
    return datetime.fromtimestamp(written / 1_000_000, UTC)


def _fits(line: Entry) -> bool:
    return -_MOST <= line.size < _MOST and -_MOST <= line.written < _MOST


def _row(line: Entry, number: int | None) -> tuple[Any, ...]:
    return (
        *line[:3],
        *(line.month, line.model, line.state, line.cost, line.job is not None),
        *(line.key, poster_key(line.key), line.poster, line.inputs, line.checked, line.review or ""),
        *(_WORTH[line.checked[:1]], number, json.dumps(line, ensure_ascii=False)),
    )
