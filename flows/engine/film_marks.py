"""Marks on takes -> the next cut of a film: which mark belongs to which take of which shot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from prefect_together_video.blocks.ledger.film_takes import takes_of
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.film_board import FilmBoard
from prefect_together_video.flows.engine.shots import foresee_shots
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.film.record import FilmRecord
from together_video.film.recut import Recut, recut
from together_video.ledger.records import VideoRecord
from together_video.ledger.reviews import Mark

#: How many records are read at the same time.
_AT_ONCE = 16


@dataclass(frozen=True)
class ReviewedFilm:
    """What marks request; the ids of marked clips that the archive has no record of, and how many marked clips are not
    takes of this storyboard's shots.
    """

    recut: Recut
    unknown: list[str]
    elsewhere: int


async def marks_of_film(ledger: Ledger, film: FilmRecord) -> list[Mark]:
    """The marks of a film's takes in the archive.

    Raises:
        ArchiveError: the archive cannot be read.
    """
    ids = {one.record.id for one in await takes_of(ledger, film) if one.record is not None}
    return list((await ledger.reviews.of(ids)).values())


async def reviewed(board: FilmBoard, ledger: Ledger, marks: Iterable[Mark]) -> ReviewedFilm:
    """What these marks request. Nothing is bought.

    Raises:
        ArchiveError: the archive cannot be read.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(mark: Mark) -> VideoRecord | None:
        async with places:
            return await ledger.record(mark.id)

    meant = [mark for mark in marks if mark.mark is not None]
    records = await asyncio.gather(*map(read, meant))
    takes = {record.plan.take for record in records if record is not None}
    # A shot was never bought if the shot that it continues does not exist, so no mark belongs to it.
    shots = [
        one
        for one in await foresee_shots(await board.shots(ledger, {}), ledger, RunPolicy())
        if one.given is not None
    ]
    places_of: dict[str, list[int]] = {}
    for one in shots:
        for take in takes:
            asked = one.plan.model_copy(update={"take": take}).asked_id
            places_of.setdefault(asked, []).append(one.number)
    of_shots: dict[int, dict[int, Mark]] = {}
    elsewhere = 0
    for mark, record in zip(meant, records, strict=True):
        if record is None:
            continue
        numbers = places_of.get(record.plan.asked_id, [])
        elsewhere += not numbers
        if mark.mark == "star" and record.state != "archived":
            continue  # there is no clip to show
        for number in numbers:
            of_shots.setdefault(number, {})[record.plan.take] = mark
    unknown = [mark.id for mark, record in zip(meant, records, strict=True) if record is None]
    return ReviewedFilm(recut(board.plan, of_shots), unknown, elsewhere)
