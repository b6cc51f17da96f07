"""Galleries on this machine: the page of a batch, a film or the newest videos, and the files that it shows."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError, model_validator

from prefect_together_video.blocks.ledger.finding import find_batch, find_film, no_such_batch
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.survey import survey
from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from prefect_together_video.flows.cli.galleries.film_gallery import choose_film
from prefect_together_video.flows.cli.galleries.gallery_copies import fetched
from prefect_together_video.flows.cli.screen.steps import SILENT, Steps
from prefect_together_video.flows.reporting import in_prefect
from together_video.atomic_files import write_whole
from together_video.errors import ArchiveError, DownloadError, InputError, StoreUnavailable
from together_video.gallery import About, GalleryRow, marked, relative_link, render_pages
from together_video.gallery.links import way_to
from together_video.gallery.since import now_of
from together_video.ledger.lines import Newest
from together_video.ledger.names import VideoId, path_inside
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.text import counted

_log = logging.getLogger("together_video")

#: Files that are downloaded at the same time.
_AT_ONCE = 8


class _Row(VideoOutcome):
    """A row of a batch's list, from the archive."""

    id: VideoId


class _Batch(BaseModel):
    """The fields of `batch.json` that are read."""

    videos: tuple[_Row, ...]
    about: About = About()

    @model_validator(mode="before")
    @classmethod
    def _heading(cls, document: Any) -> Any:
        """The heading is stored beside the videos. An error in it does not prevent the page."""
        return {**document, "about": About.read(document)} if isinstance(document, dict) else document


def is_storyboard(given: str) -> bool:
    """Whether this is the name of a file. Ids have no dots."""
    return given.lower().endswith((".yaml", ".yml", ".json"))


@dataclass(frozen=True)
class Export:
    """The result: the page, the number of videos on it, and the files that the archive lacks."""

    page: Path
    videos: int
    missing: list[str]
    is_of_film: bool = False

    @property
    def words(self) -> str:
        """What the page shows, such as `4 videos`."""
        return (
            f"A film and {counted(self.videos, 'take')}" if self.is_of_film else counted(self.videos, "video")
        )


def make_bucket(name: str) -> None:
    """Create the demo's bucket on its local S3 server, unless it exists."""
    client = make_client(None, connections=1)
    if name not in {found["Name"] for found in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name)


def copy_out(summary: Summary, bucket: str, folder: Path) -> Path | None:
    """Copy the pages of a run and their files to a folder with the bucket's layout, so that links keep working."""
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


async def choose(ledger: Ledger, *, given: str | None, latest: int) -> Chosen:
    """The videos of a batch, the takes of a film, or the newest videos. A film is given by its id, the beginning of
    its id, or its storyboard file.

    Raises:
        InputError: the archive has no such batch or film, or nothing at all.
        ArchiveError: the archive cannot be read.
    """
    if given is None:
        rows = await _newest(ledger, latest)
        return Chosen("newest", f"The newest {counted(len(rows), 'video')}", rows)
    if is_storyboard(given):
        from prefect_together_video.flows.engine.film_made import film_of_storyboard

        file = Path(given).expanduser()
        return await choose_film(ledger, await film_of_storyboard(file, ledger), storyboard=file)
    if await find_batch(ledger, given) is None and (film := await find_film(ledger, given)) is not None:
        return await choose_film(ledger, film)
    whole, found = await _batch(ledger, given, nor_film=True)
    about = found.about.model_copy(update={"batch_id": whole})
    return Chosen(whole, about.title or f"Batch {whole}", await _rows(ledger, found), about)


