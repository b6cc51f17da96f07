"""Flow: a storyboard -> shots, chained where they continue each other -> one film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.film_run import make_film
from prefect_together_video.flows.forms.film import FILM_FORM, asks, film_from_form
from prefect_together_video.flows.forms.form import shown_as
from prefect_together_video.flows.forms.groups import FilmMore
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Approve,
    ApproveHours,
    Archive,
    Attempts,
    Budget,
    Edition,
    FallbackModels,
    InFlight,
    LocalFiles,
    NewSeed,
    Polling,
    Price,
    RetryFailed,
    Settings,
    Strict,
    Together,
    documented,
)
from prefect_together_video.flows.reporting.results import refused
from prefect_together_video.flows.reporting.run_names import film_name
from prefect_together_video.flows.server.parameter_size import refusing_too_large
from together_video.errors import InputError, VideoError
from together_video.film.events import read_film_event
from together_video.film.shots import Shot
from together_video.film.storyboard import Cut, Look, Storyboard
from together_video.film.summary import FilmSummary
from together_video.film.writing.briefs import StoryBrief


def _run_name() -> str:
    """Runs before anything is read or written. The run is renamed once its storyboard is known."""
    given = flow_run.parameters
    if isinstance(title := given.get("title"), str) and title.strip():
        return film_name(title)
    for name, field in (("storyboard", "title"), ("brief", "subject")):
        one = given.get(name)
        text = one.get(field) if isinstance(one, Mapping) else getattr(one, field, None)
        if isinstance(text, str):
            return film_name(text)
    return "film of an event" if given.get("payload") else "film"


@refusing_too_large(
    "Save the storyboard as a file on the machine that runs the flow, and pass its path as the parameter file."
)
@shown_as(*FILM_FORM)
@flow(
    name="generate-film",
    description="Make the shots of a storyboard and join them into one film. Shots that are paid for are reused.",
    flow_run_name=_run_name,
)
@documented(FilmSummary)
async def generate_film(
    storyboard: Annotated[
        Storyboard | None, Field(description="The shots, and how they become one film.")
    ] = None,
    brief: Annotated[
        StoryBrief | None,
        Field(description="Instead of a storyboard: what the film is about; a chat model writes the shots."),
    ] = None,
    file: Annotated[
        str | None,
        Field(description="Instead of a storyboard: a YAML or JSON file on the machine that runs this."),
    ] = None,
    settings: Annotated[
        Settings | None,
        Field(description="Request fields for every shot of the storyboard that the brief leads to."),
    ] = None,
    retakes: Annotated[
        dict[int, int | None] | None,
        Field(
            description="Shots to make another take of as well: the number of the shot, and the number of the "
            "take, or null for the one after the take that the film uses."
        ),
    ] = None,
    edition: Edition = "once",
    in_flight: InFlight = 20,
    poll: Polling = None,
    budget_usd: Budget = None,
    price_usd: Price = None,
    retry_failed: RetryFailed = False,
    attempts: Attempts = 1,
    new_seed: NewSeed = False,
    fallback_models: FallbackModels = None,
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    local_files: LocalFiles = True,
    approve: Approve = False,
    approve_hours: ApproveHours = 168,
    title: Annotated[
        str | None, Field(description="Instead of a storyboard: its title. The next fields belong to it.")
    ] = None,
    shots: Annotated[list[Shot] | None, Field(description="Its shots, in order.")] = None,
    look: Annotated[Look | None, Field(description="What all its shots have in common.")] = None,
    defaults: Annotated[
        Settings | None,
        Field(description="Request fields for every shot that does not set them itself."),
    ] = None,
    cut: Annotated[Cut | None, Field(description="How its shots become one film.")] = None,
    more: Annotated[
        FilmMore | None,
        Field(description="The form's optional group. It may not contradict a parameter of the same name."),
    ] = None,
    payload: Annotated[
        str | None,
        Field(
            description="Instead of a storyboard, brief or file: the JSON payload of an event. Its settings and "
            "edition apply, and its budget up to the one given here."
        ),
    ] = None,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Give one of storyboard, brief or file.

    The form of its deployments shows the brief, the budget, the approval, and `title` to `cut`, which make a
    storyboard; the rest is in `more`.

    The run ends as Completed if the film is in the archive, otherwise as Failed. Its message states the outcome.

    Returns:
        A `FilmSummary` with a row for each shot.

    Raises:
        RunIncomplete: there is no film, or a shot is not in the archive; `result` is the summary.
        VideoError: the run could not start; nothing was created.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import generate_film
        from together_video.film import Shot, Storyboard

        @flow
        async def harbour():
            shots = [Shot(prompt="A harbour at dawn."), Shot(prompt="A boat leaves.", continues=True)]
            summary = await generate_film(Storyboard(title="The harbour", shots=shots), budget_usd=5)
            return summary.film.key
        ```
    """
    if asks(given := {**locals()}):
        try:
            plain = film_from_form(given)
        except VideoError as error:
            return refused(error).state
        return cast("State[Any]", await generate_film.fn(**plain))
    if payload is not None:
        try:
            if storyboard is not None or brief is not None or file is not None:
                raise InputError("Give one of storyboard, brief, file or payload.")
            asked = read_film_event(payload)
        except VideoError as error:
            return refused(error).state
        storyboard, brief, settings = asked.storyboard, asked.brief, asked.settings or settings
        edition = asked.edition or edition
        budget_usd = min((one for one in (asked.budget_usd, budget_usd) if one is not None), default=None)
    ending = await make_film(
        storyboard,
        brief=brief,
        file=file,
        settings=settings,
        retakes=retakes,
        edition=edition,
        in_flight=in_flight,
        poll=poll,
        budget_usd=budget_usd,
        price_usd=price_usd,
        retry_failed=retry_failed,
        attempts=attempts,
        new_seed=new_seed,
        fallback_models=fallback_models,
        on_ambiguous=on_ambiguous,
        strict=strict,
        local_files=local_files,
        approve_hours=approve_hours if approve else None,
        together=together,
        archive=archive,
    )
    return ending.state
