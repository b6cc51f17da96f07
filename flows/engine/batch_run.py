"""From a brief, a list of requests or a file to many archived videos and a gallery: the work of the flow
`generate-batch`, which also runs without Prefect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import JsonValue

from prefect_together_video.flows.engine.decision import decision
from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.engine.preparation import Preparation
from prefect_together_video.flows.engine.record_cache import CachedRows
from prefect_together_video.flows.engine.source import read_source
from prefect_together_video.flows.reporting import in_prefect, shared_page
from prefect_together_video.flows.reporting.gallery_upload import about_run, marks_of, publish
from prefect_together_video.flows.reporting.results import Ending, final_state, not_approved, refused
from prefect_together_video.flows.reporting.run_names import batch_name, name_run, tags_of
from prefect_together_video.tasks.session.planning import edition_now
from prefect_together_video.tasks.session.run_policy import OnAmbiguous, RunPolicy
from prefect_together_video.tasks.session.terms import Terms, tries_of
from together_video.errors import NotApproved, VideoError
from together_video.inputs.presets import Presets
from together_video.inputs.text_lists import Lines
from together_video.ledger.records import Sweep, VideoPlan
from together_video.ledger.settings import ArchiveSettings
from together_video.polling.policy import PollPolicy
from together_video.prompts import Brief
from together_video.requests import VideoRequest
from together_video.tries import Tries

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials


async def make_batch(
    *,
    edition: str,
    in_flight: int,
    poll: PollPolicy | None,
    budget_usd: Decimal | None,
    price_usd: Decimal | None,
    retry_failed: bool,
    attempts: int,
    new_seed: bool,
    fallback_models: Sequence[str] | None,
    on_ambiguous: OnAmbiguous,
    strict: bool,
    workers: int,
    brief: Brief | None = None,
    requests: list[VideoRequest] | None = None,
    file: str | None = None,
    lines: Lines = "checked",
    settings: dict[str, JsonValue] | None = None,
    presets: Presets | None = None,
    sweeps: Sequence[Sweep | None] | None = None,
    title: str | None = None,
    tries: Sequence[Tries | None] | None = None,
    takes: Sequence[int | None] | None = None,
    local_files: bool = True,
    approve_hours: float | None = None,
    share_days: float | None = None,
    of_event: bool = False,
    together: TogetherCredentials | None = None,
    archive: VideoArchive | ArchiveSettings | None = None,
) -> Ending:
    """The flow describes the parameters, except two. The result is a `Summary`.

    Args:
        approve_hours: how long the run waits for a person to approve its plan; None: it asks nobody.
        of_event: an event requested the batch, with its requests or its brief.
    """
    policy = RunPolicy(poll, in_flight, budget_usd, retry_failed, on_ambiguous, local_files)
    try:
        share_seconds = None if share_days is None else shared_page.check_days(share_days)
        terms = Terms(tries_of(attempts, new_seed, fallback_models), strict=strict, price_usd=price_usd)

        async def prepared() -> Preparation:
            source = read_source(
                brief,
                requests,
                file,
                lines=lines,
                settings=settings,
                presets=presets,
                sweeps=sweeps,
                tries=tries,
                takes=takes,
                title=title,
                local_files=local_files,
            )
            return await Preparation.of(
                source,
                edition_now(edition),
                terms,
                needs_price=budget_usd is not None,
            )

        if approve_hours is None:
            run, batch_id = None, f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
            ready = await prepared()
        else:
            from prefect_together_video.flows.engine.approval import ApprovalRun, approved
            from prefect_together_video.flows.engine.batch_approval import BatchApproval

            run = ApprovalRun.current()
            batch_id = run.batch_id
            async with open_pipeline(together, archive, policy) as pipeline:
                shared_page.check_can_share(pipeline.ledger, share_seconds)

                async def propose() -> tuple[str, Sequence[VideoPlan]]:
                    found = await prepared()
                    return found.source.title, await found.plans(pipeline, batch_id)

                case = BatchApproval(pipeline.ledger, propose, terms.replanned, policy)
                order = await approved(pipeline.ledger, run, case, hours=approve_hours)
            policy = replace(policy, budget_usd=order.budget_usd)
        async with open_pipeline(together, archive, policy) as pipeline:
            shared_page.check_can_share(pipeline.ledger, share_seconds)
            if run is None:
                named = ready.source.title
                plans = await ready.plans(pipeline, batch_id, decision(pipeline.ledger, policy))
            else:
                named, plans = order.title, list(order.plans)
                if workers == 1 and order.budget_usd is not None:
                    # What this run paid before it was interrupted.
                    await pipeline.buyer.charge_earlier(plans)
            run_name = batch_name(brief, requests, "an event" if of_event else file, len(plans))
            await name_run("generate-batch", run_name, tags_of(plans, batch_id))
            if workers == 1:
                summary = await pipeline.produce(plans)
            else:
                from prefect_together_video.flows.engine.split import produce_in_parts

                summary = await produce_in_parts(
                    pipeline,
                    plans,
                    workers=workers,
                    batch_id=batch_id,
                    title=named,
                    policy=policy,
                    blocks={"together": together, "archive": _block(archive)},
                )
            marks = await marks_of(pipeline.ledger, summary)
            rows = CachedRows(summary, plans, pipeline.records, marks)
            links = await in_prefect.redo(plans)
            about = about_run(batch_id, named, brief)
            summary = await publish(pipeline.ledger, batch_id, named, rows, summary, about=about, redo=links)
            await in_prefect.show_artifacts(pipeline.ledger, pipeline.records, named, summary)
            if share_seconds is not None:
                await shared_page.show(
                    pipeline.ledger, batch_id, named, rows, summary, seconds=share_seconds, about=about
                )
            in_prefect.batch_finished(batch_id, named, summary, pipeline.ledger.place.bucket)
            return final_state(summary)
    except NotApproved as error:
        return not_approved(error)
    except VideoError as error:
        return refused(error)


def _block(archive: VideoArchive | ArchiveSettings | None) -> VideoArchive | None:
    """None for settings: other workers cannot load them as a block."""
    return None if isinstance(archive, ArchiveSettings) else archive
