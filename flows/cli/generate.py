"""`together-video generate` and `together-video batch`: make videos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import (
    ConfirmOptions,
    PlaceOptions,
    RequestOptions,
    RunOptions,
    TextOptions,
    of_field,
)
from prefect_together_video.flows.cli.preamble import begin, needs_prefect
from prefect_together_video.flows.cli.prompts import brief_of_options
from prefect_together_video.flows.cli.screen.output import Output, with_files
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.catalogue import Catalogue, Review
from together_video.catalogue.findings import Finding, Level
from together_video.errors import InputError
from together_video.inputs.fallbacks import first_made
from together_video.inputs.files import read_lines
from together_video.inputs.lines import RequestLines
from together_video.inputs.media import take_in
from together_video.inputs.presets import make_request
from together_video.inputs.text_lists import Lines
from together_video.ledger.summary import GOOD, Summary
from together_video.prompts.briefs import Brief
from together_video.tries import Tries

if TYPE_CHECKING:
    from together_video.ledger.audit import AuditReport

Kind = Literal["video", "batch"]
#: Returns the exit code and the result of the run.
Run = Callable[..., "tuple[int, Summary | AuditReport | None]"]


def generate(
    prompt: str | None = None,
    /,
    *,
    take: int = 1,
    output: Annotated[GivenPath | None, Parameter(name=("--output", "-o"))] = None,
    request: RequestOptions = RequestOptions(),  # noqa: B008 - frozen
    confirm: ConfirmOptions = ConfirmOptions(),  # noqa: B008 - frozen
    run: RunOptions = RunOptions(),  # noqa: B008 - frozen
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Make one video and archive it. A request that is already paid for is reused, free of charge.

    Parameters
    ----------
    prompt
        What the video shows.
    take
        Number of the take. Another number makes another video of the same request.
    output
        Write a copy of the video to this folder, or file such as fox.mp4. Existing files are not overwritten.
    """
    made, chosen = make_request(
        {"model": Catalogue.load().default_model.name, **request.request_fields(), "prompt": prompt}
    )
    first = first_made(made, run.tries().fallback_models or (), strict=run.strict)
    Review.of([first], strict=run.strict, chosen=[chosen]).refuse_errors()
    # Prefect takes seconds to import: report a missing file first.
    take_in([made])
    _say_choices([chosen], place)
    if take < 1:
        raise InputError("--take must be at least 1.")
    parameters = {**run.parameters(), "request": made, "take": take}
    copy = (
        None
        if output is None or confirm.dry_run
        else Output.of(output, takes_file=True, kind=made.output_format or "MP4")
    )
    return _run("video", parameters, place, confirm, output=copy)


