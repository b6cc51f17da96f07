"""The index of the archive, put right after a collector or an audit. No paid video hangs on it."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.inventory import take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError


async def rebuild_index(ledger: Ledger, *, trusts_index: bool) -> None:
    """Make the index that of what is in the archive. What goes wrong is logged: `list` is slower then, and right.

    Args:
        trusts_index: whether lines that are right by the listing are kept as they are; else every record is read.
    """
    try:
        found = await take_inventory(ledger, trusts_index=trusts_index)
        if written := await ledger.index.rebuild(found.recorded):
            run_logger().info("The index was rebuilt: %d objects, %d records", written, len(found.recorded))
    except VideoError as error:
        run_logger().info("The index was not rebuilt, so `list` reads more: %s", error)


async def rebuild_index_in_turn(ledger: Ledger) -> None:
    """As `rebuild_index`, by one of all collectors every few hours."""
    try:
        is_ours = await ledger.index.takes_turn(datetime.now(UTC))
    except VideoError as error:
        run_logger().info("The index was not looked at: %s", error)
        return
    if is_ours:
        await rebuild_index(ledger, trusts_index=True)
