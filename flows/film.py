"""Flow: a storyboard -> shots, chained where they continue each other -> one film."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.film_run import make_film
from prefect_together_video.flows.parameters import (
    Ambiguous,
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
    Strict,
    Together,
    documented,
)
from together_video.film.storyboard import Storyboard
from together_video.film.summary import FilmSummary


def _run_name() -> str:
    board = flow_run.parameters.get("storyboard")
    return f"film: {board.title}" if isinstance(board, Storyboard) else "film"


@flow(
    name="generate-film",
    description="Make the shots of a storyboard and join them into one film. What was paid for before is reused.",
    flow_run_name=_run_name,
)
@documented(FilmSummary)
async def generate_film(
    storyboard: Annotated[Storyboard, Field(description="The shots, and how they become one film.")],
    retakes: Annotated[
        dict[int, int | None] | None,
        Field(
            description="Shots of which another take is made beside the film: the number of the shot, and that of the "
            "take, or null for the one after that which the film is cut from."
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
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """The run ends as Completed if the film is in the archive, else as Failed. Its message says how it went.

    Returns:
        A `FilmSummary` with a row for each shot.

    Raises:
        RunIncomplete: there is no film, or a shot is not in the archive; `result` is the summary.
        VideoError: the run could not begin; nothing was created.

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
    ending = await make_film(
        storyboard,
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
        together=together,
        archive=archive,
    )
    return ending.state
