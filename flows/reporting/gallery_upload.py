"""The pages of a batch: every video with its poster, its parameters and its cost, kept in the archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.tasks.running.prefect_run import flow_context
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import ArchiveError
from together_video.gallery import About, GalleryRow, relative_link, render_pages
from together_video.ledger.records import VideoPlan
from together_video.ledger.reviews import Mark
from together_video.ledger.summary import Summary, VideoState
from together_video.prompts import Brief


async def marks_of(ledger: Ledger, summary: Summary) -> dict[str, Mark]:
    """The marks of reviewers on videos that were made earlier. Nobody has seen the others yet.

    No paid video depends on it: if the marks cannot be read, that is logged and there are none.
    """
    earlier = [found.id for found in summary.videos if found.state is VideoState.REUSED]
    try:
        return await ledger.reviews.of(earlier)
    except ArchiveError as error:
        run_logger().warning("The gallery page has no marks, because they could not be read: %s", error)
        return {}


def about_run(batch_id: str, title: str, brief: Brief | None) -> About:
    """The heading of a page about what this run made."""
    name = url = None
    if flow_context() is not None:
        from prefect.runtime import flow_run

        name, url = flow_run.name, flow_run.ui_url
    return About(
        batch_id=batch_id,
        title=title,
        brief=brief.subject if brief else None,
        style=brief.style if brief else None,
        run_name=name,
        run_url=url,
        made_at=datetime.now(UTC),
    )


async def publish(
    ledger: Ledger,
    batch_id: str,
    title: str,
    rows: Sequence[GalleryRow],
    summary: Summary,
    *,
    about: About,
    redo: Callable[[VideoPlan], str | None] | None = None,
) -> Summary:
    """Write `batches/<id>/batch.json` and `index.html`, followed by `index-2.html`, … if one page would be too long.
    Returns the summary with the first page's key. The heading, `about`, is stored in `batch.json` for a page that is
    made again. `redo` gives a video's link to a form for another take.

    No paid video depends on the page: if it cannot be written, that is logged and the key is None.
    """
    happens(Phase("Writing the gallery page"))
    page = ledger.layout.batch(batch_id, "index.html")
    pages = render_pages(
        title,
        rows,
        first="index.html",
        made_at=about.made_at or datetime.now(UTC),
        summary=summary,
        summary_sentence=summary.sentence,
        link=lambda key: relative_link(page, key),
        redo=redo,
        about=about,
    )
    document = {**about.as_json(), **summary.as_json()}
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
