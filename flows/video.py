"""Flow: one request, one archived video."""

from __future__ import annotations

from typing import Annotated, Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.video_run import make_one
from prefect_together_video.flows.forms.form import shown_as
from prefect_together_video.flows.forms.groups import VideoMore
from prefect_together_video.flows.forms.video import VIDEO_FORM, video_from_form
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Archive,
    Attempts,
    Budget,
    Edition,
    FallbackModels,
    LocalFiles,
    NewSeed,
    Polling,
    Price,
    RetryFailed,
    Strict,
    Together,
    documented,
)
from prefect_together_video.flows.reporting.results import refused
from together_video.errors import VideoError
from together_video.inputs.presets import Presets
from together_video.ledger.summary import Summary
from together_video.requests import VideoRequest


def _run_name() -> str:
    request = flow_run.parameters.get("request")
    return f"video: {request.title}" if isinstance(request, VideoRequest) else "video"


@shown_as(*VIDEO_FORM)
@flow(
    name="generate-video",
    description="Make one video and archive it. A request that was paid for before is reused.",
    flow_run_name=_run_name,
)
@documented(Summary)
async def generate_video(
    request: Annotated[VideoRequest, Field(description="What to make, as the API takes it.")],
    edition: Edition = "once",
    take: Annotated[
        int, Field(ge=1, description="Another number makes another video from the same request.")
    ] = 1,
    presets: Annotated[
        Presets | None,
        Field(description="Shape, quality and adherence in words; the request's own fields win."),
    ] = None,
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
    more: Annotated[
        VideoMore | None,
        Field(description="The form's optional group. It may not contradict a parameter of the same name."),
    ] = None,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """The run ends as Completed if the video is in the archive, otherwise as Failed. Its message states the outcome.

    Returns:
        A `Summary` with one row.

    Raises:
        RunIncomplete: the video is not in the archive; `result` is the summary.
        VideoError: the run could not start; nothing was created.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import generate_video
        from together_video.requests import VideoRequest

        @flow
        async def fox():
            request = VideoRequest(prompt="a fox in the snow", width=864, height=480)
            summary = await generate_video(request, budget_usd=1)
            return summary.videos[0].key
        ```
    """
    if more is not None:
        try:
            plain = video_from_form({**locals()})
        except VideoError as error:
            return refused(error).state
        return cast("State[Any]", await generate_video.fn(**plain))
    ending = await make_one(
        request,
        edition=edition,
        take=take,
        presets=presets,
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
