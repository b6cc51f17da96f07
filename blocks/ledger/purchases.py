"""What the ledger knows of the videos that may be on the provider's bill."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prefect_together_video.blocks.ledger.ledger import Facts, Ledger
from together_video.billing.doubts import KnownPurchase
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.jobs import VideoJob
from together_video.ledger.records import Claim, VideoRecord
from together_video.text import printable

_log = logging.getLogger("together_video")

#: Facts that are read at the same time.
_AT_ONCE = 16


async def purchases_since(ledger: Ledger, since: datetime, *, within: timedelta) -> list[KnownPurchase]:
    """All purchases that were recorded after `since` or are in flight: two listings, and a read of each.

    Args:
        within: how long after its create a video may come to stand on the bill.

    Raises:
        ArchiveError: a fact cannot be read; nothing is known then.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def recorded(key: str) -> KnownPurchase | None:
        async with places:
            try:
                record = await ledger.read_record(key)
            except StoreUnavailable:
                raise
            except ArchiveError:
                # It could be of anything, and count for anything.
                _log.warning("%s is unreadable: run audit", printable(key))
                raise
        return None if record is None else of_record(record)

    async def in_flight(video: str) -> KnownPurchase | None:
        async with places:
            facts = await ledger.facts_in_flight(video)
        return None if facts.claim is None else of_facts(facts, facts.claim, within=within)

    # Before the records: what is finished meanwhile is found by its record.
    flying = await ledger.in_flight()
    records = await ledger.store.list(ledger.layout.key("records", ""))
    keys = [
        found.key
        for found in records
        if found.written_at >= since and ledger.layout.is_own("records", found.key)
    ]
    found = await asyncio.gather(*map(recorded, keys), *map(in_flight, flying))
    return _each_once(one for one in found if one is not None)


def of_record(record: VideoRecord) -> KnownPurchase:
    """What a final record says. Only of an archived video with a cost is it sure that it was charged."""
    until = record.recorded_at
    if record.job:
        try:
            finished = VideoJob.from_json(record.job).finished_at
        except ValueError:
            finished = None
        if finished is not None and record.claimed_at is not None and record.claimed_at <= finished < until:
            until = finished
    is_sure = record.state == "archived" and record.cost_usd is not None
    return KnownPurchase(
        id=record.id,
        models=_models(record.plan.request.model, record.job.get("model")),
        since=record.claimed_at or record.recorded_at,
        until=until,
        cost_usd=record.cost_usd if is_sure else None,
        seconds=record.clip.seconds if record.clip else None,
        key_id=record.key_id,
    )


def of_facts(facts: Facts, claim: Claim, *, within: timedelta) -> KnownPurchase:
    """A purchase in flight or in doubt: whether it is charged, and when, the ledger cannot say."""
    answered = None if facts.submission is None else facts.submission.answer.get("model")
    return KnownPurchase(
        id=claim.id,
        models=_models(claim.plan.request.model, answered),
        since=claim.claimed_at,
        until=min(datetime.now(UTC), claim.claimed_at + timedelta(seconds=claim.valid_seconds) + within),
        key_id=claim.key_id,
    )


def _models(asked: str, answered: object) -> frozenset[str]:
    """The model that was asked for, and the one that answered: an old name may lead to a new model."""
    return frozenset({asked, answered} if isinstance(answered, str) and answered else {asked})


def _each_once(found: Iterable[KnownPurchase]) -> list[KnownPurchase]:
    """A purchase whose record was written while its claim still lay in flight is the record's. A late record and the
    one beside it are both of the one create.
    """
    known: dict[str, KnownPurchase] = {}
    for one in found:
        other = known.get(one.id)
        if other is None or other.cost_usd is None:
            known[one.id] = one
    return list(known.values())
