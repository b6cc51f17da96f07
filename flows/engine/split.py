"""A batch on several workers: child runs of `generate-part` on a work pool, watched until all are over.

The ledger prevents two runs of one part from paying twice, so a part whose worker died is simply run again. The only
queue is Prefect's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterType,
)
from prefect.client.schemas.objects import Artifact, FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelling, Crashed
from pydantic import ValidationError

from prefect_together_video.flows.engine.pipeline import Pipeline
from prefect_together_video.flows.engine.stopping import all_of
from prefect_together_video.flows.reporting.happenings import PartProgress, Phase, Planned, happens
from prefect_together_video.flows.reporting.progress import Progress, tell
from prefect_together_video.flows.reporting.progress_artifact import ALIVE_SECONDS
from prefect_together_video.flows.reporting.progress_words import part_progress
from prefect_together_video.tasks.running.prefect_compat import document_id
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.session.planning import MOST_BYTES
from prefect_together_video.tasks.session.run_policy import RunPolicy
from together_video.errors import ConfigurationError, InputError, Spent
from together_video.ledger.plans import in_parts
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome
from together_video.text import counted

#: The deployment that runs a part; `deployments/prefect.yaml` defines it.
DEPLOYMENT = "generate-part/part of a batch"
#: Most videos in one part.
_MOST_VIDEOS = 100
#: How often a part is assigned to a worker before it is given up.
_TRIES = 3
#: Seconds between two checks of the child runs.
_LOOK_SECONDS = 2.0
#: A part whose run gave no sign of life for this long, in seconds, has lost its worker.
_SILENT_SECONDS = 5 * ALIVE_SECONDS
#: So has a part that a worker took but did not start for this long, in seconds: a new machine takes minutes.
_STARTING_SECONDS = 900.0
#: Seconds after which a part that no worker has started causes a warning.
_WAITING_SECONDS = 60.0


@dataclass(frozen=True)
class Part:
    """One share of a batch, and the parameters of its run."""

    number: int
    plans: Sequence[VideoPlan]
    parameters: dict[str, Any]
    title: str
    #: How many parts there are.
    of: int = 1


async def produce_in_parts(
    pipeline: Pipeline,
    plans: Sequence[VideoPlan],
    *,
    workers: int,
    batch_id: str,
    title: str,
    policy: RunPolicy,
    blocks: dict[str, Block | None],
    deployment: str = DEPLOYMENT,
) -> Summary:
    """Make all plans in child runs, at most `workers` of them at a time.

    The budget is divided in proportion to the parts' estimates, so all of them together keep it.

    Raises:
        ConfigurationError: the server has no such deployment.
        InputError: a block was not named, or was never saved, so no worker could load it.
    """
    if FlowRunContext.get() is None:
        raise ConfigurationError(
            f"Several workers need a Prefect server with the deployment {deployment}: set PREFECT_API_URL."
        )
    shared = {**policy.for_part(workers), **_references(blocks)}
    budget_usd = policy.budget_usd
    divided = in_parts(plans, workers, most_bytes=MOST_BYTES, most=_MOST_VIDEOS)
    whole = sum((plan.highest_usd or Decimal(0) for plan in plans), Decimal(0))
    parts = []
    for number, members in enumerate(divided, 1):
        parameters = {**shared, "plans": [plan.model_dump(mode="json") for plan in members]}
        if budget_usd is not None:
            share = sum((plan.highest_usd or Decimal(0) for plan in members), Decimal(0))
            parameters["budget_usd"] = str(budget_usd * share / whole if whole else budget_usd / len(divided))
        parts.append(
            Part(number, members, parameters, f"{title}: part {number} of {len(divided)}", len(divided))
        )
    places = asyncio.Semaphore(workers)
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(deployment)
        except ObjectNotFound as error:
            raise ConfigurationError(
                f"This Prefect server has no deployment {deployment}.",
                spent=Spent.NOTHING,
                remedy="Deploy deployments/prefect.yaml, or run with one worker.",
            ) from error

        happens(Planned(len(plans), budget_usd, parts=len(parts)))
        happens(Phase(f"{counted(len(parts), 'part')}: waiting for workers"))
        done = 0

        async def make(part: Part) -> list[VideoOutcome]:
            nonlocal done
            async with places:
                outcomes = await _make(part, pipeline, client, deployment, batch_id)
            # From here on its videos are counted one by one.
            happens(PartProgress(part.number, part.of, len(part.plans), is_over=True))
            for plan, outcome in zip(part.plans, outcomes, strict=False):
                done += 1
                # Without the outcome: the child run has emitted the events.
                stage, detail = outcome.state.value, outcome.error or ""
                account = outcome.account
                tell(Progress(plan, stage, detail, done=done, total=len(plans), account=account))
            return outcomes

        several = await all_of(map(make, parts))
    outcomes = [outcome for found in several for outcome in found]
    await _fetch_records(pipeline, outcomes)
    return Summary.of(outcomes)


async def _make(
    part: Part, pipeline: Pipeline, client: PrefectClient, deployment: str, batch_id: str
) -> list[VideoOutcome]:
    """Have one part made. If its workers keep dying, the ledger says how far it came."""
    ledger = pipeline.ledger
    for tries in range(1, _TRIES + 1):
        name = f"{part.number}-{tries}"
        try:
            run = await arun_deployment(
                deployment,
                parameters={**part.parameters, "title": part.title, "part": name},
                flow_run_name=part.title,
                tags=[f"batch:{batch_id}"],
                timeout=0,
            )
        except PrefectHTTPStatusError as error:
            # For example, one request that is too large for a parameter.
            run_logger().warning("%s could not be assigned to a worker: %s", part.title, error)
            break
        try:
            state = await _over(run, part, client)
        except asyncio.CancelledError:
            await client.set_flow_run_state(run.id, Cancelling(), force=True)
            raise
        stored = await ledger.store.get(ledger.layout.part(batch_id, name))
        if stored is not None and (rows := _rows_of(part, stored.data)) is not None:
            return rows
        run_logger().warning("%s ended as %s: %s", part.title, state.name, state.message)
        if state.type in {StateType.FAILED, StateType.COMPLETED}:
            # It could not start, or it wrote into another bucket: a later attempt would do the same.
            break
    return [await pipeline.as_recorded(plan, "No worker finished its part.") for plan in part.plans]


def _rows_of(part: Part, data: bytes) -> list[VideoOutcome] | None:
    """What the summary of a part says about its videos; None if no worker wrote it."""
    try:
        rows = list(Summary.model_validate_json(data).videos)
    except ValidationError:
        rows = []
    if [row.asked_id or row.id for row in rows] == [plan.asked_id for plan in part.plans]:
        return rows
    run_logger().warning(
        "The summary of %s is not what this project wrote; the records are read instead.", part.title
    )
    return None


async def _over(run: FlowRun, part: Part, client: PrefectClient) -> State[Any]:
    """Wait until the child run has ended, or has given no sign of life for so long that it must be dead."""
    began = last_sign = time.monotonic()
    sign: object = None
    seen: object
    warned = False
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        state = (await client.read_flow_run(run.id)).state
        if state is not None and state.is_final():
            return state
        now = time.monotonic()
        if state is not None and state.is_running():
            bar, patience = await _progress_bar(run.id, client), _SILENT_SECONDS
            seen = bar.updated if bar else None
            if bar is not None and seen != sign:
                happens(part_progress(bar.description, part.number, part.of, len(part.plans)))
        elif state is not None and state.is_pending():
            seen, patience = state.id, _STARTING_SECONDS
        else:
            last_sign = now
            if not warned and now - began > _WAITING_SECONDS:
                warned = True
                run_logger().warning(
                    "%s is waiting for a worker. Is one running for its work pool?", part.title
                )
            continue
        if seen != sign:
            sign, last_sign = seen, now
        if now - last_sign > patience:
            dead: State[Any] = Crashed(message=f"No sign of life for {patience:.0f} s: its worker is gone.")
            await client.set_flow_run_state(run.id, dead, force=True)
            return dead


async def _progress_bar(run: UUID, client: PrefectClient) -> Artifact | None:
    """The child's progress bar as it was last written; a living child writes it every few seconds."""
    found = await client.read_artifacts(
        artifact_filter=ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[run]), type=ArtifactFilterType(any_=["progress"])
        )
    )
    written = [(artifact.updated, artifact) for artifact in found if artifact.updated]
    return max(written, key=lambda pair: pair[0])[1] if written else None


async def _fetch_records(pipeline: Pipeline, outcomes: Iterable[VideoOutcome]) -> None:
    """Read the records that the child runs wrote, for the gallery."""
    places = asyncio.Semaphore(32)

    async def fetch(outcome: VideoOutcome) -> None:
        async with places:
            record = await pipeline.ledger.record(outcome.id)
        if record is not None:
            pipeline.records.keep(record)

    await asyncio.gather(*(fetch(found) for found in outcomes if found.id not in pipeline.records))


def _references(blocks: dict[str, Block | None]) -> dict[str, Any]:
    """Blocks as parameters of another run: by reference, so no secret is sent.

    Each must be named. Otherwise workers would use their own, and buy into another bucket or on another bill.
    """
    found: dict[str, Any] = {}
    for name, block in blocks.items():
        document = None if block is None else document_id(block)
        if document is None:
            raise InputError(
                f"Several workers need the saved block for {name}, so that all of them use the same one: save it "
                f"(together-video save-blocks) and name it, as in --{name} production."
            )
        found[name] = {"$ref": {"block_document_id": str(document)}}
    return found
