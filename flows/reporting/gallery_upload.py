"""The pages of a batch: every video with its poster, its parameters and its cost, kept in the archive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import ArchiveError
from together_video.gallery import GalleryRow, relative_link, render_pages
from together_video.ledger.summary import Summary


async def publish(
    ledger: Ledger, batch_id: str, title: str, rows: Sequence[GalleryRow], summary: Summary
) -> Summary:
    """Write `batches/<id>/batch.json` and `index.html`, with `index-2.html`, … behind it where one page would be
    too long. Returns the summary with the first page's key.

    No paid video hangs on the page: where it cannot be written, that is logged and the key is None.
    """
    happens(Phase("Writing the gallery page"))
    page = ledger.layout.batch(batch_id, "index.html")
    made_at = datetime.now(UTC)
    pages = render_pages(
        title,
        rows,
        first="index.html",
        made_at=made_at,
        summary=summary,
        summary_sentence=summary.sentence,
        link=lambda key: relative_link(page, key),
    )
    document = {"batch_id": batch_id, "title": title, "made_at": made_at.isoformat(), **summary.as_json()}
    body = json.dumps(document, indent=1, ensure_ascii=False).encode()
    try:
        await ledger.store.put_once(ledger.layout.batch(batch_id, "batch.json"), body)
        while (rendered := await to_thread.run_sync(next, pages, None)) is not None:
            key = ledger.layout.batch(batch_id, rendered[0])
            await ledger.store.put_once(key, rendered[1].encode(), "text/html; charset=utf-8")
    except ArchiveError as error:
        run_logger().warning("The gallery page could not be written: %s", error)
        return summary
    return summary.model_copy(update={"page": page, "page_uri": ledger.store.uri(page)})
