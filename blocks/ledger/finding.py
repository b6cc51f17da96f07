"""From what people type for a video or batch to its id: an id or its first digits, a key, an address, a job id."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.survey import survey
from together_video.errors import InputError, NotInArchive
from together_video.film.record import FilmRecord
from together_video.ledger.index import Entry
from together_video.ledger.names import BATCH_ID, is_video_id
from together_video.text import printable

#: Fewest digits that can stand for an id.
FEWEST = 6
_HEX = re.compile(r"[0-9a-f]{6,24}")
_IN_A_KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_BATCH_START = re.compile(r"\d{6,8}(T\d{0,6}(-[0-9a-f]{0,6})?)?")
_LONGEST = 2_000


async def find_video(ledger: Ledger, given: str) -> str:
    """The id of the video that `given` names.

    Raises:
        NotInArchive: there is none.
        InputError: there are several.
    """
    if (found := await _video(ledger, given)) is None:
        raise _no_such(ledger, given, "no video")
    return found


async def _video(ledger: Ledger, given: str) -> str | None:
    """As `find_video`; None if there is none."""
    text = given.strip()
    if not text or len(text) > _LONGEST:
        raise InputError("Give the id of a video, its key, or its job id.")
    if _HEX.fullmatch(text.lower()):
        found = await _beginning(ledger, text.lower())
        if found is not None:
            return found
    elif "/" in text and (found := await _of_key(ledger, text)) is not None:
        return found
    return await _of_job(ledger, text)


def _no_such(ledger: Ledger, given: str, nothing: str) -> NotInArchive:
    place = ledger.store.uri(ledger.layout.key(""))
    return NotInArchive(
        f"There is {nothing} {printable(given.strip(), 100)!r} in {place}: give its id or the first {FEWEST} digits of "
        "it, the key of its file, or its job id.",
        place=place,
    )


async def find_batch(ledger: Ledger, given: str, *, known: Iterable[str] = ()) -> str | None:
    """The id of the batch that `given` is or starts; None if it does not look like a batch, or there is none.

    Args:
        known: ids of batches that may have no gallery yet.

    Raises:
        InputError: several ids start like this.
    """
    text = given.strip()
    if BATCH_ID.fullmatch(text):
        return text
    if not _BATCH_START.fullmatch(text):
        return None
    start = ledger.layout.key("batches", "")
    listed = await ledger.store.list(f"{start}{text}")
    names = {one.key.removeprefix(start).partition("/")[0] for one in listed} | set(known)
    found = {name for name in names if name.startswith(text) and BATCH_ID.fullmatch(name)}
    return _only(found, text, "batches")


async def existing_batch(ledger: Ledger, given: str, *, known: Iterable[str] = ()) -> str:
    """As `find_batch`, for what must be a batch.

    Raises:
        NotInArchive: it is not a batch.
        InputError: several ids start like this.
    """
    if (whole := await find_batch(ledger, given, known=known)) is None:
        raise no_such_batch(ledger, given)
    return whole


def no_such_batch(ledger: Ledger, given: str, *, nor_film: bool = False) -> NotInArchive:
    place = ledger.store.uri(ledger.layout.key(*(() if nor_film else ("batches",)), ""))
    what = "no batch and no film" if nor_film else "no batch"
    return NotInArchive(f"There is {what} {printable(given, 60)!r} under {place}.", place=place)


async def find_film(ledger: Ledger, given: str) -> FilmRecord | None:
    """The film whose id `given` is or starts; None if there is none.

    Raises:
        InputError: several ids start like this, or a video's id does, too.
        ArchiveError: its record is not what this project wrote.
    """
    text = given.strip().lower()
    if not _HEX.fullmatch(text):
        return None
    start = ledger.layout.key("films", "")
    names = {
        one.key.removeprefix(start).removesuffix("/film.json")
        for one in await ledger.store.list(f"{start}{text}")
        if one.key.endswith("/film.json")
    }
    whole = _only({name for name in names if is_video_id(name)}, text, "films")
    if whole is None:
        return None
    if whole != text and await _beginning(ledger, text) is not None:
        raise InputError(f"The ids of a film and a video start with {text}: give more digits.")
    return await ledger.films.read(whole)


async def find_either(ledger: Ledger, given: str) -> tuple[str | None, str | None]:
    """The id of a batch or of a video: one of the two.

    Raises:
        NotInArchive: it is neither.
        InputError: several ids start like this.
    """
    if (batch := await find_batch(ledger, given)) is not None:
        return batch, None
    if (video := await _video(ledger, given)) is None:
        raise _no_such(ledger, given, "no video and no batch")
    return None, video


async def _beginning(ledger: Ledger, beginning: str) -> str | None:
    """The only id that starts like this."""
    found: set[str] = set()
    for folder in ("records", "inflight"):
        start = ledger.layout.key(folder, "")
        for stored in await ledger.store.list(f"{start}{beginning}"):
            if ledger.layout.is_own(folder, stored.key):
                found.add(stored.key.removeprefix(start)[:24])
    return _only(found, beginning, "videos")


def _only(found: set[str], beginning: str, what: str) -> str | None:
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise InputError(
            f"{len(found)} {what} start with {beginning}: {some}{' …' if len(found) > 5 else ''}."
        )
    return found.pop() if found else None


async def _of_key(ledger: Ledger, text: str) -> str | None:
    """The video of a key or address: every file's name contains the id."""
    for video in reversed(_IN_A_KEY.findall(text)):
        if is_video_id(video) and await _is_known(ledger, video):
            return str(video)
    return None


async def _is_known(ledger: Ledger, video: str) -> bool:
    if await ledger.store.head(ledger.layout.record(video)) is not None:
        return True
    return await ledger.store.head(ledger.layout.claim(video)) is not None


async def _of_job(ledger: Ledger, job: str) -> str | None:
    found = (await survey(ledger, lambda: _OfJob(job))).found
    return _only(found.videos, printable(job, 60), "videos")


class _OfJob:
    """The videos of one job."""

    def __init__(self, job: str) -> None:
        self._job = job
        self.videos: set[str] = set()

    def add(self, entry: Entry) -> None:
        if entry.job == self._job:
            self.videos.add(entry.id)
