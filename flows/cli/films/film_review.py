"""`film --from-review`: read the takes that a review asks for before anything is bought, and write them into the
storyboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prefect_together_video.flows.cli.finding.looking import opened_archive
from prefect_together_video.flows.cli.finding.redo import is_readable
from prefect_together_video.flows.cli.finding.review import marks_of_file
from prefect_together_video.flows.cli.given_path import refuse_unreadable
from prefect_together_video.flows.cli.options import PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import begin
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.written_files import checked_file, write_file
from together_video.errors import InputError, NotInArchive
from together_video.film.reading import read_storyboard, storyboard_text
from together_video.film.recut import Recut
from together_video.film.storyboard import Storyboard
from together_video.film.text_edits import text_with_takes
from together_video.film.yaml_text import storyboard_yaml
from together_video.ledger.reviews import Mark
from together_video.text import counted, printable

if TYPE_CHECKING:
    from prefect_together_video.blocks.ledger.ledger import Ledger
    from prefect_together_video.flows.engine.film_marks import ReviewedFilm


def recut_of(review: str, storyboard: Storyboard, run: RunOptions, place: PlaceOptions) -> Recut:
    """Read the takes that the marks in a file, or a film's marks in the archive, ask for, and print them.

    Raises:
        InputError: there is no such file or film, or a marked clip is not in the archive.
    """
    marks = marks_of_file(review) if review == "-" or is_readable(Path(review)) else None
    if marks is None and ("/" in review or review.lower().endswith(".json")):
        # A film never has such a name: fail before opening the archive.
        refuse_unreadable(Path(review).expanduser())
    terminal = begin(place, prefect=place.archive is not None)
    found = asyncio.run(_read(review, marks, storyboard, run, place))
    if found.unknown:
        some = ", ".join(found.unknown[:5])
        raise InputError(
            f"{counted(len(found.unknown), 'marked clip')} not in this archive: {some}. Nothing was bought."
        )
    _say(found, terminal)
    return found.recut


async def _read(
    review: str, marks: Sequence[Mark] | None, storyboard: Storyboard, run: RunOptions, place: PlaceOptions
) -> ReviewedFilm:
    from prefect_together_video.flows.engine.film_board import FilmBoard
    from prefect_together_video.flows.engine.film_marks import reviewed
    from prefect_together_video.tasks.session.planning import edition_now
    from prefect_together_video.tasks.session.terms import Terms

    board = await FilmBoard.of(
        storyboard,
        edition=edition_now(run.edition),
        terms=Terms(run.tries(), strict=run.strict),
        needs_price=False,
        local_files=True,
    )
    async with opened_archive(place) as ledger:
        asked = await _marks_of_archive(ledger, review) if marks is None else marks
        return await reviewed(board, ledger, asked)


async def _marks_of_archive(ledger: Ledger, film: str) -> Sequence[Mark]:
    from prefect_together_video.blocks.ledger.finding import find_film
    from prefect_together_video.flows.engine.film_marks import marks_of_film

    if (record := await find_film(ledger, film)) is None:
        place = ledger.store.uri(ledger.layout.key("films", ""))
        words = f"{printable(film, 100)!r} is neither a file nor a film under {place}."
        raise NotInArchive(words, place=place)
    return await marks_of_film(ledger, record)


def _say(found: ReviewedFilm, terminal: Terminal) -> None:
    lines = list(found.recut.lines)
    if not found.recut.uses and not found.recut.retakes:
        terminal.say("These marks do not ask for another take.")
    elif lines:
        terminal.say("The review asks for:")
    for line in lines:
        terminal.say(f"  {line}")
    if found.elsewhere:
        clips = counted(found.elsewhere, "marked clip is", "marked clips are")
        terminal.say(f"{clips} not a take of a shot in the current storyboard.")


def checked_storyboard_file(path: Path | None, file: str) -> Path | None:
    """The file to write the storyboard to.

    Raises:
        InputError: it cannot be written there.
    """
    found = checked_file(path, "--save-storyboard")
    if found is None:
        return None
    # Write to the target of a link, and keep the link.
    found, source = found.resolve(), Path(file)
    endings = {".yaml", ".yml"} | ({source.suffix.lower()} if _is_same(found, source) else set())
    if found.suffix.lower() not in endings:
        raise InputError(
            f"--save-storyboard {path}: storyboards are written as YAML. Use a name that ends in .yaml."
        )
    if found.exists() and not _is_same(found, source) and _storyboard_now(found) is None:
        raise InputError(f"--save-storyboard {path} exists and is not a storyboard. Name another file.")
    return found


def text_to_save(path: Path, file: str, recut: Recut) -> str:
    """The storyboard with the takes of the review. In its own folder, only the takes change in its text, if possible.
    Otherwise it is written as the command `storyboard` writes it.

    Raises:
        InputError: it cannot be read, or cannot be written in the format that the file's name asks for.
    """
    text = None
    if file != "-" and Path(file).resolve().parent == path.parent:
        said, form = storyboard_text(file)
        is_form = path.suffix.lower() in ({".json"} if form == "json" else {".yaml", ".yml"})
        text = text_with_takes(said, form, recut.uses) if is_form else None
    if text is None and path.suffix.lower() == ".json":
        raise InputError(
            f"--save-storyboard: cannot change only the takes in {path.name}. Name a .yaml file."
        )
    return storyboard_yaml(recut.storyboard) if text is None else text


def save_storyboard(path: Path, file: str, before: Storyboard, recut: Recut, terminal: Terminal) -> bool:
    """Write `text_to_save`, unless the storyboard has changed since it was read `before`: its shots may have other
    numbers now. In that case say so, and return False.

    Raises:
        InputError: it cannot be written.
    """
    if file != "-" and _storyboard_now(Path(file)) != before:
        terminal.complain(f"{printable(file, 200)} was changed during the run, so it is not overwritten.")
        remind(file, recut, terminal)
        return False
    write_file(path, text_to_save(path, file, recut), terminal)
    return True


def remind(file: str, recut: Recut, terminal: Terminal) -> None:
    """Remind the user that the storyboard does not contain the takes of the film yet."""
    uses = ", ".join(f"`use: {take}` into shot {number}" for number, take in sorted(recut.uses.items()))
    name = "the storyboard" if file == "-" else printable(file, 200)
    terminal.say(f"To keep this cut, write {uses} of {name}, or add --save-storyboard FILE.yaml.")


def _storyboard_now(path: Path) -> Storyboard | None:
    """The storyboard that the file contains now; None if it does not contain one."""
    try:
        return read_storyboard(path)
    except InputError:
        return None


def _is_same(path: Path, source: Path) -> bool:
    try:
        return path.samefile(source)
    except OSError:
        return False
