"""Spending in Prefect's UI, always under the same keys, which gives it a history; and the permanent page."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from anyio import to_thread
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting.artifact_attempts import Maker, make_all
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import ArchiveError, VideoError
from together_video.gallery.plain_text import plain
from together_video.gallery.spend_markdown import spend_markdown, spend_rows
from together_video.gallery.spend_page import render_spend
from together_video.ledger.spend import SpendReport

#: Seconds for signing the link: credentials may have to be fetched first.
_SIGNING_SECONDS = 10.0


async def publish(ledger: Ledger, report: SpendReport, now: datetime) -> str | None:
    """Write the page, and make the artifacts `spend` and `spend-table`. Returns the page's key.

    The report does not depend on them: errors are logged. Outside of a flow run there are no artifacts.
    """
    key = await _write_page(ledger, report, now)
    if FlowRunContext.get() is None:
        return key
    await _show(ledger, report, key, now)
    return key


async def _write_page(ledger: Ledger, report: SpendReport, now: datetime) -> str | None:
    """`spend/<date>.html`; a second page of a day has its time in its name, because nothing is overwritten."""
    day = now.astimezone(UTC)
    page = await to_thread.run_sync(lambda: render_spend(report, made_at=now).encode())
    try:
        for name in (f"{day:%Y-%m-%d}.html", f"{day:%Y-%m-%dT%H%M%S}.html"):
            key = ledger.layout.spend(name)
            if await ledger.store.put_once(key, page, "text/html; charset=utf-8"):
                return key
    except ArchiveError as error:
        run_logger().warning("The spending page could not be written: %s", error)
        return None
    # Written by another run within this second: it says the same.
    return key


async def _show(ledger: Ledger, report: SpendReport, key: str | None, now: datetime) -> None:
    seconds = ledger.link_seconds
    links: dict[str, str] = {}
    if key and seconds:
        try:
            async with asyncio.timeout(_SIGNING_SECONDS):
                links = await ledger.store.links([key], seconds=seconds)
        except (VideoError, TimeoutError) as error:
            run_logger().warning("The artifact spend has no link: %s", str(error) or type(error).__name__)
    text = spend_markdown(
        report,
        page=None if key is None else ledger.store.uri(key),
        link=links.get(key or ""),
        expires_at=now + timedelta(seconds=seconds) if links else None,
    )
    sentence = plain(report.sentence, 400)
    makers: dict[str, Maker] = {
        "spend": lambda: acreate_markdown_artifact(text, key="spend", description=sentence),
        "spend-table": lambda: acreate_table_artifact(
            spend_rows(report), key="spend-table", description=sentence
        ),
    }
    await make_all(makers, instead=f"The page is {ledger.store.uri(key)}." if key else "")
