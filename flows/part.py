"""Flow: one part of a batch that several workers share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Archive,
    InFlight,
    LocalFiles,
    Polling,
    RetryFailed,
    Together,
    documented,
)
from prefect_together_video.flows.reporting.results import final_state, refused
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import VideoError
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary


@flow(
    name="generate-part",
    description="Make the videos that a batch has planned for one of its workers. Started by generate-batch.",
    flow_run_name="{title}",
)
@documented(Summary)
async def generate_part(
    plans: Annotated[list[VideoPlan], Field(min_length=1, description="The batch's plans for this part.")],
    title: Annotated[str, Field(description="The name of the run.")] = "part of a batch",
    part: Annotated[
        str | None,
        Field(
            pattern=r"^\d+-\d+$",
            description="Number of the part and of the attempt, for its summary in the archive.",
        ),
    ] = None,
    in_flight: InFlight = 20,
    poll: Polling = None,
    budget_usd: Annotated[
        Decimal | None, Field(gt=0, description="This part's share of the batch's budget, in US dollars.")
    ] = None,
    retry_failed: RetryFailed = False,
    on_ambiguous: Ambiguous = "hold",
    local_files: LocalFiles = True,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Safe to run again, and twice at the same time: it resumes what an earlier run began.

    The run ends as Completed if every video is in the archive, otherwise as Failed; its message says how many were
    archived, reused, failed, and so on. Its data, which `results.result_of` returns, is
    a `Summary`, or the `VideoError` that stopped the run before it started.
    """
    try:
        policy = RunPolicy(poll, in_flight, budget_usd, retry_failed, on_ambiguous, local_files)
        async with open_pipeline(together, archive, policy) as pipeline:
            if budget_usd is not None:
                await pipeline.buyer.charge_earlier(plans)
            summary = await pipeline.produce(plans)
            if part is not None and (batch := plans[0].batch_id) is not None:
                key = pipeline.ledger.layout.part(batch, part)
                await pipeline.ledger.store.put_once(key, summary.model_dump_json().encode())
            return final_state(summary).state
    except VideoError as error:
        return refused(error).state