def batch(
    file: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    from_review: str | None = None,
    brief: str | None = None,
    count: int | None = None,
    style: Annotated[str | None, of_field(Brief, "style")] = None,
    language: Annotated[str, of_field(Brief, "language")] = "English",
    negative_prompts: Annotated[bool, Parameter(negative=()), of_field(Brief, "negative_prompts")] = False,
    chat_model: Annotated[str | None, of_field(Brief, "chat_model")] = None,
    in_flight: Annotated[int, Parameter(help=MEANING["in_flight"])] = 20,
    workers: Annotated[int, Parameter(help=MEANING["workers"])] = 1,
    output: Annotated[GivenPath | None, Parameter(name=("--output", "-o"))] = None,
    text: TextOptions = TextOptions(),  # noqa: B008 - frozen
    request: RequestOptions = RequestOptions(),  # noqa: B008 - frozen
    confirm: ConfirmOptions = ConfirmOptions(),  # noqa: B008 - frozen
    run: RunOptions = RunOptions(),  # noqa: B008 - frozen
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Make many videos from a FILE of requests or prompts, or from a --brief that a chat model writes prompts for.
    With --from-review, make another take of each rejected clip.

    Parameters
    ----------
    file
        JSONL, CSV, JSON, or text with one prompt per line; - is standard input.
    from_review
        Make the next take of each rejected clip in this file of marks, or batch id. Buys nothing twice.
    brief
        What the videos are about.
    count
        How many different videos to make of the brief; 4 by default.
    output
        Write copies of the videos to this folder. Existing files are not overwritten.
    """
    if sum(given is not None for given in (file, brief, from_review)) != 1:
        raise InputError(
            "Give one of these: a FILE of requests or prompts, --brief TEXT, or --from-review REVIEW."
        )
    if brief is None:
        given = {
            "count": count is not None,
            "style": style is not None,
            "language": language != "English",
            "negative-prompts": negative_prompts,
            "chat-model": chat_model is not None,
        }
        if idle := [f"--{name}" for name, is_given in given.items() if is_given]:
            what = "a FILE has its own prompts" if file is not None else "a review has its own requests"
            raise InputError(f"{' and '.join(idle)} only work with --brief: {what}. Nothing was sent.")
    if not 1 <= in_flight <= 1000:
        raise InputError("--in-flight must be between 1 and 1000.")
    if not 1 <= workers <= 100:
        raise InputError("--workers must be between 1 and 100.")
    settings = request.request_fields()
    parameters: dict[str, Any] = {
        **run.parameters(),
        "in_flight": in_flight,
        "workers": workers,
    }
    reference: dict[str, Any] = {}
    if from_review is not None:
        if settings:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in settings)
            raise InputError(f"--from-review sends the same requests again: {names} cannot change them.")
        parameters |= _redo(from_review, run, place)
        if not parameters["requests"]:
            if place.json:
                Terminal(quiet=True).document(Summary.of([]).as_json())
            return 0
        name = Path(from_review).stem if Path(from_review).suffix else from_review
        parameters["title"] = "Redo" if from_review == "-" else f"Redo of {name}"
    elif file is not None:
        if Path(file).is_file():
            parameters["title"] = Path(file).stem
            reference = {"file": str(Path(file).absolute()), "settings": settings, "lines": text.lines}
        lines = _whole(file, settings, text.lines)
        sourced = lines.requests
        parameters["requests"] = [found.request for found in sourced]
        # Check here, because the line numbers are known; the flow checks again what it uploads.
        take_in(parameters["requests"], names=[f"line {found.line}" for found in sourced])
        parameters["sweeps"] = [found.sweep for found in sourced]
        if any(found.tries != Tries() for found in sourced):
            parameters["tries"] = [found.tries for found in sourced]
        if any(found.take is not None for found in sourced):
            parameters["takes"] = [found.take for found in sourced]
        chosen = [found.chosen for found in sourced]
        usual = run.tries()
        first = [
            first_made(found.request, found.tries.over(usual).fallback_models or (), strict=run.strict)
            for found in sourced
        ]
        Review.of(first, strict=run.strict, chosen=chosen).refuse_errors()
        _say_choices(chosen, place)
        for remark in () if place.json else lines.remarks:
            Terminal().say(remark)
    else:
        parameters["brief"] = brief_of_options(
            subject=brief,
            count=4 if count is None else count,
            style=style,
            language=language,
            negative_prompts=negative_prompts,
            model=settings.pop("model", None),
            seconds=settings.get("seconds"),
            chat_model=chat_model,
        )
        parameters["settings"] = settings
        if "media" in settings:
            model = (
                Catalogue.load().default_model.name
                if parameters["brief"].model is None
                else parameters["brief"].model
            )
            take_in([make_request({"model": model, "prompt": brief, **settings})[0]])
    copies = None if output is None or confirm.dry_run else Output.of(output, takes_file=False)
    return _run("batch", parameters, place, confirm, reference, output=copies)


def _whole(file: str, settings: Mapping[str, Any], how: Lines) -> RequestLines:
    lines = read_lines(file, settings, Catalogue.load().default_model.name, lines=how)
    try:
        lines.whole()
    except InputError as error:
        hint = "together-video check, with the same FILE and options, lists everything that needs fixing."
        raise InputError(f"{error.message}\n{hint}") from error
    return lines


def _redo(review: str, run: RunOptions, place: PlaceOptions) -> dict[str, Any]:
    """The requests and takes that replace the rejected clips of a review."""
    from prefect_together_video.flows.cli.finding.redo import redos_of

    redos = redos_of(review, run, place)
    requests = [redo.request for redo in redos]
    if requests:
        first = [first_made(one, run.tries().fallback_models or (), strict=run.strict) for one in requests]
        Review.of(first, strict=run.strict, chosen=[() for _ in requests]).refuse_errors()
    return {"requests": requests, "takes": [redo.take for redo in redos]}


def _say_choices(chosen: Iterable[Iterable[Finding]], place: PlaceOptions) -> None:
    """Print once what aspect, quality and adherence became, before anything is bought. With --json, only warnings."""
    found = [finding for several in chosen for finding in several]
    for line in dict.fromkeys(str(one) for one in found if not place.json or one.level is not Level.NOTE):
        Terminal().say(line)


def _run(
    kind: Kind,
    parameters: dict[str, Any],
    place: PlaceOptions,
    confirm: ConfirmOptions,
    reference: dict[str, Any] | None = None,
    *,
    output: Output | None = None,
) -> int:
    # Several workers need a Prefect server to share the work.
    prefect = needs_prefect(place) or parameters.get("workers", 1) > 1
    with shutdown.when_done():
        terminal = begin(place, prefect=prefect)
        from prefect_together_video.flows.cli.confirmation import Confirmation

        run: Run = _recorded(kind, reference) if prefect else _unrecorded(kind)
    asking = Confirmation.of(confirm, place, terminal, brief="brief" in parameters)
    code, summary = run(parameters, place, terminal, asking=asking)
    if isinstance(summary, Summary):
        summary = with_files(summary, output, place, terminal.complain)
        terminal.result(summary, as_json=place.json)
        good = [found for found in summary.videos if found.state in GOOD]
        if output is not None and any(found.file is None for found in good):
            return code or 1
    return code


def _recorded(kind: Kind, reference: dict[str, Any] | None) -> Run:
    """Run the flow with Prefect, which records it if a server is configured."""
    from prefect_together_video.flows.cli.running import run_flow

    if kind == "video":
        from prefect_together_video.flows.video import generate_video as flow
    else:
        from prefect_together_video.flows.batch import generate_batch as flow  # type: ignore[assignment]
    return partial(run_flow, flow, reference=reference)


def _unrecorded(kind: Kind) -> Run:
    """Run the work of the flow without importing Prefect."""
    from prefect_together_video.flows.cli.execution import run_without_prefect

    if kind == "video":
        from prefect_together_video.flows.engine.video_run import make_one as work
    else:
        from prefect_together_video.flows.engine.batch_run import make_batch as work  # type: ignore[assignment]
    return partial(run_without_prefect, work)
