"""The index of the archive, put right after a collector. No paid video depends on it."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError


async def tend_index(ledger: Ledger) -> None:
    """Merge what runs have added to the index. Where it is not complete and the archive is small, make it."""
    try:
        if await ledger.index.merge() or not await ledger.index.may_be_made(datetime.now(UTC)):
            return
        before = await ledger.index.keys()
        found = await take_inventory(ledger)
        if written := await ledger.index.replace(before, found.recorded):
            run_logger().info("The index was made: %d objects, %d records", written, len(found.recorded))
    except VideoError as error:
        run_logger().info("The index is not what it should be, so `list` may read more: %s", error)
