"""After the shots are made: the film, joined or found, and the summary of its run."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Sequence

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.film_clips import fetch_clips
from prefect_together_video.flows.engine.film_sounds import Sounds
from prefect_together_video.flows.engine.shots import MadeShot, clip_of
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps.join_film import FilmJob, check_room, join_film
from together_video.errors import FilmError, VideoError
from together_video.film.cutting import cut_of, film_id
from together_video.film.plan import FilmPlan
from together_video.film.record import FilmRecord, FilmShot
from together_video.film.summary import FilmOutcome, FilmSummary, Retake, ShownShot
from together_video.ledger.summary import GOOD
from together_video.temporary_folders import temporary_folder

#: How often progress is shown, in percent of the film's frames.
_PERCENT = 10


async def film_of(
    plan: FilmPlan, made: Sequence[MadeShot], again: Sequence[MadeShot], ledger: Ledger, sounds: Sounds
) -> FilmSummary:
    """The shots that exist, and the film if all of them do."""
    summary = FilmSummary(
        videos=tuple(one.outcome for one in _once([*made, *again])),
        shots=tuple(
            ShownShot(shot=one.number, title=plan.shot(one.number).title, take=one.take, id=one.outcome.id)
            for one in made
        ),
        retakes=tuple(
            Retake(shot=one.number, take=one.take, id=one.outcome.id, uri=one.outcome.uri) for one in again
        ),
    )
    missing = [one.number for one in made if one.outcome.state not in GOOD]
    if missing:
        words = ", ".join(map(str, missing))
        verb = "is" if len(missing) == 1 else "are"
        return summary.model_copy(
            update={"problem": f"shot{'s' if len(missing) > 1 else ''} {words} {verb} not in the archive"}
        )
    try:
        record, is_new = await _joined(plan, made, ledger, sounds)
    except VideoError as error:
        return summary.model_copy(update={"problem": error.message, "may_pass": error.may_pass})
    film = FilmOutcome(
        id=record.id,
        title=record.title,
        key=record.video.key,
        uri=ledger.store.uri(record.video.key),
        poster=None if record.poster is None else record.poster.key,
        sha256=record.video.sha256,
        size=record.video.size,
        seconds=record.seconds,
        width=record.width,
        height=record.height,
        cost_usd=record.cost_usd,
        is_new=is_new,
        words=record.sentence,
        notes=record.notes,
    )
    return summary.model_copy(update={"film": film})


async def _joined(
    plan: FilmPlan, made: Sequence[MadeShot], ledger: Ledger, sounds: Sounds
) -> tuple[FilmRecord, bool]:
    """The film of these shots, and whether this run made it.

    Raises:
        FilmError: it cannot be joined.
        ArchiveError: the archive cannot be read or written.
    """
    clips = {one.number: clip_of(one.outcome) for one in made}
    with temporary_folder("film") as folder:
        cut = cut_of(plan, {number: clip.sha256 for number, clip in clips.items()}, sounds.digests)
        film = film_id(cut)
        record = await ledger.films.read(film)
        if record is not None and await _is_there(record, ledger):
            return record, False
        await check_room(list(clips.values()), folder)
        happens(Phase("Copying the shots from the archive"))
        named = [(f"shot {number}: {plan.shot(number).title}", clip) for number, clip in clips.items()]
        paths = await fetch_clips(named, folder, ledger)
        shots = [
            FilmShot(
                number=one.number,
                title=plan.shot(one.number).title,
                id=one.outcome.id,
                take=one.take,
                key=clips[one.number].key,
                sha256=clips[one.number].sha256,
                cost_usd=one.outcome.cost_usd,
                first_frame=one.given.first_frame,
                clip_before=one.given.clip_before,
                start=0,
                seconds=0,
                encoded=0,
            )
            for one in made
        ]
        files = {number: paths[clip.sha256] for number, clip in clips.items()}
        job = FilmJob(film, cut, plan, shots, files, sounds.paths)
        record = await step(join_film, job, folder, ledger, _Joining())
        if not await _is_there(record, ledger):
            gone, known = ledger.store.uri(record.video.key), ledger.layout.film(film, "film.json")
            raise FilmError(
                f"{gone} is gone from the archive, and joining the shots again makes a film with other bytes.",
                remedy=f"Restore it, or remove {ledger.store.uri(known)} and run again: the shots are in the archive.",
            )
        return record, True


async def _is_there(record: FilmRecord, ledger: Ledger) -> bool:
    """Whether the film's file is in the archive, by its size and by the checksum that the store knows."""
    head = await ledger.store.head(record.video.key)
    return head is not None and head.size == record.video.size and head.sha256 in {None, record.video.sha256}


class _Joining:
    """Shows the progress of the film, no more often than people read. Called from another thread."""

    def __init__(self) -> None:
        self._loop, self._context = asyncio.get_running_loop(), contextvars.copy_context()
        self._said = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total // _PERCENT * _PERCENT if total else 0
        if percent > self._said:
            self._said = percent
            words = f"Joining the film: {percent} %" if percent else "Joining the film"
            self._loop.call_soon_threadsafe(happens, Phase(words), context=self._context)


def _once(made: Sequence[MadeShot]) -> list[MadeShot]:
    """Each clip once: a clip that the film shows twice is bought once."""
    return list({one.outcome.id: one for one in reversed(made)}.values())[::-1]
