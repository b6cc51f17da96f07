"""Galleries on this machine: the page of a batch or of the newest videos, and the files that it shows."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError, model_validator

from prefect_together_video.blocks.ledger.finding import find_batch
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.s3.client import make_client
from together_video.atomic_files import write_whole
from together_video.errors import ArchiveError, DownloadError, InputError, StoreUnavailable
from together_video.gallery import About, GalleryRow, marked, relative_link, render_pages
from together_video.gallery.links import way_to
from together_video.ledger.layout import Layout
from together_video.ledger.names import VideoId, path_inside
from together_video.ledger.records import VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.money import usd
from together_video.text import counted

_log = logging.getLogger("together_video")

#: Files that are fetched at the same time.
_AT_ONCE = 8


class _Row(VideoOutcome):
    """A row of a batch's own list, from the archive."""

    id: VideoId


class _Batch(BaseModel):
    """What is read of `batch.json`."""

    videos: tuple[_Row, ...]
    about: About = About()

    @model_validator(mode="before")
    @classmethod
    def _heading(cls, document: Any) -> Any:
        """It stands beside the videos; what is wrong in it costs no page."""
        return {**document, "about": About.read(document)} if isinstance(document, dict) else document


@dataclass(frozen=True)
class Export:
    """What came of it: the page, how many videos it shows, and the files that the archive lacks."""

    page: Path
    videos: int
    missing: list[str]


def make_bucket(name: str) -> None:
    """Make the demo's bucket on its local S3 server, unless it is there."""
    client = make_client(None, connections=1)
    if name not in {found["Name"] for found in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name)


def copy_out(summary: Summary, bucket: str, folder: Path) -> Path | None:
    """Copy the pages of a run and what they show to a folder with the bucket's layout, so that links hold there."""
    page = summary.page
    if page is None:
        return None

    async def copy() -> None:
        from prefect_together_video.blocks.archive import VideoArchive

        async with VideoArchive(bucket=bucket).open() as ledger:
            beside = await ledger.store.list(page.rpartition("/")[0] + "/")
            pages = [found.key for found in beside if found.key.endswith(".html")]
            videos = [found.key for found in summary.videos if found.key]
            posters = [str(Path(key).with_suffix(".jpg")) for key in videos]
            await _fetch(ledger, folder, [*pages, *videos, *posters])

    asyncio.run(copy())
    return folder / page


async def export(
    ledger: Ledger,
    folder: Path,
    *,
    batch: str | None,
    latest: int,
    link_seconds: int | None,
    tell: Callable[[str], None],
) -> Export:
    """Write a page into the folder, with the files beside it, or with links to the archive: into a bucket they are
    signed for `link_seconds`.

    Raises:
        InputError: the archive has no such batch, or nothing at all.
        ArchiveError: the archive cannot be read.
        DownloadError: the folder cannot be written.
    """
    about = About()
    if batch is not None:
        batch, found = await _batch(ledger, batch)
        rows, about = await _rows(ledger, found), found.about.model_copy(update={"batch_id": batch})
    else:
        rows = await _newest(ledger, latest)
    outcomes = [row.outcome for row in rows]
    summary = Summary.of(outcomes)
    title = f"The newest {counted(len(rows), 'video')}" if batch is None else about.title or f"Batch {batch}"
    name = "index.html" if batch is None else f"{batch}.html"
    files = [key for row in rows for key in _shown(row, ledger.layout)]
    missing: list[str] = []
    if link_seconds is None:
        tell(f"Fetching {len(files)} files into {folder} …")
        missing = await _fetch(ledger, folder, files)
        links = {key: relative_link(name, key) for key in files if key not in missing}
    elif ledger.place.folder is not None:
        links = {key: way_to(folder, Path(ledger.place.folder, key)) for key in files}
    else:
        links = await ledger.store.links(files, seconds=link_seconds)
    pages = render_pages(
        title,
        rows,
        first=name,
        made_at=datetime.now(UTC),
        summary=summary,
        summary_sentence=_sentence(summary),
        link=links.get,
        about=about,
    )
    page = folder / name
    try:
        for called, html in pages:
            write_whole(folder / called, html.encode())
    except OSError as error:
        raise DownloadError(f"The page cannot be written to {folder}: {error.strerror or error}.") from error
    return Export(page=page, videos=len(rows), missing=missing)


