"""`together-video storyboard`: write a storyboard from a brief, for editing, or check one."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from prefect_together_video.flows.cli.films.plan_table import check_storyboard, plan_document, show_plan
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import of_field
from prefect_together_video.flows.cli.preamble import prepare
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.written_files import checked_file, write_file
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError
from together_video.film.plan import FilmPlan
from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief, make_story_brief
from together_video.film.writing.writing import StoryWriting
from together_video.film.yaml_text import storyboard_yaml
from together_video.inputs.presets import make_presets
from together_video.ledger.settings import archive_if_named
from together_video.text import clock, counted, one_line

if TYPE_CHECKING:
    from together_video.film.writing.sets import WrittenStoryboard


def storyboard(
    *,
    brief: str | None = None,
    check: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    shots: Annotated[int | None, of_field(StoryBrief, "shots")] = None,
    seconds: Annotated[float | None, of_field(StoryBrief, "seconds")] = None,
    style: Annotated[str | None, of_field(StoryBrief, "style")] = None,
    language: Annotated[str | None, of_field(StoryBrief, "language")] = None,
    model: Annotated[str | None, of_field(StoryBrief, "model")] = None,
    aspect: str | None = None,
    chat_model: Annotated[str | None, of_field(StoryBrief, "chat_model")] = None,
    edition: Annotated[str, Parameter(help=MEANING["edition"])] = "once",
    output: Annotated[GivenPath | None, Parameter(name=("--output", "-o"))] = None,
    archive_folder: GivenPath | None = None,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Write a film's storyboard from a --brief, as YAML that you can edit, or --check one. No video is made.

    The storyboard is kept in the archive, if there is one: the same brief gives the same storyboard, free of charge.

    Parameters
    ----------
    brief
        What the film is about.
    check
        Print the shots, problems, length and price of this storyboard file. Nothing is sent.
    aspect
        Shape of the picture, such as 9:16.
    output
        Write it to this .yaml file, which is replaced, instead of printing it.
    archive_folder
        Keep it in this folder instead of the archive that the environment names.
    strict
        With --check: treat warnings as errors.
    json_
        Print one JSON document on stdout and nothing else.
    """
    if (brief is None) == (check is None):
        raise InputError("Give either --brief TEXT, to write a storyboard, or --check FILE.")
    if check is not None:
        given = {
            "shots": shots,
            "seconds": seconds,
            "style": style,
            "language": language,
            "model": model,
            "aspect": aspect,
            "chat-model": chat_model,
            "output": output,
            "archive-folder": archive_folder,
        }
        if idle := [f"--{name}" for name, value in given.items() if value is not None]:
            raise InputError(f"{' and '.join(idle)} only work with --brief: --check changes nothing.")
        return check_storyboard(check, strict=strict, as_json=json_)
    wanted = make_story_brief(
        {
            name: value
            for name, value in {
                "subject": brief,
                "shots": shots,
                "seconds": seconds,
                "style": style,
                "language": language,
                "model": model,
                "chat_model": chat_model,
            }.items()
            if value is not None
        }
    )
    # If it cannot be written, fail before anything is sent.
    writing = StoryWriting(wanted)
    make_presets({} if aspect is None else {"aspect": aspect})
    file = checked_file(output, "--output")
    if file is not None and file.suffix.lower() not in {".yaml", ".yml"}:
        raise InputError(f"--output {output}: storyboards are written as YAML. Name it {file.stem}.yaml.")
    terminal = Terminal(quiet=json_)
    with terminal.waiting(f"Writing {counted(len(writing.lengths), 'shot')} with the chat model …"):
        written = _write(wanted, edition, archive_folder, terminal)
    made = _with_aspect(written.storyboard, aspect)
    plan = FilmPlan.of(made)
    if json_:
        terminal.document(
            {"storyboard": made.model_dump(mode="json", exclude_defaults=True), **_about(written, plan)}
        )
        return 0
    text = storyboard_yaml(made, head=_head(written, output), comments=_comments(plan))
    if file is None:
        terminal.out.file.write(text)
        return 0
    write_file(file, text, terminal)
    show_plan(plan, Console(highlight=False, emoji=False, stderr=True))
    return 0


def _with_aspect(made: Storyboard, aspect: str | None) -> Storyboard:
    """The shape is a setting of the film and not part of the brief, so the brief stays the same."""
    if aspect is None:
        return made
    return made.model_copy(update={"defaults": {**made.defaults, "aspect": aspect}})


def _write(brief: StoryBrief, edition: str, folder: Path | None, terminal: Terminal) -> WrittenStoryboard:
    # These import httpx, which takes a while.
    from prefect_together_video.blocks.ledger.opened import ledger_of
    from prefect_together_video.flows.cli.execution import warnings_shown
    from prefect_together_video.tasks.running.runs import step
    from prefect_together_video.tasks.session.planning import edition_now
    from prefect_together_video.tasks.steps.storyboards import write_storyboard
    from together_video.api.from_env import client_from_env
    from together_video.api.settings import api_from_env

    api_from_env()  # report a missing key first
    prepare(terminal, prefect=False)
    place = archive_if_named(folder)
    if place is None:
        terminal.note("There is no archive to keep the storyboard in: each call writes another one.")

    async def write() -> WrittenStoryboard:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(client_from_env())
            ledger = None if place is None else await stack.enter_async_context(ledger_of(place))
            if ledger is not None:
                await ledger.check()
            return await step(write_storyboard, brief, edition_now(edition), client, ledger)

    with warnings_shown(terminal):
        return asyncio.run(write())


def _head(written: WrittenStoryboard, file: Path | None) -> list[str]:
    name = shlex.quote(str(file)) if file is not None else "FILE"
    return [
        f"By {written.chat_model}, for the brief: {one_line(written.brief.subject, 70)}",
        "Each prompt describes its people and places again, because the video model sees one shot at a time:",
        "if you change a description, change it in all shots.",
        "",
        f"together-video storyboard --check {name}   # shots, problems, length and price; sends nothing",
        f"together-video film {name}   # makes the film",
        "",
    ]


def _comments(plan: FilmPlan) -> dict[int, str]:
    """For each shot, when it begins in the film and what it continues from."""
    comments: dict[int, str] = {}
    begins: Decimal | None = Decimal(0)
    for one in plan.shots:
        said = f"Shot {one.number}"
        if begins is not None:
            said += f", at {clock(begins)}"
            begins = None if one.seconds is None else begins + one.seconds
        if one.shot.continues:
            said += f": continues from the last frame of shot {one.number - 1}"
        comments[one.number] = said
    return comments


def _about(written: WrittenStoryboard, plan: FilmPlan) -> dict[str, Any]:
    return {
        "plan": plan_document(plan),
        "chat_model": written.chat_model,
        "brief": written.brief.model_dump(mode="json", exclude_none=True),
        "brief_id": written.id,
    }
