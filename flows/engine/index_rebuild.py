"""The index of the archive, put right after a collector or an audit. No paid video depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError
from together_video.ledger.records import VideoRecord


async def rebuild_index(ledger: Ledger, records: Mapping[str, VideoRecord] | None = None) -> None:
    """Make the index that of what is in the archive. What goes wrong is logged: `list` is slower then, and right.

    Args:
        records: by key what has just been read, from which every line is made. Without them, lines that are right by
            the listing are kept as they are.
    """
    try:
        before = await ledger.index.keys()
        found = await take_inventory(ledger, records)
        if written := await ledger.index.replace(before, found.recorded):
            run_logger().info("The index was rebuilt: %d objects, %d records", written, len(found.recorded))
    except VideoError as error:
        run_logger().info("The index was not rebuilt, so `list` reads more: %s", error)


async def tend_index(ledger: Ledger) -> None:
    """Merge what runs have added to the index. Where it is not complete and the archive is small, make it."""
    try:
        if await ledger.index.merge() or not await ledger.index.may_be_made(datetime.now(UTC)):
            return
    except VideoError as error:
        run_logger().info("The index could not be tended: %s", error)
        return
    await rebuild_index(ledger)
