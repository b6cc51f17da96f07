"""`together-video check`: report errors, warnings and the cost of a file of requests. Nothing is spent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from prefect_together_video.flows.cli.options import RequestOptions, TextOptions
from prefect_together_video.flows.cli.screen.findings import (
    SOURCES_EXPLAINED,
    cost_line,
    finding_line,
    has_source,
)
from prefect_together_video.flows.cli.screen.json_output import errors_as_document, json_text
from together_video.catalogue import Catalogue, Review
from together_video.catalogue.findings import Finding, Level, error, warning
from together_video.catalogue.pricing import estimate
from together_video.errors import InputError
from together_video.inputs.fallbacks import Understudies, first_made, understudies
from together_video.inputs.files import read_lines
from together_video.inputs.findings import finding_of_media
from together_video.inputs.lines import RequestLines, SourcedRequest
from together_video.inputs.media import look_over
from together_video.ledger.records import Sweep
from together_video.money import usd, usd_number_or_none
from together_video.requests import VideoRequest
from together_video.text import counted


def check(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    strict: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(negative=())] = False,
    text: TextOptions = TextOptions(),  # noqa: B008 - frozen
    request: RequestOptions = RequestOptions(),  # noqa: B008 - frozen
) -> int:
    """Check a FILE of requests or prompts, and report errors, warnings and the price. Nothing is sent.

    Parameters
    ----------
    file
        JSONL, CSV, JSON, or text with one prompt per line; - is standard input.
    strict
        Treat warnings as errors.
    json_
        Print one JSON document on stdout and nothing else.
    """
    with errors_as_document(json_):
        lines = read_lines(
            file, request.request_fields(), Catalogue.load().default_model.name, lines=text.lines
        )
    sourced = list(lines.requests)
    intake, problems = look_over([found.request for found in sourced])
    told = [list(found.chosen) for found in sourced]
    for problem in problems:
        told[problem.request].append(finding_of_media(problem.place, problem.words))
    for note in intake.notes:
        told[note.request].append(warning(note.place, f"{note.words}.", "project"))
    first, highest = _made_first(sourced, intake.requests, told, strict=strict)
    looked = _Looked(lines, Review.of(first, strict=strict, chosen=told), highest)
    if json_:
        print(json_text(_document(looked)))  # noqa: T201 - the result
    else:
        _show(looked)
    return 2 if looked.errors else 0


def _made_first(
    sourced: Sequence[SourcedRequest],
    requests: Sequence[VideoRequest],
    told: Sequence[list[Finding]],
    *,
    strict: bool,
) -> tuple[list[VideoRequest], Decimal | None]:
    """The requests for the models that would be tried first, and the highest price of all, in US dollars, if fallback
    models take over. Findings about the fallback models are added to `told`.
    """
    first: list[VideoRequest] = []
    highest: Decimal | None = Decimal(0)
    for line, asked, said in zip(sourced, requests, told, strict=True):
        names = line.tries.fallback_models or ()
        try:
            others = understudies(asked, names, strict=strict)
            first.append(first_made(asked, names, strict=strict))
        except InputError as failure:
            words = failure.what.removesuffix(" Nothing was sent.")
            said.append(error("fallback_models", words, "models-table, project"))
            others = Understudies(())
            first.append(asked)
        said += [warning("fallback_models", remark, "project") for remark in others.remarks]
        prices = [estimate(first[-1]).usd, *(one.estimate_usd for one in others.fallbacks)]
        known = [price for price in prices if price is not None]
        highest = None if highest is None or len(known) < len(prices) else highest + max(known)
    return first, highest


@dataclass(frozen=True)
class _Looked:
    """The lines of a file, and the findings about their requests."""

    lines: RequestLines
    review: Review
    #: The highest price, in US dollars: each request made by the most expensive of its models.
    highest_usd: Decimal | None

    @property
    def errors(self) -> int:
        refused = (finding for bad in self.lines.refused for finding in bad.findings)
        return len(self.review.errors) + sum(finding.level is Level.ERROR for finding in refused)

    def findings(self) -> Iterator[tuple[int, Finding]]:
        """Each finding with its line, in the order of the file."""
        found = [(bad.line, bad.findings) for bad in self.lines.refused]
        found += [
            (line.line, made.findings)
            for line, made in zip(self.lines.requests, self.review.requests, strict=True)
        ]
        for line, findings in sorted(found, key=lambda pair: pair[0]):
            for finding in findings:
                yield line, finding


def _show(looked: _Looked) -> None:
    """Print the number of requests and the price first, then the findings of each line."""
    out = Console(highlight=False, emoji=False, soft_wrap=True)
    lines, review = looked.lines, looked.review
    errors = counted(looked.errors, "error") if looked.errors else "no errors"
    out.print(f"{counted(len(review.requests), 'request')}, {errors}.")
    if review.requests:
        out.print(escape(cost_line(review.total)))
        if looked.highest_usd is not None and looked.highest_usd > (review.total.usd or looked.highest_usd):
            out.print(f"At most {usd(looked.highest_usd)} if fallback models take over.")
    for line, made in _swept(lines.requests).items():
        fields = " × ".join(f"{name} ({size})" for name, size in made["varied"].items())
        again = ", some more than once" if math.prod(made["varied"].values()) < made["requests"] else ""
        many = counted(made["requests"], "request")
        out.print(f"{lines.unit} {line}: a sweep of {many}: {escape(fields)}{again}.")
    if lines.notes:
        are = "begins with # and is a note" if lines.notes == 1 else "begin with # and are notes"
        out.print(f"{counted(lines.notes, 'line')} {are}.")
    for remark in lines.remarks:
        out.print(escape(remark))
    if lines.refused:
        units = counted(lines.count, lines.unit)
        out.print(f"{escape(lines.name)}: {len(lines.refused)} of {units} cannot be used.")
    shown: set[tuple[Level, int | None, str]] = set()
    explained = False
    for line, finding in looked.findings():
        # A remark about the model is the same on each line: show it once. Show errors for every line.
        place = line if finding.level is Level.ERROR else None
        if (finding.level, place, finding.message) in shown:
            continue
        shown.add((finding.level, place, finding.message))
        explained = explained or has_source(finding)
        out.print(finding_line(f"{lines.unit} {line}", finding, none="line"))
    if explained:
        out.print(SOURCES_EXPLAINED, style="dim")


def _swept(sourced: Sequence[SourcedRequest]) -> dict[int, dict[str, Any]]:
    """The lines that contain lists, with the number of requests and the number of values of each varied field."""
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


def _document(looked: _Looked) -> dict[str, object]:
    lines, review = looked.lines, looked.review
    rows = [
        {
            "line": found.line,
            "model": found.request.model,
            "prompt": found.request.prompt,
            "varied": found.sweep.values if found.sweep else {},
            "findings": [finding.model_dump(mode="json") for finding in reviewed.findings],
            "cost_usd": usd_number_or_none(reviewed.estimate.usd),
            "certainty": reviewed.estimate.certainty.value,
        }
        for found, reviewed in zip(lines.requests, review.requests, strict=True)
    ]
    refused = [
        {"line": bad.line, "findings": [finding.model_dump(mode="json") for finding in bad.findings]}
        for bad in lines.refused
    ]
    total = review.total
    return {
        "requests": rows,
        "refused": refused,
        "sweeps": [{"line": line, **made} for line, made in _swept(lines.requests).items()],
        "notes": lines.notes,
        "remarks": lines.remarks,
        "errors": looked.errors,
        "cost_usd": usd_number_or_none(total.usd),
        "low_usd": usd_number_or_none(total.low_usd),
        "highest_usd": usd_number_or_none(looked.highest_usd),
        "certainty": total.certainty.value,
    }
