"""Every video that an archive knows, as a list shows it: by its records, most of which are read from the index."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable, listed_record, readable
from prefect_together_video.blocks.store.objects import ListedObject
from together_video.ledger.index import Entry, microseconds
from together_video.ledger.lines import without_superseded
from together_video.ledger.names import is_own
from together_video.ledger.records import LedgerState

#: How many facts are read at the same time.
_AT_ONCE = 16
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Inventory:
    """The videos, newest first; what could not be read; and how many records had to be read one by one."""

    videos: list[Entry]
    #: Also the records of purchases that were given up but came after all, for the index.
    recorded: list[Entry]
    unreadable: list[Unreadable]
    read: int


async def take_inventory(ledger: Ledger, *, by_index: bool = True) -> Inventory:
    """List the archive: what is in flight, the records, the marks and the index; read what the index lacks.

    Args:
        by_index: if False, every record is read.

    Raises:
        ArchiveError: the archive cannot be listed, or does not answer.
    """
    # In flight first: a purchase that finishes in the meantime has its record when the records are listed.
    in_flight = await ledger.in_flight()
    layout = ledger.layout
    start = layout.key("records", "")
    listed = {
        name: one
        for one in await _list(ledger, "records")
        if is_own("records", name := one.key[len(start) :])
    }
    marks = ledger.reviews.names(one.key for one in await _list(ledger, "reviews"))
    # Names sort by time: the last one is the mark that counts, as far as names can say.
    last = {video: max(names) for video, names in marks.items()}
    firsts, more = await ledger.index.reader.known(listed) if by_index else ({}, {})
    found: dict[str, Entry] = {}
    missing: list[str] = []
    unmarked: list[Entry] = []
    for name, one in listed.items():
        line = firsts.get(name)
        if line is not None and not _is_about(line, one):
            line = None
        mark = last.get(name[:24])
        if name in more and (line is None or line.review != mark):
            lines = [other for other in more[name] if _is_about(other, one)]
            line = next((other for other in lines if other.review == mark), line or next(iter(lines), None))
        if line is None:
            missing.append(name)
            continue
        found[name] = line
        if line.review != mark:
            unmarked.append(line)
    read = await _read(ledger, missing, listed)
    unreadable = [one for one in read if isinstance(one, Unreadable)]
    fresh = [one for one in read if isinstance(one, Entry)]
    looked_up = {entry.id for entry in (*fresh, *unmarked)} & marks.keys()
    said = await ledger.reviews.read({video: marks[video] for video in looked_up})
    for entry in (*fresh, *unmarked):
        found[entry.name] = entry.marked(said.get(entry.id))
    videos = without_superseded(found.values())
    recorded = {entry.id for entry in videos}
    open_ones = [video for video in in_flight if video not in recorded]
    waiting = await entries_in_flight(ledger, open_ones)
    unreadable += [one for one in waiting if isinstance(one, Unreadable)]
    videos += [one for one in waiting if isinstance(one, Entry)]
    videos.sort(key=attrgetter("at", "name"), reverse=True)
    return Inventory(videos, list(found.values()), unreadable, len(missing))


def _is_about(line: Entry, one: ListedObject) -> bool:
    """Whether a line of the index was made from exactly this object."""
    return line.size == one.size and line.written == microseconds(one.written_at)


async def _list(ledger: Ledger, folder: str) -> list[ListedObject]:
    """Everything in a folder. In a bucket by sixteen listings at once: each page of 1,000 is a call."""
    start = ledger.layout.key(folder, "")
    if ledger.place.folder is not None:
        return await ledger.store.list(start)
    first, whole = await ledger.store.list_first(start, pages=1)
    if whole:
        return list(first)
    parts = await asyncio.gather(*(ledger.store.list(f"{start}{digit}") for digit in _DIGITS))
    return [one for part in parts for one in part]


async def _read(
    ledger: Ledger,
    names: Iterable[str],
    listed: Mapping[str, ListedObject],
) -> list[Entry | Unreadable]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str) -> Entry | Unreadable:
        key = ledger.layout.key("records", name)
        async with places:
            found = await listed_record(ledger, key)
        if isinstance(found, Unreadable):
            return found
        one = listed[name]
        return Entry.of_record(found, name, size=one.size, written_at=one.written_at)

    return await asyncio.gather(*map(read, names))


async def entries_in_flight(ledger: Ledger, videos: Iterable[str]) -> list[Entry | Unreadable | None]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(video: str) -> Entry | Unreadable | None:
        async with places:
            # Its record first: it may have finished since the records were listed.
            facts = await readable(ledger.layout.key("inflight", video, ""), lambda: ledger.facts(video))
        if isinstance(facts, Unreadable):
            return facts
        if facts.record is not None:
            name = f"{video}.json"
            return Entry.of_record(facts.record, name, size=0, written_at=facts.record.recorded_at)
        if facts.claim is None:
            return None
        state = LedgerState.AMBIGUOUS if facts.ambiguity is not None else facts.state
        return Entry.of_claim(facts.claim, state, facts.submission)

    return await asyncio.gather(*map(read, videos))