async def export(
    ledger: Ledger,
    folder: Path,
    chosen: Chosen,
    *,
    link_seconds: int | None,
    steps: Steps = SILENT,
) -> Export:
    """Write a page into the folder, with the files beside it or with links to the archive. Links into a bucket are
    signed and work for `link_seconds`.

    Raises:
        ArchiveError: the archive cannot be read.
        DownloadError: the folder cannot be written.
    """
    rows = chosen.rows
    name = "index.html" if chosen.name == "newest" else f"{chosen.name}.html"
    files = chosen.files(ledger.layout)
    missing: list[str] = []
    if link_seconds is None:
        steps.begin(f"Downloading {counted(len(files), 'file')} to {folder}", len(files))
        missing = await _fetch(ledger, folder, files, steps)
        steps.begin("Writing the page")
        links = {key: relative_link(name, key) for key in files if key not in missing}
    elif ledger.place.folder is not None:
        links = {key: way_to(folder, Path(ledger.place.folder, key)) for key in files}
    else:
        links = await ledger.store.links(files, seconds=link_seconds)
    pages = render_pages(
        chosen.title,
        rows,
        first=name,
        made_at=datetime.now(UTC),
        summary=chosen.summary,
        summary_sentence=chosen.sentence,
        link=links.get,
        about=chosen.about,
        film=chosen.film,
        redo=await in_prefect.redo(plans_of(rows)),
    )
    page = folder / name
    try:
        for called, html in pages:
            write_whole(folder / called, html.encode())
    except OSError as error:
        raise DownloadError(f"The page cannot be written to {folder}: {error.strerror or error}.") from error
    return Export(page=page, videos=len(rows), missing=missing, is_of_film=chosen.film is not None)


def plans_of(rows: Iterable[GalleryRow]) -> list[VideoPlan]:
    return [row.record.plan for row in rows if row.record is not None]


async def rows_of_batch(ledger: Ledger, batch: str) -> list[GalleryRow]:
    """The rows of a batch's summary, with their records if there are any.

    Raises:
        InputError: the archive has no such batch.
        ArchiveError: the archive cannot be read.
    """
    return await _rows(ledger, (await _batch(ledger, batch))[1])


async def _batch(ledger: Ledger, batch: str, *, nor_film: bool = False) -> tuple[str, _Batch]:
    """The full id of the batch and its summary. Raises as `rows_of_batch` does."""
    whole, stored = await find_batch(ledger, batch), None
    if whole is not None:
        stored = await ledger.store.get(ledger.layout.batch(whole, "batch.json"))
    if stored is None or whole is None:
        # If even the folder is missing, report that instead.
        await ledger.store.list(ledger.layout.key("batches", ""))
        raise no_such_batch(ledger, batch, nor_film=nor_film)
    try:
        return whole, _Batch.model_validate_json(stored.data)
    except ValidationError as error:
        key = ledger.store.uri(ledger.layout.batch(whole, "batch.json"))
        raise ArchiveError(
            f"{key} was not written by this project: no gallery can be made from it."
        ) from error


async def _rows(ledger: Ledger, batch: _Batch) -> list[GalleryRow]:
    ids = [found.id for found in batch.videos]
    records, marks = await _records(ledger, ids), await ledger.reviews.of(ids)
    rows = []
    for found in batch.videos:
        record = records.get(found.id)
        outcome = found if record is None else now_of(found, record, place=ledger.place)
        rows.append(marked(GalleryRow(outcome=outcome, record=record), marks))
    return rows


async def _newest(ledger: Ledger, latest: int) -> list[GalleryRow]:
    found = (await survey(ledger, lambda: Newest(latest, lambda entry: entry.state == "archived"))).found
    names = [entry.name.removesuffix(".json") for entry in found.entries]
    records = await _records(ledger, names)
    rows = [
        GalleryRow(
            outcome=VideoOutcome.of_record(record, VideoState.ARCHIVED, place=ledger.place), record=record
        )
        for name in names
        if (record := records.get(name)) is not None and record.state == "archived"
    ]
    if not rows:
        raise InputError(f"There is no video under {ledger.store.uri(ledger.layout.key('records', ''))}.")
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
                # Somebody changed this record: the audit names it. Show the others.
                _log.warning("%s", error)
                return None

    found = await asyncio.gather(*map(read, videos))
    return {video: record for video, record in zip(videos, found, strict=True) if record is not None}


async def _fetch(ledger: Ledger, folder: Path, keys: Iterable[str], steps: Steps = SILENT) -> list[str]:
    """Download the files that the folder lacks. Returns the keys that the archive lacks."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def fetch(key: str) -> str | None:
        path = path_inside(folder, key)
        async with places:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # Check again, because the parent folders exist now.
                path_inside(folder, key)
                return None if path.exists() or await fetched(ledger, key, path) else key
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    return key
                raise DownloadError(f"{path} cannot be written: {error.strerror or error}.") from error
            finally:
                steps.advance()

    return [key for key in await asyncio.gather(*map(fetch, keys)) if key is not None]
