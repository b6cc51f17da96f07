"""Flow: a brief, a list of requests or a file -> many archived videos and a gallery."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath
from typing import Annotated, Any
from uuid import uuid4

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field, JsonValue

from prefect_together_video.flows.engine.media_upload import keep_media, looked_at
from prefect_together_video.flows.engine.pipeline import open_pipeline
from prefect_together_video.flows.engine.planning import edition_now, prepare
from prefect_together_video.flows.engine.record_cache import CachedRows
from prefect_together_video.flows.engine.split import produce_in_parts
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Archive,
    Budget,
    Edition,
    InFlight,
    Polling,
    Price,
    RetryFailed,
    Settings,
    Strict,
    Together,
    documented,
)
from prefect_together_video.flows.reporting import artifacts, events
from prefect_together_video.flows.reporting.gallery_upload import publish
from prefect_together_video.flows.reporting.results import ending, refused
from prefect_together_video.tasks.prompts import generate_prompts
from prefect_together_video.tasks.runs import run_logger, step
from together_video.catalogue import Catalogue
from together_video.errors import InputError, VideoError
from together_video.inputs.files import read_requests
from together_video.inputs.lines import SourcedRequest
from together_video.inputs.presets import Presets, make_request, overlay, with_presets
from together_video.ledger.records import Origin, Sweep, VideoPlan
from together_video.media.sources import refuse_paths
from together_video.prompts import Brief
from together_video.prompts.limits import negative_limit, prompt_limit, refuse_promptless, without_negative
from together_video.requests import VideoRequest


def _run_name() -> str:
    given = flow_run.parameters
    brief, requests, file = given.get("brief"), given.get("requests"), given.get("file")
    if isinstance(brief, Brief):
        return f"{brief.count} videos: {brief.subject[:60]}"
    return f"{len(requests)} videos" if requests else f"videos of {PurePath(str(file)).name}"


@flow(
    name="generate-batch",
    description="Make the videos of a brief, of a list or of a file, and archive them with a gallery page.",
    flow_run_name=_run_name,
)
@documented
async def generate_batch(
    brief: Annotated[Brief | None, Field(description="A subject; a chat model writes the prompts.")] = None,
    requests: Annotated[
        list[VideoRequest] | None, Field(description="The requests, as the API takes them.")
    ] = None,
    file: Annotated[
        str | None, Field(description="A JSONL, CSV, JSON or text file on the machine that runs this.")
    ] = None,
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
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    workers: Annotated[
        int,
        Field(ge=1, le=100, description="How many workers share the videos, by runs of generate-part/part."),
    ] = 1,
    local_files: Annotated[
        bool, Field(description="Whether requests may name files of the machine that makes them.")
    ] = True,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Give one of brief, requests or file.

    Ends Completed if every video is in the archive, else Failed; the message says how many were
    archived, reused, failed, … What `ending.result_of` gives of its data is a `Summary`, or the `VideoError`
    that kept the run from beginning.
    """
    started = datetime.now(UTC)
    batch_id = f"{started:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    try:
        now = edition_now(edition)
        if sum(given is not None for given in (brief, requests, file)) != 1:
            raise InputError("Give one of brief, requests or file.")
        settings = _with_presets(settings, presets)
        sourced: list[SourcedRequest] = []
        names = None
        if brief is not None:
            # Before a chat model is asked, the settings must make a request at all.
            sourced = [_briefed(brief, settings, "a prompt to come", None)]
            if (known := Catalogue.load().find(sourced[0].request.model)) is not None:
                refuse_promptless(known)
        elif file is not None:
            sourced = read_requests(file, settings, Catalogue.load().default_model.name)
            names = [f"line {found.line}" for found in sourced]
        elif requests is not None:
            sourced = _listed(requests, sweeps, presets)

        def plan(
            listed: list[VideoRequest], origin: Origin | None = None, *, again: bool = False
        ) -> list[VideoPlan]:
            return prepare(
                listed,
                edition=now,
                batch_id=batch_id,
                origin=origin,
                strict=strict,
                price_usd=price_usd,
                needs_price=budget_usd is not None,
                sweeps=[found.sweep for found in sourced],
                chosen=[found.chosen for found in sourced],
                again=again,
            )

        if not local_files:
            refuse_paths(found.request for found in sourced)
        intake = await looked_at([found.request for found in sourced], names)
        plans = plan(intake.requests)
        async with open_pipeline(
            together,
            archive,
            policy=poll,
            in_flight=in_flight,
            budget_usd=budget_usd,
            retry_failed=retry_failed,
            on_ambiguous=on_ambiguous,
        ) as pipeline:
            written = None
            if brief is not None:
                model = Catalogue.load().get(sourced[0].request.model)
                if remark := without_negative(brief, model):
                    run_logger().warning(remark)
                written = await step(
                    generate_prompts,
                    brief,
                    now,
                    prompt_limit(model),
                    pipeline.client,
                    pipeline.ledger,
                    negative_limit(brief, model),
                )
                sourced = [_briefed(brief, settings, prompt, negative) for prompt, negative in written.pairs]
                intake = await looked_at([found.request for found in sourced])
            requests = await keep_media(intake, pipeline.ledger, names)
            if brief is not None or intake.elsewhere:
                plans = plan(requests, written.origin if written else None, again=brief is None)
            title = _title(brief, file, len(plans))
            if workers == 1:
                summary = await pipeline.produce(plans)
            else:
                summary = await produce_in_parts(
                    pipeline,
                    plans,
                    workers=workers,
                    batch_id=batch_id,
                    title=title,
                    in_flight=in_flight,
                    budget_usd=budget_usd,
                    options={
                        "poll": None if poll is None else poll.model_dump(mode="json"),
                        "retry_failed": retry_failed,
                        "on_ambiguous": on_ambiguous,
                    },
                    blocks={"together": together, "archive": archive},
                )
            summary = await publish(
                pipeline.ledger, batch_id, title, CachedRows(summary, plans, pipeline.records), summary
            )
            await artifacts.show(pipeline.ledger, pipeline.records, title, summary)
            events.batch_finished(batch_id, title, summary, pipeline.ledger.bucket)
            return ending(summary)
    except VideoError as error:
        return refused(error)


