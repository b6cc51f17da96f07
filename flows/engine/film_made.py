"""The film of a storyboard, if it was made."""

from __future__ import annotations

from pathlib import Path

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.flows.engine.film_board import FilmBoard
from prefect_together_video.flows.engine.film_sounds import sounds_at_hand
from prefect_together_video.flows.engine.shots import foresee_shots
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.session.terms import Terms, tries_of
from together_video.errors import NotInArchive
from together_video.film.cutting import cut_of, film_id
from together_video.film.reading import read_storyboard
from together_video.film.record import FilmRecord
from together_video.network.trusted_hosts import TrustedHosts
from together_video.text import counted, printable


async def film_of_storyboard(file: Path, ledger: Ledger) -> FilmRecord:
    """Find the film; buy and join nothing.

    Raises:
        InputError: the storyboard cannot be used, or its film is not in the archive.
        ArchiveError: the archive cannot be read.
    """
    storyboard = read_storyboard(file)
    board = await FilmBoard.of(
        storyboard,
        edition="once",
        terms=Terms(tries_of(1, new_seed=False, fallback_models=None)),
        needs_price=False,
        local_files=True,
    )
    foreseen = await foresee_shots(await board.shots(ledger, {}), ledger, RunPolicy())
    clips = {one.number: one.clip.sha256 for one in foreseen if one.clip is not None}
    record = None
    if missing := [one.number for one in foreseen if one.clip is None]:
        some = ", ".join(map(str, missing[:10])) + (" …" if missing[10:] else "")
        why = f"{counted(len(missing), 'shot is', 'shots are')} not in the archive: {some}"
    else:
        trusted = TrustedHosts.from_env()
        async with sounds_at_hand(storyboard, ledger, trusted, trusts_requests=True) as sounds:
            record = await ledger.films.read(film_id(cut_of(board.plan, clips, sounds.digests)))
        why = "its shots are not joined yet"
    if record is None:
        place = ledger.store.uri(ledger.layout.key("films", ""))
        raise NotInArchive(
            f"There is no film of {printable(str(file), 200)} as it is now under {place}: {why}. To make it, run "
            "together-video film; together-video list --films lists the films in the archive.",
            place=place,
        )
    return record
