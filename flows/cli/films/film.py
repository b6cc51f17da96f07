"""`together-video film`: make the shots of a storyboard, and join them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from prefect_together_video.flows.cli.films.plan_table import check_storyboard
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import ConfirmOptions, PlaceOptions, RunOptions
from prefect_together_video.flows.cli.preamble import begin, needs_prefect
from prefect_together_video.flows.cli.screen.output import Output, copied_to
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError, VideoError
from together_video.film.plan import FilmPlan
from together_video.film.reading import read_storyboard
from together_video.film.summary import FilmOutcome, FilmSummary
from together_video.text import one_line

if TYPE_CHECKING:
    from prefect_together_video.flows.cli.generate import Run
    from together_video.film.recut import Recut

_RETAKE = re.compile(r"([0-9]{1,4})(?::([0-9]{1,5}))?")
_RETAKE_HELP = (
    "Also make the next take of this shot, such as 3; 3:4 makes take 4. To put it into the film, set `use: 4` in the "
    "storyboard. May be repeated."
)
_REVIEW_HELP = (
    "A file of marks from the film's gallery, or the film's id for the marks in the archive. Starred takes go into the "
    "film; a shot gets another take if its take in the film is rejected."
)


def film(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    check: Annotated[bool, Parameter(negative=())] = False,
    retake: Annotated[list[str] | None, Parameter(negative=(), help=_RETAKE_HELP)] = None,
    from_review: Annotated[str | None, Parameter(help=_REVIEW_HELP)] = None,
    save_storyboard: GivenPath | None = None,
    output: Annotated[GivenPath | None, Parameter(name=("--output", "--out", "-o"))] = None,
    in_flight: Annotated[int, Parameter(help=MEANING["in_flight"])] = 20,
    confirm: ConfirmOptions = ConfirmOptions(),  # noqa: B008 - frozen
    run: RunOptions = RunOptions(),  # noqa: B008 - frozen
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Make the shots of a storyboard and join them into one film. Shots that are already paid for are reused: after an
    edit, only changed shots and those that continue from them are bought.

    Parameters
    ----------
    file
        The storyboard, a YAML or JSON file; - is standard input.
    check
        Print the problems and the price of the storyboard. Nothing is sent.
    save_storyboard
        With --from-review: write the storyboard with these takes to this YAML file, which can be the storyboard itself.
    output
        Write a copy of the film to this file, such as film.mp4, or folder. Existing files are not overwritten.
    """
    if save_storyboard is not None and from_review is None:
        raise InputError(
            "--save-storyboard needs --from-review: without a review the storyboard does not change."
        )
    if from_review == "-" and file == "-":
        raise InputError("Only one of the storyboard and the marks can come from standard input.")
    if check:
        if from_review is not None:
            raise InputError("--check does not read marks: leave out --from-review, or use --dry-run.")
        return check_storyboard(file, strict=run.strict, as_json=place.json)
    if not 1 <= in_flight <= 1000:
        raise InputError("--in-flight must be between 1 and 1000.")
    storyboard = read_storyboard(file)
    # Before Prefect is imported, which takes seconds.
    FilmPlan.of(storyboard, strict=run.strict).refuse_errors()
    parameters = {**run.parameters(), "in_flight": in_flight}
    retakes, recut, kept, before = _retakes(retake or ()), None, None, storyboard
    if from_review is not None:
        from prefect_together_video.flows.cli.films import film_review

        kept = film_review.checked_storyboard_file(save_storyboard, file)
        recut = film_review.recut_of(from_review, storyboard, run, place)
        if kept is not None:
            # If it cannot be written, fail before anything is bought.
            film_review.text_to_save(kept, file, recut)
        storyboard, retakes = recut.storyboard, {**recut.retakes, **retakes}
    parameters |= {"storyboard": storyboard, "retakes": retakes or None}
    copy = None if output is None or confirm.dry_run else Output.of(output, takes_file=True)
    prefect = needs_prefect(place)
    with shutdown.when_done():
        terminal = begin(place, prefect=prefect)
        from prefect_together_video.flows.cli.films.film_confirmation import FilmConfirmation

        # If the run got the file in place of a large storyboard, it would not know the other takes.
        made = _recorded("-" if recut is not None and recut.uses else file) if prefect else _unrecorded()
    asking = FilmConfirmation.of(confirm, place, terminal, brief=False)
    code, summary = made(parameters, place, terminal, asking=asking)
    if not isinstance(summary, FilmSummary):
        return code
    if summary.film is not None and copy is not None:
        try:
            path = asyncio.run(copied_to(_path_of(summary.film, copy), summary.film, place))
            summary = summary.model_copy(update={"film": summary.film.model_copy(update={"file": str(path)})})
        except VideoError as error:
            terminal.complain(error.message)
            code = code or 1
    _show(summary, terminal, recut, as_json=place.json)
    if recut is not None and kept is not None:
        if not film_review.save_storyboard(kept, file, before, recut, terminal):
            code = code or 1
    elif recut is not None and recut.uses:
        film_review.remind(file, recut, terminal)
    return code


def _path_of(made: FilmOutcome, copy: Output) -> Any:
    return copy.file or copy.folder / made.key.rpartition("/")[2]


def _show(summary: FilmSummary, terminal: Terminal, recut: Recut | None, *, as_json: bool) -> None:
    if as_json:
        uses = {} if recut is None else {"uses": {str(shot): take for shot, take in recut.uses.items()}}
        terminal.document({**summary.as_json(), **uses})
        return
    terminal.table(summary)
    for one in summary.retakes:
        words = (
            f"{one.uri or 'is not in the archive'}; use: {one.take} in the storyboard puts it into the film"
        )
        terminal.link(f"Take {one.take} of shot {one.shot}", words)
    if summary.film is not None:
        for note in summary.film.notes:
            terminal.link("Note", note)
        terminal.link("Film", summary.film.uri)
        if summary.film.file is not None:
            terminal.link("Copy", summary.film.file)


def _retakes(given: Sequence[str]) -> dict[int, int | None]:
    """Raises InputError: one does not name a shot."""
    found: dict[int, int | None] = {}
    for text in given:
        match = _RETAKE.fullmatch(text.strip())
        if match is None:
            raise InputError(
                f"--retake takes the number of a shot, such as 3 or 3:2, not {one_line(text, 40)!r}."
            )
        found[int(match[1])] = None if match[2] is None else int(match[2])
    return found


def _recorded(file: str) -> Run:
    """Run the flow with Prefect. A storyboard that is too large for its server is passed as the name of its file."""
    from prefect_together_video.flows.cli.running import run_flow
    from prefect_together_video.flows.film import generate_film

    reference = None if file == "-" else {"file": str(Path(file).absolute())}
    return partial(run_flow, generate_film, reference=reference)


def _unrecorded() -> Run:
    """Run the work of the flow without importing Prefect."""
    from prefect_together_video.flows.cli.execution import run_without_prefect
    from prefect_together_video.flows.engine.film_run import make_film

    return partial(run_without_prefect, make_film)
