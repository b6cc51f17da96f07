"""The index of the archive, put right after a collector or an audit. No paid video hangs on it."""

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
        found = await take_inventory(ledger, records)
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
        await rebuild_index(ledger)
