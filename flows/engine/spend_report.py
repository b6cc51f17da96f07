"""What an archive has spent, read from its ledger."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from prefect_together_video.blocks.ledger.bought import all_bought
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.spending_entries import this_month
from prefect_together_video.blocks.ledger.unreadable import Unreadable
from together_video.ledger.spend import Grouping, Period, Spending, SpendReport


async def read_spend(ledger: Ledger, grouping: Grouping, period: Period) -> SpendReport:
    """Add up what was bought in the period, and the current month. It changes nothing.

    Raises:
        ArchiveError: the archive cannot be listed, or does not answer.
    """
    month = this_month()
    spending = Spending(grouping, period, month=month)
    unreadable: list[str] = []
    marks = await ledger.reviews.all()
    starts = [start for start in (period.start, Period.of_month(month).start) if start is not None]
    async for found in all_bought(ledger, since=min(starts) if period.start is not None else None):
        if isinstance(found, Unreadable):
            unreadable.append(found.key)
        else:
            mark = marks.get(found.id)
            spending.add(found if mark is None else replace(found, verdict=mark.mark))
    limit = ledger.spending.limit
    return spending.report(
        ledger.place.under(ledger.layout.key("")),
        limit_usd=limit,
        counted_usd=await ledger.spending.entries.total(month) if limit is not None else Decimal(0),
        unreadable=unreadable,
    )
