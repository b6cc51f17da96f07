"""Public task: turn a brief into prompts, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.runtime import task_run

from prefect_together_video.tasks.public_steps import GivenArchive, GivenTogether, place_of
from prefect_together_video.tasks.running.public_task import task_pair
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.session.planning import edition_now
from prefect_together_video.tasks.steps.prompts import write_prompts
from together_video.catalogue import Catalogue
from together_video.errors import InputError, VideoError
from together_video.prompts import Brief, PromptSet, brief_id, make_brief
from together_video.prompts.limits import negative_limit, prompt_limit, refuse_promptless
from together_video.text import one_line


async def _prompts(
    brief: Brief | Mapping[str, Any] | str,
    *,
    model: str | None = None,
    edition: str = "once",
    together: GivenTogether = None,
    archive: GivenArchive = None,
) -> PromptSet:
    """Have a chat model write prompts, check them, and store them before the first one is used.

    Called again with the same brief and edition, it returns the stored prompts.

    Args:
        brief: a `Brief`, a mapping of its fields, or just its subject.
        model: the video model that the prompts are for, if the brief names none; by default the catalogue's default.
        edition: when an identical brief may get new prompts: once, daily, hourly, or a text of your own.
        together: a `TogetherCredentials` block or the name of a saved one; by default from the environment.
        archive: a `VideoArchive` block or the name of a saved one; by default from the environment.

    Returns:
        The set; its `prompts` are as many texts as the brief asks for.

    Raises:
        InputError: the brief cannot be used.
        PromptError: the chat model gave too few usable prompts.
        TogetherError, ArchiveError: the API or the archive refuses or does not answer.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import generate_prompts, make_video

        @flow
        def lighthouses():
            written = generate_prompts({"subject": "lighthouses of the north", "count": 2})
            return [future.result().uri for future in make_video.map(written.prompts)]
        ```
    """
    asked = _as_brief(brief)
    now = edition_now(edition)
    catalogue = Catalogue.load()
    chosen = asked.model or model
    known = catalogue.get(chosen) if chosen else catalogue.default_model
    refuse_promptless(known)
    async with place_of(together, archive) as place:
        session = place.session
        await session.check_store()

        async def write() -> PromptSet:
            given = (
                asked,
                now,
                prompt_limit(known),
                session.client,
                session.ledger,
                negative_limit(asked, known),
            )
            return await step(write_prompts, *given)

        return await session.prompts(brief_id(asked, now), write)


def _as_brief(given: object) -> Brief:
    if isinstance(given, Brief):
        return given
    if isinstance(given, str):
        given = {"subject": given}
    if not isinstance(given, Mapping):
        raise InputError(
            f"{one_line(repr(given), 60)} is not a brief: give a subject, a mapping of its fields, or a Brief."
        )
    return make_brief(given)


def _run_name() -> str:
    given = task_run.parameters.get("brief")
    try:
        return f"prompts: {_as_brief(given).subject}"
    except VideoError:
        return f"prompts: {one_line(str(given), 60)}"


generate_prompts, agenerate_prompts = task_pair(
    _prompts,
    names=("generate_prompts", "agenerate_prompts"),
    task_name="generate-prompts",
    description="Ask a chat model for prompts, check them, store them before use.",
    run_name=_run_name,
)
