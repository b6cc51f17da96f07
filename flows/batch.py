"""Flow: a brief, a list of requests or a file -> many archived videos and a gallery."""

from __future__ import annotations

from typing import Annotated, Any, cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from prefect_together_video.flows.engine.batch_run import make_batch
from prefect_together_video.flows.forms.batch import BATCH_FORM, asks, brief_of, from_form
from prefect_together_video.flows.forms.form import said, shown_as
from prefect_together_video.flows.forms.groups import BatchMore
from prefect_together_video.flows.parameters import (
    Ambiguous,
    Approve,
    ApproveHours,
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
    ShareDays,
    Strict,
    Together,
    TriesOfEach,
    Workers,
    documented,
)
from prefect_together_video.flows.reporting.results import refused
from prefect_together_video.flows.reporting.run_names import batch_name
from prefect_together_video.flows.server.parameter_size import refusing_too_large
from together_video.errors import InputError, VideoError
from together_video.inputs.events import read_event
from together_video.inputs.lines import MOST_TAKES
from together_video.inputs.presets import Presets
from together_video.inputs.text_lists import Lines
from together_video.ledger.records import Sweep
from together_video.ledger.summary import Summary
from together_video.prompts import Brief
from together_video.requests import VideoRequest


def _run_name() -> str:
    """Runs before anything is read, so a file has no count yet. The run is renamed once its videos are known."""
    given = flow_run.parameters
    try:
        if payload := given.get("payload"):
            asked = read_event(payload)
            return batch_name(asked.brief, asked.requests, "an event")
        more = said(given.get("more"))
        requests, file = (more.get(name) or given.get(name) for name in ("requests", "file"))
        return batch_name(brief_of(given), requests, file or given.get("title"))
    except (InputError, TypeError, AttributeError):
        return "videos of an event" if given.get("payload") else "videos"


@refusing_too_large(
    "Save the requests as a file on the machine that runs the flow, and pass its path as the parameter file."
)
@shown_as(*BATCH_FORM)
@flow(
    name="generate-batch",
    description="Make the videos of a brief, a list or a file, and archive them with a gallery page.",
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
            description="How the lines of a text file become prompts: checked (an error if a line is probably not a "
            "prompt), as they are, or paragraphs."
        ),
    ] = "checked",
    settings: Annotated[
        Settings | None,
        Field(description="Request fields for each prompt of the brief or each line of the file."),
    ] = None,
    presets: Annotated[
        Presets | None,
        Field(description="Shape, quality and adherence in words; a request's or line's own fields win."),
    ] = None,
    sweeps: Annotated[
        list[Sweep | None] | None,
        Field(description="For each request, the sweep that it belongs to, for the gallery."),
    ] = None,
    title: Annotated[
        str | None,
        Field(description="Title of the gallery, such as the name of the file with the requests."),
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
    takes: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST_TAKES)] | None] | None,
        Field(description="For each request, the number of its take; by default takes are counted."),
    ] = None,
    on_ambiguous: Ambiguous = "hold",
    strict: Strict = False,
    workers: Workers = 1,
    local_files: LocalFiles = True,
    approve: Approve = False,
    approve_hours: ApproveHours = 168,
    share_days: ShareDays = None,
    subject: Annotated[
        str | None,
        Field(description="Instead of a brief: what the videos are about. The next fields belong to it."),
    ] = None,
    count: Annotated[int | None, Field(description="How many videos of the subject to make.")] = None,
    style: Annotated[str | None, Field(description="The look that all videos of the subject share.")] = None,
    model: Annotated[
        str | None, Field(description="The model, unless the settings or a request name one.")
    ] = None,
    seconds: Annotated[
        float | None,
        Field(gt=0, description="The length in seconds, unless the settings or a request give one."),
    ] = None,
    shape: Annotated[
        str | None, Field(description="The aspect ratio, as in the preset aspect, such as 9:16.")
    ] = None,
    more: Annotated[
        BatchMore | None,
        Field(description="The form's optional group. It may not contradict a parameter of the same name."),
    ] = None,
    payload: Annotated[
        str | None,
        Field(
            description="Instead of brief, requests or file: the JSON payload of an event. Its settings and edition "
            "apply, and its budget up to the one given here."
        ),
    ] = None,
    together: Together = None,
    archive: Archive = None,
) -> State[Any]:
    """Give one of brief, subject, requests or file.

    The form of its deployments shows `subject` to `shape`, the budget and the approval; the rest is in `more`.

    The run ends as Completed if every video is in the archive, otherwise as Failed. Its message says how many were
    archived, reused, failed, and so on.

    Returns:
        A `Summary` with a row for each video.

    Raises:
        RunIncomplete: a video is not in the archive; `result` is the summary.
        VideoError: the run could not start; nothing was created.

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
    if asks(given := {**locals()}):
        try:
            plain = from_form(given)
        except VideoError as error:
            return refused(error).state
        return cast("State[Any]", await generate_batch.fn(**plain))
    if payload is not None:
        try:
            if brief is not None or requests is not None or file is not None:
                raise InputError("Give one of brief, requests, file or payload.")
            asked = read_event(payload)
        except VideoError as error:
            return refused(error).state
        brief, requests, settings = asked.brief, asked.requests, asked.settings or settings
        edition = asked.edition or edition
        budget_usd = min((one for one in (asked.budget_usd, budget_usd) if one is not None), default=None)
    ending = await make_batch(
        brief=brief,
        requests=requests,
        file=file,
        lines=lines,
        settings=settings,
        presets=presets,
        sweeps=sweeps,
        title=title,
        edition=edition,
        in_flight=in_flight,
        poll=poll,
        budget_usd=budget_usd,
        price_usd=price_usd,
        retry_failed=retry_failed,
        attempts=attempts,
        new_seed=new_seed,
        fallback_models=fallback_models,
        tries=tries,
        takes=takes,
        on_ambiguous=on_ambiguous,
        strict=strict,
        workers=workers,
        local_files=local_files,
        approve_hours=approve_hours if approve else None,
        share_days=share_days,
        of_event=payload is not None,
        together=together,
        archive=archive,
    )
    return ending.state
