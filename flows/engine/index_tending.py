"""Repairing the index of the archive after a collector. No paid video depends on it."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError


async def tend_index(ledger: Ledger) -> None:
    """Merge what runs added to the index. If it is incomplete and the archive is small, build it."""
    try:
        if await ledger.index.merge() or not await ledger.index.may_be_made(datetime.now(UTC)):
            return
        before = await ledger.index.keys()
        found = await take_inventory(ledger)
        if written := await ledger.index.replace(before, found.recorded):
            run_logger().info("The index was built: %d objects, %d records", written, len(found.recorded))
    except VideoError as error:
        run_logger().info("The index could not be repaired, so `list` may read more: %s", error)
