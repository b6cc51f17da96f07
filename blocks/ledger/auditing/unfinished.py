"""What an audit finds about unfinished purchases, and about money that is reserved or counted for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from prefect_together_video.blocks.ledger.auditing.book import AuditBook, moment
from prefect_together_video.blocks.ledger.ledger import InFlight, Ledger
from prefect_together_video.blocks.ledger.spending_entries import each_video, is_overpaid, surplus
from prefect_together_video.blocks.store.objects import ListedObject
from together_video.errors import VideoError
from together_video.ledger.audit import AuditFinding, Kind
from together_video.ledger.records import WATCHED_SECONDS, VideoRecord

#: A job that is in flight for longer than this is no longer running.
_STALE = timedelta(days=1)
#: A run empties inflight right after its record; later than this, it was interrupted.
_TIDYING = timedelta(minutes=10)
#: What resolves an ambiguous video.
_CLOSED_BY = (
    "--on-ambiguous resolve buys the video again if the provider's bill shows that it was not charged, --on-ambiguous "
    "resubmit in any case."
)


async def keys_of_claims(ledger: Ledger, in_flight: Iterable[str]) -> tuple[set[str], list[AuditFinding]]:
    """The keys that purchases in flight will use, and the facts that cannot be read."""
    keys: set[str] = set()
    broken: list[AuditFinding] = []

    async def read(video: str) -> None:
        try:
            claim = (await ledger.facts_in_flight(video)).claim
        except VideoError as error:
            folder = ledger.layout.key("inflight", video, "")
            broken.append(AuditFinding(kind="unreadable", key=folder, message=error.message))
        else:
            keys.update((claim.video_key, claim.poster_key) if claim else ())

    await asyncio.gather(*map(read, in_flight))
    return keys, broken


async def unfinished(
    ledger: Ledger, book: AuditBook, in_flight: Mapping[str, InFlight]
) -> list[AuditFinding]:
    """What is wrong with these purchases, which were in flight when the audit started and still are."""
    found: list[tuple[str, Kind, str]] = []
    now = datetime.now(UTC)
    for video, listed in sorted(in_flight.items()):
        folder = ledger.layout.key("inflight", video, "")
        hours = (now - listed.since).total_seconds() / 3600
        if (record := await _record(ledger, book, video)) is not None:
            is_watched = record.state == "abandoned" and "job.json" in listed.facts
            if now - record.recorded_at > (timedelta(seconds=WATCHED_SECONDS) if is_watched else _TIDYING):
                words = "its record is there, but the clean-up was interrupted: run collect"
                found.append((folder, "half-written", words))
        elif "claim.json" not in listed.facts:
            found.append((folder, "half-written", "there is no claim, so it is not known what was bought"))
        elif "job.json" not in listed.facts and "ambiguous.json" in listed.facts:
            words = f"for {hours:.1f} h: it may have been charged, but has no job id. {_CLOSED_BY}"
            found.append((folder, "ambiguous", words))
        elif now - listed.since > _STALE:
            words = f"in flight for {hours:.0f} h: run collect, which archives it or reports its state. {_CLOSED_BY}"
            found.append((folder, "stale", words))
    return [AuditFinding(kind=kind, key=key, message=words) for key, kind, words in found]


async def _record(ledger: Ledger, book: AuditBook, video: str) -> VideoRecord | None:
    """The record of a purchase in flight, if the audit found a readable one."""
    is_known = "SELECT count(*) FROM records JOIN lines USING (name, size, written) WHERE name = ?"
    for name in (f"{video}.late.json", f"{video}.json"):
        if book.one(is_known, name)[0]:
            try:
                return await ledger.read_record(ledger.layout.key("records", name))
            except VideoError:
                return None
    return None


def misspent(
    book: AuditBook, in_flight: Mapping[str, InFlight], old_from: datetime
) -> Iterator[AuditFinding]:
    """What counts against the monthly limit but should not. Left out: what was in flight when the audit started,
    and reservations that were made after `old_from`.
    """
    listed = (
        ListedObject(key, size, moment(written))
        for key, size, written in book.ask("SELECT key, size, written FROM spending ORDER BY key")
    )
    for video, entries in each_video(listed):
        costs = [Decimal(cost or 0) for cost in _costs(book, video)]
        if video not in in_flight:
            useless, stands = surplus(entries, old_from)
            message = "part of the monthly limit is reserved for nothing: run collect"
            for key in [*useless, *([stands] if stands and not _is_recorded(book, video) else [])]:
                yield AuditFinding(kind="half-written", key=key, message=message)
        if is_overpaid(entries, sum(costs, Decimal(0))):
            message = "counts against the monthly limit, but no record has such a cost"
            paid = (entry.key for entry in entries if entry.is_paid)
            yield from (AuditFinding(kind="foreign", key=key, message=message) for key in paid)


_NAMES = "name IN (? || '.json', ? || '.late.json')"


def _costs(book: AuditBook, video: str) -> Iterator[str | None]:
    costs = f"SELECT cost FROM records JOIN lines USING (name, size, written) WHERE {_NAMES}"  # noqa: S608
    return (cost for (cost,) in book.ask(costs, video, video))


def _is_recorded(book: AuditBook, video: str) -> bool:
    return bool(book.one(f"SELECT count(*) FROM records WHERE {_NAMES}", video, video)[0])  # noqa: S608
