"""What the ledger knows about the videos that may be on the provider's bill."""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect_together_video.blocks.ledger.bought import all_bought
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable
from together_video.billing.doubts import KnownPurchase
from together_video.errors import ArchiveError
from together_video.text import printable

#: Videos that were claimed this long before may still have been on their way.
_EARLIER = timedelta(days=1)


async def purchases_since(ledger: Ledger, since: datetime, *, within: timedelta) -> list[KnownPurchase]:
    """All purchases that may have been charged after `since`. See `bought.all_bought` for what is read.

    Args:
        within: how long after its create a video may appear on the bill.

    Raises:
        ArchiveError: a fact cannot be read. It could be about any video, so then nothing is known.
    """
    found = []
    async for one in all_bought(ledger, since=since - _EARLIER):
        if isinstance(one, Unreadable):
            raise ArchiveError(
                f"{printable(one.key)} cannot be read ({one.reason.rstrip('.')}).",
                remedy="Run together-video audit.",
            )
        found.append(KnownPurchase.of(one, within=within))
    return found
