"""Task: join the clips of a film and put it into the archive, with what belongs to it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from anyio import to_thread
from pydantic import JsonValue
from slugify import slugify

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.steps.decoding import decode
from together_video.errors import (
    ConfigurationError,
    DownloadBroken,
    NoRoomForFilm,
    ObjectConflict,
    VideoError,
)
from together_video.film.cutting import cut_for_joining, placed
from together_video.film.plan import FilmPlan
from together_video.film.record import FilmRecord, FilmShot
from together_video.film.storyboard import Captions
from together_video.gallery import contact_sheet
from together_video.gallery.cards import file_size
from together_video.gallery.public_text import public_text
from together_video.joining.captions import webvtt
from together_video.joining.cuts import Cut
from together_video.joining.edit_lists import edit_list
from together_video.joining.films import JoinedFilm
from together_video.joining.join import join
from together_video.ledger.records import StoredObject
from together_video.media.clips import inspect_clip
from together_video.media.stills import frames_of
from together_video.text import one_line

#: A film is started if this many times the bytes of all clips are free on the disk: an encoded film may be larger.
_ROOM = 2


@dataclass(frozen=True)
class FilmJob:
    """A film to join: its id and its cut, its shots as they will be recorded, where their clips are."""

    id: str
    cut: dict[str, JsonValue]
    plan: FilmPlan
    shots: Sequence[FilmShot]
    clips: Mapping[int, Path]
    sounds: Mapping[str, Path]

    @property
    def title(self) -> str:
        return self.plan.storyboard.title


@retried_task(
    "join-film",
    "Join the shots of a film and put it into the archive.",
    run_name="join: {job.title}",
    seconds=None,
)
async def join_film(
    job: FilmJob, folder: Path, ledger: Ledger, progress: Callable[[int, int], None]
) -> FilmRecord:
    """Returns the record of the film, perhaps one that another run wrote in the meantime. `folder` is for the film's
    temporary files.

    Raises:
        PieceRefused: a clip or a sound file cannot be used in it.
        FilmError: it cannot be joined for another reason, such as too little disk space.
        ArchiveError: the archive cannot be written.
    """
    cut = cut_for_joining(job.plan, job.clips, job.sounds)
    stem = slugify(job.title, max_length=48, word_boundary=True) or "film"
    joined = await _joined(cut, folder / "film.mp4", progress)
    kept = _Keeping(ledger, job.id, f"{stem}-{joined.sha256[:12]}")
    video = await kept.file("mp4", joined.path, joined.sha256, joined.size, "video/mp4")
    poster, notes = await _poster(kept, joined.path)
    sheet, sheet_notes = await _contact_sheet(kept, job, joined)
    captions = None
    if job.plan.storyboard.cut.captions is not Captions.NONE and any(piece.caption for piece in cut.pieces):
        captions = await kept.content("vtt", webvtt(cut, joined).encode(), "text/vtt")
    edits = await _edit_list(kept, job, cut, joined)
    storyboard = job.plan.storyboard.canonical().encode()
    record = FilmRecord(
        id=job.id,
        title=job.title,
        made_at=datetime.now(UTC),
        video=video,
        poster=poster,
        captions=captions,
        contact_sheet=sheet,
        edit_list=edits,
        storyboard=await kept.content("storyboard.json", storyboard, "application/json"),
        seconds=joined.seconds,
        frames=joined.frames,
        rate=joined.rate,
        width=joined.width,
        height=joined.height,
        codec=joined.codec,
        shots=tuple(one.model_copy(update=placed(joined, one.number)) for one in job.shots),
        cut=job.cut,
        notes=(*joined.notes, *notes, *sheet_notes)[:100],
    )
    held = await ledger.films.keep(record)
    run_logger().info("%s: joined as %s", job.title, held.video.key)
    return held


class _Stopped(Exception):
    """Nothing waits for the film any more."""


async def _joined(cut: Cut, path: Path, progress: Callable[[int, int], None]) -> JoinedFilm:
    """The film, made in a thread that ends soon after this is cancelled: a long film takes minutes."""
    stopped = threading.Event()

    def told(made: int, frames: int) -> None:
        if stopped.is_set():
            raise _Stopped
        progress(made, frames)

    work = asyncio.ensure_future(to_thread.run_sync(partial(join, cut, path, progress=told)))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stopped.set()
        await outlast([work])
        if not work.cancelled():
            work.exception()
        raise


async def check_room(clips: Sequence[StoredObject], folder: Path) -> None:
    """Refuse to start if the disk would be full before the end.

    Raises:
        NoRoomForFilm: it would be full.
    """
    size = sum({one.sha256: one.size for one in clips}.values())
    free = (await to_thread.run_sync(shutil.disk_usage, folder)).free
    if free < size * (1 + _ROOM):
        raise NoRoomForFilm(
            # Without the folder's path: the message is also written into the bucket.
            f"The shots have {file_size(size)}, and the disk for temporary files has {file_size(free)} left for them "
            "and the film.",
            remedy="Free some space, or set TMPDIR to a folder with more, and run again: the shots are in the archive.",
        )


class _Keeping:
    """Puts the files of one film into the archive, each under a name that says what it is."""

    def __init__(self, ledger: Ledger, film: str, stem: str) -> None:
        self._ledger, self._film, self._stem = ledger, film, stem

    def uri(self, key: str) -> str:
        return self._ledger.store.uri(key)

    async def content(self, ending: str, content: bytes, kind: str) -> StoredObject:
        return await self.file(ending, content, hashlib.sha256(content).hexdigest(), len(content), kind)

    async def file(
        self, ending: str, source: Path | bytes, sha256: str, size: int, kind: str
    ) -> StoredObject:
        store = self._ledger.store
        key = self._ledger.layout.film(self._film, f"{self._stem}.{ending}")
        if not await store.put_file_once(key, source, sha256, kind):
            head = await store.head(key)
            there = None if head is None else head.sha256 or await store.content_sha256(key)
            if there != sha256 and isinstance(source, bytes):
                # From an earlier attempt: the storyboard in other words, or a poster by another decoder.
                key = self._ledger.layout.film(self._film, f"{self._stem}-{sha256[:12]}.{ending}")
                await store.put_file_once(key, source, sha256, kind)
            elif there != sha256:
                raise ObjectConflict(f"{store.uri(key)} differs from what its name says.")
        return StoredObject(key=key, size=size, sha256=sha256, content_type=kind)


async def _poster(kept: _Keeping, film: Path) -> tuple[StoredObject | None, tuple[str, ...]]:
    try:
        found = await decode(inspect_clip, film)
    except DownloadBroken as error:
        return None, (f"There is no poster: {error.what}",)
    if found.poster is None:
        return None, ("There is no poster: no frame of the film could be opened.",)
    return await kept.content("jpg", found.poster, "image/jpeg"), ()


async def _contact_sheet(
    kept: _Keeping, job: FilmJob, joined: JoinedFilm
) -> tuple[StoredObject | None, tuple[str, ...]]:
    """A picture of each shot, in order. A film never fails because of it."""
    size = contact_sheet.tile_size([(joined.width, joined.height)])

    async def tile(shot: FilmShot) -> contact_sheet.Tile:
        try:
            frames = await decode(partial(frames_of, size=size, count=1, rate=1), job.clips[shot.number])
        except VideoError:
            frames = []
        return contact_sheet.Tile(public_text(shot.title), "No picture", frames[0] if frames else None)

    tiles = await asyncio.gather(*map(tile, job.shots))
    try:
        picture = await to_thread.run_sync(contact_sheet.contact_sheet, public_text(job.title), tiles, size)
    except (OSError, MemoryError) as error:
        return None, (f"There is no contact sheet: {one_line(str(error), 200)}",)
    return await kept.content("contact-sheet.jpg", picture, "image/jpeg"), ()


async def _edit_list(kept: _Keeping, job: FilmJob, cut: Cut, joined: JoinedFilm) -> StoredObject | None:
    """The cut as OpenTimelineIO, if that is installed; it names clips by their addresses in the archive."""
    addresses = {job.clips[one.number]: kept.uri(one.key) for one in job.shots}
    named = {path: text for text, path in job.sounds.items()}
    try:
        text = edit_list(
            cut,
            joined,
            title=job.title,
            link=lambda path: addresses.get(path) or named.get(path) or path.name,
        )
    except ConfigurationError:
        return None
    return await kept.content("otio", text.encode(), "application/json")
