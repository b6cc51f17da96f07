"""From one request to one archived video: the work of the flow `generate-video`, which also runs without Prefect."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from prefect_together_video.flows.engine.decision import decision
from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.reporting import in_prefect
from prefect_together_video.flows.reporting.results import Ending, final_state, not_approved, refused
from prefect_together_video.flows.reporting.run_names import name_run, tags_of
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.checked_request import CheckedRequest
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy
from prefect_together_video.tasks.session.terms import tries_of
from together_video.errors import NotApproved, VideoError
from together_video.inputs.presets import Presets
from together_video.ledger.settings import ArchiveSettings
from together_video.media.sources import refuse_paths
from together_video.money import usd
from together_video.polling.policy import PollPolicy
from together_video.requests import VideoRequest

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials


async def make_one(
    request: VideoRequest,
    *,
    edition: str,
    take: int,
    poll: PollPolicy | None,
    budget_usd: Decimal | None,
    price_usd: Decimal | None,
    retry_failed: bool,
    attempts: int,
    new_seed: bool,
    fallback_models: Sequence[str] | None,
    on_ambiguous: OnAmbiguous,
    strict: bool,
    local_files: bool = True,
    presets: Presets | None = None,
    together: TogetherCredentials | None = None,
    archive: VideoArchive | ArchiveSettings | None = None,
) -> Ending:
    """The flow describes the parameters. The result is a `Summary` with one row."""
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
            if asks is None:  # a person who started this from a form has not seen the price
                price = (
                    "has no known price"
                    if plan.estimate_usd is None
                    else f"costs up to {usd(plan.estimate_usd)}"
                )
                run_logger().info("A video of %s %s, unless it is in the archive.", plan.request.model, price)
            await name_run("generate-video", None, tags_of([plan], None))
            summary = await pipeline.produce([plan])
            await in_prefect.show_artifacts(pipeline.ledger, pipeline.records, plan.title, summary)
            return final_state(summary)
    except NotApproved as error:
        return not_approved(error)
    except VideoError as error:
        return refused(error)
