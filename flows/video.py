"""Flow: one request, one archived video."""

from __future__ import annotations

from typing import Annotated, Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.decision import decision
from prefect_together_video.flows.engine.pipeline import open_pipeline
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
from prefect_together_video.flows.reporting import artifacts
from prefect_together_video.flows.reporting.results import final_state, not_approved, refused
from prefect_together_video.flows.reporting.run_names import name_run, tags_of
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.checked_request import CheckedRequest
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.session.terms import tries_of
from together_video.errors import NotApproved, VideoError
from together_video.inputs.presets import Presets
from together_video.ledger.summary import Summary
from together_video.media.sources import refuse_paths
from together_video.money import usd
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
        int, Field(ge=1, description="Another number makes another video of the same request.")
    ] = 1,
    presets: Annotated[
        Presets | None,
        Field(description="Shape, quality and adherence in words; what the request says itself wins."),
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
    """The run ends as Completed if the video is in the archive, else as Failed. Its message says how it went.

    Returns:
        A `Summary` with one row.

    Raises:
        RunIncomplete: the video is not in the archive; `result` is the summary.
        VideoError: the run could not begin; nothing was created.

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
            return refused(error)
        return cast("State[Any]", await generate_video.fn(**plain))
    try:
        if not local_files:
            refuse_paths([request])
        checked = await CheckedRequest.of(
            request,
            take=take,
            edition=edition,
            presets=presets,
            strict=strict,
            price_usd=price_usd,
            needs_price=budget_usd is not None,
            tries=tries_of(attempts, new_seed, fallback_models),
        )
        policy = RunPolicy(poll, 1, budget_usd, retry_failed, on_ambiguous, local_files)
        async with open_pipeline(together, archive, policy) as pipeline:
            asks = decision(pipeline.ledger, policy)
            plan = await checked.plan(pipeline.ledger, asks)
            await pipeline.offers.warn([plan.request.model])
            if asks is None:  # who started this from a form has not seen it
                price = (
                    "has no known price"
                    if plan.estimate_usd is None
                    else f"costs up to {usd(plan.estimate_usd)}"
                )
                run_logger().info("A video of %s %s, unless it is in the archive.", plan.request.model, price)
            await name_run("generate-video", None, tags_of([plan], None))
            summary = await pipeline.produce([plan])
            await artifacts.show(pipeline.ledger, pipeline.records, plan.title, summary)
            return final_state(summary)
    except NotApproved as error:
        return not_approved(error)
    except VideoError as error:
        return refused(error)
