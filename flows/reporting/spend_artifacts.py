"""Spending in Prefect's UI, under the same keys each time so that it has a history, and the lasting page."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from anyio import to_thread
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import ArchiveError
from together_video.gallery.plain_text import plain
from together_video.gallery.spend_markdown import spend_markdown, spend_rows
from together_video.gallery.spend_page import render_spend
from together_video.ledger.spend import SpendReport

#: How long the artifacts may take, in seconds: the server may be gone.
_SECONDS = 30.0


async def publish(ledger: Ledger, report: SpendReport, now: datetime) -> str | None:
    """Write the page, and make the artifacts `spend` and `spend-table`. Returns the page's key.

    The report does not depend on them: what goes wrong is logged. Outside of a flow run there are no artifacts.
    """
    key = await _write_page(ledger, report, now)
    if FlowRunContext.get() is None:
        return key
    try:
        async with asyncio.timeout(_SECONDS):
            await _show(ledger, report, key, now)
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
        run_logger().warning("The run's artifacts could not be made: %s", str(error) or type(error).__name__)
    return key


async def _write_page(ledger: Ledger, report: SpendReport, now: datetime) -> str | None:
    """`spend/<date>.html`; a second page of a day has its time in its name, as nothing is overwritten."""
    day = now.astimezone(UTC)
    page = await to_thread.run_sync(lambda: render_spend(report, made_at=now).encode())
    try:
        for name in (f"{day:%Y-%m-%d}.html", f"{day:%Y-%m-%dT%H%M%S}.html"):
            key = ledger.layout.spend(name)
            if await ledger.store.put_once(key, page, "text/html; charset=utf-8"):
                return key
    except ArchiveError as error:
        run_logger().warning("The page of what was spent could not be written: %s", error)
        return None
    # Written by another run within this second: it says the same.
    return key


async def _show(ledger: Ledger, report: SpendReport, key: str | None, now: datetime) -> None:
    seconds = ledger.link_seconds
    links = await ledger.store.links([key], seconds=seconds) if key and seconds else {}
    text = spend_markdown(
        report,
        page=None if key is None else ledger.store.uri(key),
        link=links.get(key or ""),
        expires_at=now + timedelta(seconds=seconds) if links else None,
    )
    sentence = plain(report.sentence, 400)
    await acreate_markdown_artifact(text, key="spend", description=sentence)
    await acreate_table_artifact(spend_rows(report), key="spend-table", description=sentence)
