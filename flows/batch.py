"""Flow: a brief, a list of requests or a file -> many archived videos and a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Annotated, Any
from uuid import uuid4

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.pipeline import Pipeline, open_pipeline
from prefect_together_video.flows.engine.record_cache import CachedRows
from prefect_together_video.flows.engine.source import read_source
from prefect_together_video.flows.engine.split import produce_in_parts
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
    Settings,
    Strict,
    Together,
    TriesOfEach,
    Workers,
    documented,
)
from prefect_together_video.flows.reporting import artifacts, events
from prefect_together_video.flows.reporting.gallery_upload import publish
from prefect_together_video.flows.reporting.results import final_state, refused
from prefect_together_video.tasks.running.runs import run_logger, step
from prefect_together_video.tasks.session.checked_request import tries_of
from prefect_together_video.tasks.session.media_upload import keep_media, looked_at, refuse_unsendable
from prefect_together_video.tasks.session.planning import check_requests, edition_now, with_tries
from prefect_together_video.tasks.session.run_policy import RunPolicy
from prefect_together_video.tasks.steps.prompts import write_prompts
from together_video.catalogue import Catalogue
from together_video.catalogue.models import Model
from together_video.errors import InputError, VideoError
from together_video.inputs.events import read_event
from together_video.inputs.fallbacks import first_made
from together_video.inputs.presets import Presets
from together_video.inputs.text_lists import Lines
from together_video.ledger.plans import plan_videos
from together_video.ledger.records import Sweep
from together_video.ledger.summary import Summary
from together_video.prompts import Brief, PromptSet
from together_video.prompts.limits import negative_limit, prompt_limit, without_negative
from together_video.requests import VideoRequest
from together_video.tries import Tries


def _run_name() -> str:
    given = flow_run.parameters
    brief, requests, file = given.get("brief"), given.get("requests"), given.get("file")
    if payload := given.get("payload"):
        try:
            asked = read_event(payload)
        except InputError:
            return "videos of an event"
        brief, requests, file = asked.brief, asked.requests, "an event"
    if isinstance(brief, Brief):
        return f"{brief.count} videos: {brief.subject[:60]}"
    return f"{len(requests)} videos" if requests else f"videos of {PurePath(str(file)).name}"


@flow(
    name="generate-batch",
    description="Make the videos of a brief, of a list or of a file, and archive them with a gallery page.",
    flow_run_name=_run_name,
)
@documented(Summary)
async def generate_batch(
    brief: Annotated[Brief | None, Field(description="A subject; a chat model writes the prompts.")] = None,
    requests: Annotated[
        list[VideoRequest] | None, Field(description="The requests, as the API takes them.")
    ] = None,
    file: Annotated[
        str | None, Field(description="A JSONL, CSV, JSON or text file on the machine that runs this.")
    ] = None,
    lines: Annotated[
        Lines,
        Field(
            description="How the lines of a text file make prompts: checked (an error where one is probably not a "
            "prompt), as they are, or paragraphs."
        ),
    ] = "checked",
    settings: Annotated[
        Settings | None,
        Field(description="Request fields for each prompt of the brief or line of the file."),
    ] = None,
    presets: Annotated[
        Presets | None,
        Field(description="Shape, quality and adherence in words; what a request or line says itself wins."),
    ] = None,
    sweeps: Annotated[
        list[Sweep | None] | None,
        Field(description="For each of the requests the sweep that it belongs to, for the gallery."),
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
    tries: TriesOfEach = None,
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    workers: Workers = 1,
    local_files: LocalFiles = True,
    payload: Annotated[
        str | None,
        Field(
            description="Instead of brief, requests or file: what an event asks for, as the JSON of its payload. Its "
            "settings and edition hold, and its budget up to the one that is given here."
        ),
    ] = None,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Give one of brief, requests or file.

    The run ends as Completed if every video is in the archive, else as Failed. Its message says how many were
    archived, reused, failed, and so on.

    Returns:
        A `Summary` with a row for each video.

    Raises:
        RunIncomplete: a video is not in the archive; `result` is the summary.
        VideoError: the run could not begin; nothing was created.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import generate_batch
        from together_video.prompts import Brief

        @flow
        async def lighthouses():
            brief = Brief(subject="lighthouses of the north", count=2)
            summary = await generate_batch(brief=brief, settings={"width": 864, "height": 480}, budget_usd=5)
            print(summary.sentence)
            return summary.page
        ```
    """
    if payload is not None:
        try:
            if brief is not None or requests is not None or file is not None:
                raise InputError("Give one of brief, requests, file or payload.")
            asked = read_event(payload)
        except VideoError as error:
            return refused(error)
        brief, requests, settings = asked.brief, asked.requests, asked.settings or settings
        edition = asked.edition or edition
        budget_usd = min((one for one in (asked.budget_usd, budget_usd) if one is not None), default=None)
    started = datetime.now(UTC)
    batch_id = f"{started:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    policy = RunPolicy(poll, in_flight, budget_usd, retry_failed, on_ambiguous, local_files)
    try:
        now = edition_now(edition)
        source = read_source(
            brief,
            requests,
            file,
            lines=lines,
            settings=settings,
            presets=presets,
            sweeps=sweeps,
            tries=tries,
            local_files=local_files,
        )
        usual = tries_of(attempts, new_seed, fallback_models)
        money: dict[str, Any] = {"price_usd": price_usd, "needs_price": budget_usd is not None}

        def check(made: Sequence[VideoRequest], **how: Any) -> list[Decimal | None]:
            first = _made_first(made, source.tries(usual), strict=strict)
            return check_requests(first, strict=strict, **money, **how)

        intake = await looked_at(source.requests, source.names)
        prices = check(intake.requests, chosen=source.chosen)
        async with open_pipeline(together, archive, policy) as pipeline:
            origin = None
            if brief is not None:
                # Before the chat model is paid for its prompts.
                await refuse_unsendable(intake, pipeline.ledger, source.names)
                (first,) = _made_first(source.requests, source.tries(usual), strict=strict)
                written = await _prompts(brief, now, Catalogue.load().get(first.model), pipeline)
                source, origin = source.written(written), written.origin
            made = await keep_media(intake, pipeline.ledger, source.names)
            if brief is not None:
                # The settings' media, which all of them share, were looked at and kept once.
                made = [found.model_copy(update={"media": made[0].media}) for found in source.requests]
            if brief is not None or intake.elsewhere:
                prices = check(made, chosen=source.chosen, again=brief is None)
            plans = plan_videos(made, now, batch_id, origin, source.sweeps, prices)
            plans = with_tries(plans, tries=source.tries(usual), strict=strict, **money)
            await pipeline.offers.warn({plan.request.model for plan in plans})
            if workers == 1:
                summary = await pipeline.produce(plans)
            else:
                summary = await produce_in_parts(
                    pipeline,
                    plans,
                    workers=workers,
                    batch_id=batch_id,
                    title=source.title,
                    policy=policy,
                    blocks={"together": together, "archive": archive},
                )
            rows = CachedRows(summary, plans, pipeline.records)
            summary = await publish(pipeline.ledger, batch_id, source.title, rows, summary)
            await artifacts.show(pipeline.ledger, pipeline.records, source.title, summary)
            events.batch_finished(batch_id, source.title, summary, pipeline.ledger.place.bucket)
            return final_state(summary)
    except VideoError as error:
        return refused(error)


def _made_first(
    requests: Sequence[VideoRequest], tries: Sequence[Tries], *, strict: bool
) -> list[VideoRequest]:
    """The requests, with another model where the check refuses the one that was asked for."""
    return [
        first_made(request, one.fallback_models or (), strict=strict)
        for request, one in zip(requests, tries, strict=True)
    ]


async def _prompts(brief: Brief, edition: str, model: Model, pipeline: Pipeline) -> PromptSet:
    if remark := without_negative(brief, model):
        run_logger().warning(remark)
    return await step(
        write_prompts,
        brief,
        edition,
        prompt_limit(model),
        pipeline.client,
        pipeline.ledger,
        negative_limit(brief, model),
    )
