"""What Prefect's UI shows of a finished run: its videos as a table and as a gallery, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.reporting.artifact_attempts import Maker, Sleep, make_all
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError
from together_video.film.summary import FilmSummary
from together_video.gallery.film_markdown import film_markdown
from together_video.gallery.markdown import MOST_SHOWN, cost_rows, gallery_markdown, video_rows
from together_video.gallery.plain_text import plain
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome

#: Seconds for signing the links: credentials may have to be fetched first.
_SIGNING_SECONDS = 10.0


async def show(
    ledger: Ledger,
    records: Mapping[str, VideoRecord],
    title: str,
    summary: Summary,
    *,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Make the artifacts `videos`, `gallery` and `cost-by-model`; for a film, `film` instead of `gallery`. Outside of a
    flow run there are none.

    The page in the archive is written before them, and says the same.
    """
    if FlowRunContext.get() is None or not summary.videos:
        return
    if isinstance(summary, FilmSummary):
        page, text = "film", await _film(ledger, records, title, summary)
    else:
        page, text = "gallery", await _gallery(ledger, records, title, summary)
    sentence = plain(summary.sentence, 400)
    makers: dict[str, Maker] = {
        page: lambda: acreate_markdown_artifact(text, key=page, description=plain(title, 200)),
        "videos": lambda: acreate_table_artifact(video_rows(summary), key="videos", description=sentence),
        "cost-by-model": lambda: acreate_table_artifact(
            cost_rows(summary), key="cost-by-model", description=sentence
        ),
    }
    instead = f"The gallery page is {summary.page_uri}." if summary.page_uri else ""
    await make_all(makers, instead=instead, sleep=sleep)


@dataclass(frozen=True)
class _Signed:
    """Links by key, when they expire, and the posters of videos by the keys of both."""

    links: dict[str, str]
    posters: dict[str, str]
    expires_at: datetime | None


async def _gallery(ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: Summary) -> str:
    signed = await _signed(ledger, records, summary.videos, [summary.page] if summary.page else [])
    return gallery_markdown(
        title,
        summary,
        signed.links,
        expires_at=signed.expires_at,
        posters=signed.posters,
        page=summary.page_uri,
        page_link=signed.links.get(summary.page or ""),
    )


async def _film(ledger: Ledger, records: Mapping[str, VideoRecord], title: str, summary: FilmSummary) -> str:
    film = summary.film
    keys = [] if film is None else [key for key in (film.key, film.poster) if key]
    signed = await _signed(ledger, records, summary.videos, keys)
    posters = signed.posters
    if film is not None and film.poster is not None:
        posters = {**posters, film.key: film.poster}
    return film_markdown(title, summary, signed.links, expires_at=signed.expires_at, posters=posters)


async def _signed(
    ledger: Ledger, records: Mapping[str, VideoRecord], videos: Sequence[VideoOutcome], others: Sequence[str]
) -> _Signed:
    """Links to the first videos, to their posters and to other objects."""
    there = [found for found in videos if ledger.layout.is_video_file(found.key)][:MOST_SHOWN]
    keys = [found.key for found in there if found.key]
    # A video is archived without a poster if none could be made.
    shown = [records[found.id] for found in there if found.id in records]
    posters = {
        record.video.key: record.poster.key
        for record in shown
        if record.video and record.poster and ledger.layout.is_video_file(record.poster.key)
    }
    # Prefect stores an artifact's data three times: in the artifact, in the newest of its key, and in an event.
    seconds = ledger.link_seconds
    links: dict[str, str] = {}
    if seconds:
        try:
            async with asyncio.timeout(_SIGNING_SECONDS):
                links = await ledger.store.links([*keys, *posters.values(), *others], seconds=seconds)
        except (VideoError, TimeoutError) as error:
            run_logger().warning("The artifact has no links: %s", str(error) or type(error).__name__)
    return _Signed(links, posters, datetime.now(UTC) + timedelta(seconds=seconds) if links else None)
