"""Flow: one request, one archived video."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Archive,
    Budget,
    Edition,
    Polling,
    Price,
    RetryFailed,
    Strict,
    Together,
    documented,
)
from prefect_together_video.flows.reporting import artifacts
from prefect_together_video.flows.reporting.results import final_state, refused
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at
from prefect_together_video.tasks.session.planning import check_requests, edition_now
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import VideoError
from together_video.inputs.presets import Presets, with_presets
from together_video.ledger.plans import plan_videos
from together_video.ledger.summary import Summary
from together_video.requests import VideoRequest


def _run_name() -> str:
    request = flow_run.parameters.get("request")
    return f"video: {request.title}" if isinstance(request, VideoRequest) else "video"


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
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Ends Completed if the video is in the archive, else Failed; the message says how it went.

    What `results.result_of` gives of its data is a `Summary`, or the `VideoError`
    that kept the run from beginning.
    """
    try:
        now = edition_now(edition)
        request, chosen = with_presets(request, presets)
        intake = await looked_at([request])
        check = partial(
            check_requests,
            strict=strict,
            price_usd=price_usd,
            needs_price=budget_usd is not None,
            chosen=[chosen],
        )
        prices = check(intake.requests)
        policy = RunPolicy(poll, 1, budget_usd, retry_failed, on_ambiguous)
        async with open_pipeline(together, archive, policy) as pipeline:
            made = await keep_media(intake, pipeline.ledger)
            if intake.elsewhere:
                prices = check(made, again=True)
            (plan,) = plan_videos(made, now, prices=prices)
            plan = plan.model_copy(update={"take": take})
            summary = await pipeline.produce([plan])
            await artifacts.show(pipeline.ledger, pipeline.records, plan.title, summary)
            return final_state(summary)
    except VideoError as error:
        return refused(error)
