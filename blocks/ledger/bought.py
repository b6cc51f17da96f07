"""Every purchase that an archive knows, one after another: recorded ones, and those in flight.

Costs a listing of what is in flight, a listing of the records, a read for each record, and two or three reads for each
purchase in flight. A few are read at the same time, and none is kept in memory.
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

#: How many facts are read at the same time.
_AT_ONCE = 16


_Read = Callable[[], Awaitable[Bought | Unreadable | None]]


async def all_bought(ledger: Ledger, *, since: datetime | None = None) -> AsyncIterator[Bought | Unreadable]:
    """All purchases that were claimed at `since` or later, each once, in no order.

    If a purchase was given up, but its video came after all, it counts once, at that video's cost. One that is known to
    have never been bought is left out.

    Args:
        since: records written before it are not read. Pass the start of a month to get that month.

    Raises:
        StoreUnavailable: the archive does not answer.

    Example:
        ```python
        async for found in all_bought(ledger, since=first_of_november):
            if isinstance(found, Bought):
                print(found.moment, found.model, found.money, found.amount_usd)
        ```
    """
    # In flight first: a purchase that finishes in the meantime has its record when the records are listed.
    in_flight = await ledger.in_flight()
    start = ledger.layout.key("records", "")
    listed = [found for found in await ledger.store.list(start) if ledger.layout.is_own("records", found.key)]
    late = {_video(found.key) for found in listed if _is_late(found.key)}
    recorded = {_video(found.key) for found in listed}
    # Once there is a late record, the record of the given-up purchase no longer matters.
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
    # Its record first: it may have finished since the records were listed.
    facts = await readable(ledger.layout.key("inflight", video, ""), lambda: ledger.facts(video))
    if isinstance(facts, Unreadable):
        return facts
    if facts.record is not None:
        return Bought.of_record(facts.record)
    if facts.claim is None:
        if facts.submission is None:
            return None  # released: nothing was bought
        return Unreadable(
            ledger.layout.claim(video), "there is a job but no claim, so it is not known what was bought"
        )
    return Bought.of_claim(facts.claim, facts.state, facts.submission)


async def _a_few_at_once(
    reads: Iterable[_Read],
) -> AsyncGenerator[Bought | Unreadable | None, None]:
    """The results in the order of the reads; `_AT_ONCE` reads run at the same time."""
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
