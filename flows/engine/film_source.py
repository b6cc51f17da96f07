"""Which film to make, from a storyboard, a brief or a file."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from prefect_together_video.flows.engine.pipeline import Pipeline
from prefect_together_video.flows.reporting.happenings import Phase, happens
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.steps.storyboards import write_storyboard
from together_video.errors import InputError
from together_video.film.reading import read_storyboard, with_defaults
from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief
from together_video.film.writing.writing import StoryWriting
from together_video.prompts import refuse_placeholder


def film_source(
    storyboard: Storyboard | None,
    brief: StoryBrief | None,
    file: str | None,
    settings: Mapping[str, JsonValue] | None,
    *,
    local_files: bool,
) -> Storyboard | StoryBrief:
    """The storyboard, or the brief that one is written for. Calls no server.

    Raises:
        InputError: not exactly one of the three is given, or it cannot be used.
    """
    if sum(given is not None for given in (storyboard, brief, file)) != 1:
        raise InputError("Give one of storyboard, brief or file. Nothing was bought.")
    if settings and brief is None:
        raise InputError(
            "settings belong to a brief: a storyboard has its own, under defaults. Nothing was bought."
        )
    if brief is not None:
        refuse_placeholder(brief.as_brief())
        # What cannot be written is reported before the chat model is called.
        StoryWriting(brief)
        return brief
    if file is not None:
        if not local_files:
            raise InputError(
                "This run may not read files of the machine that makes the film. Give a storyboard."
            )
        return read_storyboard(file)
    assert storyboard is not None  # noqa: S101 - one of the three is given
    return storyboard


async def written_film(
    source: Storyboard | StoryBrief,
    settings: Mapping[str, JsonValue] | None,
    edition: str,
    pipeline: Pipeline,
) -> Storyboard:
    """The storyboard. For a brief it is newly written, or the one that was written before.

    Args:
        settings: request fields for every shot, unless the brief's storyboard sets them itself.

    Raises:
        VideoError: see `write_storyboard`, or the settings cannot be used.
    """
    if isinstance(source, Storyboard):
        return source
    happens(Phase("Writing the storyboard with the chat model"))
    written = await step(write_storyboard, source, edition, pipeline.client, pipeline.ledger)
    return with_defaults(written.storyboard, settings or {})
