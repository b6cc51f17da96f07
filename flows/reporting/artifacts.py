"""What Prefect's UI shows of a run that is over: its videos as a table and as a gallery, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.gallery.markdown import MOST_SHOWN, cost_rows, gallery_markdown, video_rows
from together_video.gallery.plain_text import plain
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import Summary

#: How long all of it may take, in seconds: the server may be gone.
_SECONDS = 30.0


async def show(ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: Summary) -> None:
    """Make the artifacts `videos`, `gallery` and `cost-by-model`. Outside of a flow run there are none.

    No paid video hangs on them: what goes wrong is logged.
    """
    if FlowRunContext.get() is None or not summary.videos:
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await _make(ledger, records, title, summary)
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
        run_logger().warning("The run's artifacts could not be made: %s", str(error) or type(error).__name__)


async def _make(ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: Summary) -> None:
    there = [found for found in summary.videos if ledger.layout.is_video_file(found.key)][:MOST_SHOWN]
    keys = [found.key for found in there if found.key]
    # A video is archived without a poster where none could be made.
    shown = [records[found.id] for found in there if found.id in records]
    posters = {
        record.video.key: record.poster.key
        for record in shown
        if record.video and record.poster and ledger.layout.is_video_file(record.poster.key)
    }
    # Prefect keeps an artifact's data three times: in the artifact, in the newest of its key, and in an event.
    seconds = ledger.link_seconds
    links = await ledger.store.links([*keys, *posters.values()], seconds=seconds) if seconds else {}
    text = gallery_markdown(
        title,
        summary,
        links,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if links else None,
        posters=posters,
        page=summary.page_uri,
    )
    await acreate_markdown_artifact(text, key="gallery", description=plain(title, 200))
    sentence = plain(summary.sentence, 400)
    await acreate_table_artifact(video_rows(summary), key="videos", description=sentence)
    await acreate_table_artifact(cost_rows(summary), key="cost-by-model", description=sentence)