async def rows_of_batch(ledger: Ledger, batch: str) -> list[GalleryRow]:
    """What a batch's summary lists, with the records that there are.

    Raises:
        InputError: the archive has no such batch.
        ArchiveError: the archive cannot be read.
    """
    return await _rows(ledger, (await _batch(ledger, batch))[1])


async def _batch(ledger: Ledger, batch: str) -> tuple[str, _Batch]:
    """Its whole id and what is kept of it. As for `rows_of_batch`."""
    whole, stored = await find_batch(ledger, batch), None
    if whole is not None:
        stored = await ledger.store.get(ledger.layout.batch(whole, "batch.json"))
    if stored is None or whole is None:
        place = ledger.layout.key("batches", "")
        raise InputError(f"There is no batch {batch!r} under {ledger.store.uri(place)}.")
    try:
        return whole, _Batch.model_validate_json(stored.data)
    except ValidationError as error:
        key = ledger.store.uri(ledger.layout.batch(whole, "batch.json"))
        raise ArchiveError(f"{key} is not what this project wrote: no gallery can be made of it.") from error


async def _rows(ledger: Ledger, batch: _Batch) -> list[GalleryRow]:
    ids = [found.id for found in batch.videos]
    records, marks = await _records(ledger, ids), await ledger.reviews.of(ids)
    return [marked(GalleryRow(outcome=found, record=records.get(found.id)), marks) for found in batch.videos]


async def _newest(ledger: Ledger, latest: int) -> list[GalleryRow]:
    folder = ledger.layout.key("records", "")
    listed = sorted(await ledger.store.list(folder), key=lambda found: found.written_at, reverse=True)
    # Records of failed and given-up purchases are among them, so some more are read than are shown.
    rows: list[GalleryRow] = []
    for start in range(0, len(listed), latest):
        own = [one.key for one in listed[start : start + latest] if ledger.layout.is_own("records", one.key)]
        names = [key[len(folder) :].removesuffix(".json") for key in own]
        records = await _records(ledger, names)
        for name in names:
            record = records.get(name)
            if record is not None and record.state == "archived" and len(rows) < latest:
                outcome = VideoOutcome.of_record(record, VideoState.ARCHIVED, place=ledger.place)
                rows.append(GalleryRow(outcome=outcome, record=record))
        if len(rows) == latest:
            break
    if not rows:
        raise InputError(f"There is no video under {ledger.store.uri(folder)}.")
    marks = await ledger.reviews.of([row.outcome.id for row in rows])
    return [marked(row, marks) for row in rows]


async def _records(ledger: Ledger, videos: Sequence[str]) -> dict[str, VideoRecord]:
    places = asyncio.Semaphore(32)

    async def read(video: str) -> VideoRecord | None:
        async with places:
            try:
                return await ledger.record(video)
            except StoreUnavailable:
                raise
            except ArchiveError as error:
                # Of many, one that somebody has changed: the audit names it, and the others are shown.
                _log.warning("%s", error)
                return None

    found = await asyncio.gather(*map(read, videos))
    return {video: record for video, record in zip(videos, found, strict=True) if record is not None}


def _shown(row: GalleryRow, layout: Layout) -> list[str]:
    """Keys of the video and of its poster, if there are any; what is no file of a video is none."""
    poster = row.record.poster if row.record else None
    return [key for key in (row.outcome.key, poster.key if poster else None) if layout.is_video_file(key)]


async def _fetch(ledger: Ledger, folder: Path, keys: Iterable[str]) -> list[str]:
    """Bring the files into the folder, unless they are there; gives the keys that the archive lacks."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def fetch(key: str) -> str | None:
        path = path_inside(folder, key)
        async with places:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Once more, as the folders on the way are there now.
                path_inside(folder, key)
                return None if path.exists() or await ledger.store.fetch(key, path) else key
            except StoreUnavailable:
                raise
            except ArchiveError:
                return key  # what lies there is no file that can be read
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    return key
                raise DownloadError(f"{path} cannot be written: {error.strerror or error}.") from error

    return [key for key in await asyncio.gather(*map(fetch, keys)) if key is not None]


def _sentence(summary: Summary) -> str:
    cost = sum((found.cost_usd for found in summary.videos if found.cost_usd is not None), Decimal(0))
    videos = "1 video" if len(summary.videos) == 1 else f"{len(summary.videos)} videos"
    return f"{videos}, {usd(cost)} paid in all"
