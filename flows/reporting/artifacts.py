"""What Prefect's UI shows of a run that is over: its videos as a table and as a gallery, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting.artifact_attempts import Maker, Sleep, make_all
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError
from together_video.gallery.markdown import MOST_SHOWN, cost_rows, gallery_markdown, video_rows
from together_video.gallery.plain_text import plain
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import Summary

#: Seconds in which the links must be signed: credentials may have to be asked for first.
_SIGNING_SECONDS = 10.0


async def show(
    ledger: Ledger,
    records: Mapping[str, VideoRecord],
    title: str,
    summary: Summary,
    *,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Make the artifacts `videos`, `gallery` and `cost-by-model`. Outside of a flow run there are none.

    The page in the archive is written before, and says the same.
    """
    if FlowRunContext.get() is None or not summary.videos:
        return
    text = await _gallery(ledger, records, title, summary)
    sentence = plain(summary.sentence, 400)
    makers: dict[str, Maker] = {
        "gallery": lambda: acreate_markdown_artifact(text, key="gallery", description=plain(title, 200)),
        "videos": lambda: acreate_table_artifact(video_rows(summary), key="videos", description=sentence),
        "cost-by-model": lambda: acreate_table_artifact(
            cost_rows(summary), key="cost-by-model", description=sentence
        ),
    }
    instead = f"The gallery page is {summary.page_uri}." if summary.page_uri else ""
    await make_all(makers, instead=instead, sleep=sleep)


async def _gallery(ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: Summary) -> str:
    there = [found for found in summary.videos if ledger.layout.is_video_file(found.key)][:MOST_SHOWN]
    keys = [found.key for found in there if found.key]
    # A video is archived without a poster where none could be made.
    shown = [records[found.id] for found in there if found.id in records]
    posters = {
        record.video.key: record.poster.key
        for record in shown
        if record.video and record.poster and ledger.layout.is_video_file(record.poster.key)
    }
    pages = [summary.page] if summary.page else []
    # Prefect keeps an artifact's data three times: in the artifact, in the newest of its key, and in an event.
    seconds = ledger.link_seconds
    links: dict[str, str] = {}
    if seconds:
        try:
            async with asyncio.timeout(_SIGNING_SECONDS):
                links = await ledger.store.links([*keys, *posters.values(), *pages], seconds=seconds)
        except (VideoError, TimeoutError) as error:
            run_logger().warning("The gallery artifact has no links: %s", str(error) or type(error).__name__)
    return gallery_markdown(
        title,
        summary,
        links,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if links else None,
        posters=posters,
        page=summary.page_uri,
        page_link=links.get(summary.page or ""),
    )