def _title(brief: Brief | None, file: str | None, count: int) -> str:
    if brief is not None:
        return brief.subject
    return PurePath(file).stem if file is not None else f"{count} videos"


def _briefed(
    brief: Brief, settings: dict[str, Any], prompt: str, negative_prompt: str | None
) -> SourcedRequest:
    """One prompt of a brief as a request, with the settings that all its videos share."""
    fields: dict[str, Any] = {"model": brief.model or Catalogue.load().default_model.name}
    if brief.seconds is not None:
        fields["seconds"] = brief.seconds
    if negative_prompt is not None:
        fields["negative_prompt"] = negative_prompt
    try:
        request, chosen = make_request({**fields, **settings, "prompt": prompt})
    except InputError as error:
        raise InputError(f"The settings cannot be used. {error.message}") from error
    return SourcedRequest(request=request, line=1, chosen=chosen)


def _listed(
    requests: list[VideoRequest], sweeps: list[Sweep | None] | None, presets: Presets | None
) -> list[SourcedRequest]:
    if sweeps and len(sweeps) != len(requests):
        raise InputError(f"There are {len(sweeps)} sweeps for {len(requests)} requests: give one for each.")
    made = [with_presets(request, presets) for request in requests]
    return [
        SourcedRequest(request=request, line=number, sweep=sweep, chosen=chosen)
        for number, (request, chosen), sweep in zip(
            range(1, len(made) + 1), made, sweeps or [None] * len(made), strict=True
        )
    ]


def _with_presets(settings: dict[str, JsonValue] | None, presets: Presets | None) -> dict[str, Any]:
    """The settings, with the presets for what they leave open."""
    said = settings or {}
    words = presets.model_dump(exclude_none=True) if presets is not None else {}
    return {**overlay(said, words), **said}
