"""Every purchase that an archive knows of, one after the other: what is recorded, and what is in flight.

A listing of what is in flight, a listing of the records, and a read for each record; two or three for each purchase in
flight. A few are read at the same time, and none is kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from itertools import chain

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable, listed_record, readable
from together_video.ledger.bought import Bought

#: Facts that are read at the same time.
_AT_ONCE = 16


_Read = Callable[[], Awaitable[Bought | Unreadable | None]]


async def all_bought(ledger: Ledger, *, since: datetime | None = None) -> AsyncIterator[Bought | Unreadable]:
    """All purchases that were claimed at `since` or later, each once, in no order.

    One that was given up and whose video came after all counts once, with what that video cost. One of which it is
    known that it was never bought is left out.

    Args:
        since: records that were written before it are not read. Give it the beginning of a month to have that month.

    Raises:
        StoreUnavailable: the archive does not answer.

    Example:
        ```python
        async for found in all_bought(ledger, since=first_of_november):
            if isinstance(found, Bought):
                print(found.moment, found.model, found.money, found.amount_usd)
        ```
    """
    # In flight first: what finishes meanwhile has its record by the time that records are listed.
    in_flight = await ledger.in_flight()
    start = ledger.layout.key("records", "")
    listed = [found for found in await ledger.store.list(start) if ledger.layout.is_own("records", found.key)]
    late = {_video(found.key) for found in listed if _is_late(found.key)}
    recorded = {_video(found.key) for found in listed}
    # The record of a purchase that was given up says nothing more once its late record is there.
    keys = (
        found.key
        for found in listed
        if (_is_late(found.key) or _video(found.key) not in late)
        and (since is None or found.written_at >= since)
    )
    reads: Iterable[_Read] = chain(
        (partial(_recorded, ledger, key) for key in keys),
        (partial(_unrecorded, ledger, video) for video in in_flight if video not in recorded),
    )
    async with aclosing(_a_few_at_once(reads)) as results:
        async for found in results:
            if found is None or (isinstance(found, Bought) and found.is_nothing):
                continue
            if isinstance(found, Unreadable) or since is None or found.moment >= since:
                yield found


async def _recorded(ledger: Ledger, key: str) -> Bought | Unreadable | None:
    found = await listed_record(ledger, key)
    return found if isinstance(found, Unreadable) else Bought.of_record(found)


async def _unrecorded(ledger: Ledger, video: str) -> Bought | Unreadable | None:
    # Its record first: it may have been finished since the records were listed.
    facts = await readable(ledger.layout.key("inflight", video, ""), lambda: ledger.facts(video))
    if isinstance(facts, Unreadable):
        return facts
    if facts.record is not None:
        return Bought.of_record(facts.record)
    if facts.claim is None:
        if facts.submission is None:
            return None  # released: nothing was bought
        return Unreadable(
            ledger.layout.claim(video), "there is a job and no claim, so nobody knows what was bought"
        )
    return Bought.of_claim(facts.claim, facts.state, facts.submission)


async def _a_few_at_once(
    reads: Iterable[_Read],
) -> AsyncGenerator[Bought | Unreadable | None, None]:
    """The results in the order of the reads, of which `_AT_ONCE` are under way."""
    under_way: deque[asyncio.Task[Bought | Unreadable | None]] = deque()
    try:
        for read in reads:
            under_way.append(asyncio.ensure_future(read()))
            if len(under_way) >= _AT_ONCE:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _video(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def _is_late(key: str) -> bool:
    return key.endswith(".late.json")
