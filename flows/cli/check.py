"""`together-video check`: errors, warnings and cost of a file of requests. Nothing is spent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from flows.cli.options import RequestOptions
from together_video.catalogue import Catalogue, Review
from together_video.catalogue.findings import Level
from together_video.catalogue.pricing import Estimate
from together_video.explain import printable
from together_video.media_intake import take_in
from together_video.records import Sweep
from together_video.request_files import SourcedRequest, read_requests

_COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.ADVICE: "cyan", Level.NOTE: "blue"}


def check(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(negative=())] = False,
    request: RequestOptions = RequestOptions(),  # noqa: B008 - frozen
) -> int:
    """Look at a FILE of requests or prompts: what cannot work, what may not, what it costs. Nothing is sent.

    Parameters
    ----------
    file
        JSONL, CSV, JSON, or text with a prompt a line; - is standard input.
    strict
        Treat warnings as errors.
    json_
        Print one JSON document on stdout and nothing else.
    """
    sourced = read_requests(file, request.request_fields(), Catalogue.load().default_model.name)
    intake = take_in([found.request for found in sourced], names=[f"line {found.line}" for found in sourced])
    review = Review.of(intake.requests, strict=strict, chosen=[found.chosen for found in sourced])
    if json_:
        print(json.dumps(_document(sourced, review), indent=1, ensure_ascii=False))  # noqa: T201 - the result
    else:
        _show(sourced, review)
    return 2 if review.errors else 0


def _show(sourced: list[SourcedRequest], review: Review) -> None:
    """How many and how much first, then what there is to say of each line."""
    out = Console(highlight=False, soft_wrap=True)
    errors = len(review.errors)
    count = len(review.requests)
    out.print(
        f"{count} request{'s' if count != 1 else ''}, {errors or 'no'} error{'s' if errors != 1 else ''}."
    )
    for line, made in _swept(sourced).items():
        fields = " × ".join(f"{name} ({size})" for name, size in made["varied"].items())
        out.print(f"line {line}: a sweep of {made['requests']} requests: {escape(fields)}.")
    out.print(escape(_cost(review.total)))
    shown: set[tuple[Level, int | None, str]] = set()
    for found, reviewed in zip(sourced, review.requests, strict=True):
        for finding in reviewed.findings:
            # A remark about the model is the same on each line: once is enough. Errors are told of each line.
            place = found.line if finding.level is Level.ERROR else None
            if (finding.level, place, finding.message) in shown:
                continue
            shown.add((finding.level, place, finding.message))
            source = f" [dim]\\[{escape(finding.source)}][/]" if finding.source else ""
            out.print(
                f"line {found.line}: [{_COLOURS[finding.level]}]{finding.level}[/] "
                f"{escape(finding.field)}: {escape(printable(finding.message, 500))}{source}"
            )


def _swept(sourced: list[SourcedRequest]) -> dict[int, dict[str, Any]]:
    """The lines that hold lists: how many requests each makes, and how many values of which fields."""
    sweeps: dict[int, list[Sweep]] = {}
    for found in sourced:
        if found.sweep is not None:
            sweeps.setdefault(found.line, []).append(found.sweep)
    return {
        line: {
            "requests": len(made),
            "varied": {name: len({one.values[name] for one in made}) for name in made[0].values},
        }
        for line, made in sweeps.items()
    }


def _cost(cost: Estimate) -> str:
    if cost.usd is None:
        return f"Cost: unknown ({cost.words})."
    span = f"{cost.low_usd:.2f} to {cost.usd:.2f}" if cost.low_usd != cost.usd else f"{cost.usd:.2f}"
    return f"Cost: {span} USD, {cost.certainty} ({cost.words.rstrip('.')}). Nothing was spent."


def _document(sourced: list[SourcedRequest], review: Review) -> dict[str, object]:
    rows = [
        {
            "line": found.line,
            "model": found.request.model,
            "prompt": found.request.prompt,
            "varied": found.sweep.values if found.sweep else {},
            "findings": [finding.model_dump(mode="json") for finding in reviewed.findings],
            "cost_usd": _number(reviewed.estimate.usd),
            "certainty": reviewed.estimate.certainty.value,
        }
        for found, reviewed in zip(sourced, review.requests, strict=True)
    ]
    total = review.total
    return {
        "requests": rows,
        "sweeps": [{"line": line, **made} for line, made in _swept(sourced).items()],
        "errors": len(review.errors),
        "cost_usd": _number(total.usd),
        "low_usd": _number(total.low_usd),
        "certainty": total.certainty.value,
    }


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
