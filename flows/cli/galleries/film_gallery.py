"""The contents of a film's gallery: the film, and the takes of its shots in order."""

from __future__ import annotations

import logging
from pathlib import Path

from prefect_together_video.blocks.ledger.film_takes import ShotTake, takes_of
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.cli.galleries.chosen import Chosen
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.film.record import FilmRecord
from together_video.gallery import About, GalleryRow, marked
from together_video.gallery.film import LARGEST_CAPTIONS, FilmView, InFilm
from together_video.ledger.place import ArchivePlace
from together_video.ledger.summary import VideoOutcome, VideoState

_log = logging.getLogger("together_video")

#: States of records, and how the page shows them.
_ENDED = {"archived": VideoState.ARCHIVED, "failed": VideoState.FAILED}


async def choose_film(ledger: Ledger, film: FilmRecord, *, storyboard: Path | None = None) -> Chosen:
    """The takes of a film, with their marks. `storyboard` is the film's file on this machine, if it was given. Commands
    on the page name it; without it, they name the copy that the page links to.

    Raises:
        ArchiveError: the archive cannot be read.
    """
    # A purchase that was closed without a clip is not a take.
    takes = [one for one in await takes_of(ledger, film) if one.record is None or one.record.state in _ENDED]
    marks = await ledger.reviews.of({one.record.id if one.record else one.shot.id for one in takes})
    rows = [marked(_row(one, ledger.place), marks) for one in takes]
    numbers: dict[int, list[int]] = {}
    for one in takes:
        numbers.setdefault(one.shot.number, []).append(one.take)
    name = film.storyboard.key.rpartition("/")[2] if storyboard is None else storyboard.name
    view = FilmView(film, numbers, await _captions(ledger, film), name)
    about = About(batch_id=film.id, title=film.title, made_at=film.made_at)
    return Chosen(film.id, film.title, rows, about, view)


def _row(one: ShotTake, place: ArchivePlace) -> GalleryRow:
    here = InFilm(shot=one.shot.number, take=one.take, is_used=one.is_used)
    if one.record is not None:
        outcome = VideoOutcome.of_record(one.record, _ENDED[one.record.state], place=place)
        return GalleryRow(outcome=outcome, record=one.record, in_film=here)
    if one.claim is not None:
        outcome = VideoOutcome.of_plan(one.claim.plan, VideoState.SUBMITTED)
        return GalleryRow(outcome=outcome, plan=one.claim.plan, in_film=here)
    shot = one.shot
    outcome = VideoOutcome(
        id=shot.id,
        state=VideoState.ARCHIVED,
        prompt=shot.title,
        model="",
        bucket=place.bucket,
        key=shot.key,
        uri=place.uri(shot.key),
        sha256=shot.sha256,
        cost_usd=shot.cost_usd,
    )
    return GalleryRow(outcome=outcome, in_film=here)


async def _captions(ledger: Ledger, film: FilmRecord) -> bytes:
    """The captions of the film. Empty if they cannot be read: the page is made without them."""
    if film.captions is None or film.captions.size > LARGEST_CAPTIONS:
        return b""
    try:
        stored = await ledger.store.get(film.captions.key)
    except StoreUnavailable:
        raise
    except ArchiveError as error:
        _log.warning("%s", error)
        return b""
    data = b"" if stored is None else stored.data
    return data if data.startswith(b"WEBVTT") and len(data) <= LARGEST_CAPTIONS else b""
