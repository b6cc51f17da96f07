"""Every video that an archive knows, as a list shows it: from the index where that is right, else from the records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prefect_together_video.blocks.ledger.bought import Unreadable
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from together_video.errors import StoreUnavailable, VideoError
from together_video.ledger.index import Entry, microseconds
from together_video.ledger.records import LedgerState

#: Facts that are read at the same time.
_AT_ONCE = 16
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Inventory:
    """The videos, newest first; what could not be read; and how many records had to be read by themselves."""

    videos: list[Entry]
    #: Also the records of purchases that were given up and came after all, for the index.
    recorded: list[Entry]
    unreadable: list[Unreadable]
    read: int


async def take_inventory(ledger: Ledger, *, trusts_index: bool = True) -> Inventory:
    """List the archive: what is in flight, the records, the marks and the index; read what the index lacks.

    Args:
        trusts_index: False reads every record.

    Raises:
        ArchiveError: the archive cannot be listed, or does not answer.
    """
    # In flight first: what finishes meanwhile has its record by the time that records are listed.
    in_flight = await ledger.in_flight()
    layout = ledger.layout
    start = layout.key("records", "")
    listed = {
        one.key[len(start) :]: one
        for one in await _list(ledger, "records")
        if layout.is_own("records", one.key)
    }
    marks = ledger.reviews.names(one.key for one in await _list(ledger, "reviews"))
    known = await ledger.index.read(listed) if trusts_index else {}
    found: dict[str, Entry] = {}
    missing: list[str] = []
    unmarked: list[Entry] = []
    for name, one in listed.items():
        several = known.get(name, ())
        right = _right(several, one, marks)
        if right is None:
            missing.append(name)
        else:
            found[name] = right
            if right.review != _last(marks, right.id):
                unmarked.append(right)
    read = await _read(ledger, missing, listed)
    unreadable = [one for one in read if isinstance(one, Unreadable)]
    fresh = [one for one in read if isinstance(one, Entry)]
    looked_up = {entry.id for entry in (*fresh, *unmarked)} & marks.keys()
    said = await ledger.reviews.read({video: marks[video] for video in looked_up})
    for entry in (*fresh, *unmarked):
        found[entry.name] = entry.marked(said.get(entry.id))
    late = {entry.id for entry in found.values() if entry.is_late}
    videos = [entry for entry in found.values() if entry.is_late or entry.id not in late]
    recorded = {entry.id for entry in videos}
    waiting = await _in_flight(ledger, [video for video in in_flight if video not in recorded])
    unreadable += [one for one in waiting if isinstance(one, Unreadable)]
    videos += [one for one in waiting if isinstance(one, Entry)]
    videos.sort(key=lambda entry: (entry.at, entry.id), reverse=True)
    return Inventory(videos, list(found.values()), unreadable, len(missing))


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


def _right(several: Sequence[Entry], one: ListedObject, marks: Mapping[str, Sequence[str]]) -> Entry | None:
    """The line that is about this very object, if there is one; of several the one with the mark that counts."""
    written = microseconds(one.written_at) if several else 0
    right = [entry for entry in several if entry.size == one.size and entry.written == written]
    if len(right) > 1:
        last = _last(marks, right[0].id)
        right.sort(key=lambda entry: entry.review == last, reverse=True)
    return right[0] if right else None


def _last(marks: Mapping[str, Sequence[str]], video: str) -> str | None:
    """The name of the mark that counts, as far as names say it: they sort by time."""
    names = marks.get(video)
    return max(names) if names else None


async def _read(
    ledger: Ledger, names: Iterable[str], listed: Mapping[str, ListedObject]
) -> list[Entry | Unreadable]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str) -> Entry | Unreadable:
        key = ledger.layout.key("records", name)
        async with places:
            try:
                record = await ledger.read_record(key)
            except StoreUnavailable:
                raise
            except VideoError as error:
                return Unreadable(key, error.message)
        if record is None:
            return Unreadable(key, "was listed and could not be read")
        one = listed[name]
        return Entry.of_record(record, name, size=one.size, written_at=one.written_at)

    return await asyncio.gather(*map(read, names))


async def _in_flight(ledger: Ledger, videos: Iterable[str]) -> list[Entry | Unreadable | None]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(video: str) -> Entry | Unreadable | None:
        async with places:
            try:
                # Its record first: it may have been finished since the records were listed.
                facts = await ledger.facts(video)
            except StoreUnavailable:
                raise
            except VideoError as error:
                return Unreadable(ledger.layout.key("inflight", video, ""), error.message)
        if facts.record is not None:
            name = f"{video}.json"
            return Entry.of_record(facts.record, name, size=0, written_at=facts.record.recorded_at)
        if facts.claim is None:
            return None
        state = LedgerState.AMBIGUOUS if facts.ambiguity is not None else facts.state
        return Entry.of_claim(facts.claim, state, facts.submission)

    return await asyncio.gather(*map(read, videos))
