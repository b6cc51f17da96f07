"""Show a storyboard before it is made: a table of its shots, their problems, the price and the length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape

from prefect_together_video.flows.cli.screen.findings import (
    SOURCES_EXPLAINED,
    cost_line,
    finding_line,
    has_source,
)
from prefect_together_video.flows.cli.screen.json_output import errors_as_document, json_text
from prefect_together_video.flows.cli.screen.tables import GAP, plain_table, print_table
from together_video.catalogue.findings import Finding, Level
from together_video.film.media_checks import with_media_checked
from together_video.film.plan import FilmPlan
from together_video.film.planned_shot import PlannedShot
from together_video.film.reading import read_storyboard
from together_video.money import usd_cells, usd_number_or_none
from together_video.text import counted, one_line, printable

#: Most characters of a model's name, and fewest of a shot's title.
_MODEL, _TITLE = 16, 12


def check_storyboard(file: str, *, strict: bool = False, as_json: bool = False) -> int:
    """Check a storyboard and print its problems, length and price. Nothing is sent. Returns 2 if it has errors.

    Raises:
        InputError: the file cannot be read, or is not a storyboard.
    """
    with errors_as_document(as_json):
        plan = FilmPlan.of(read_storyboard(file), strict=strict)
    plan = with_media_checked(plan, strict=strict)
    if as_json:
        print(json_text(plan_document(plan)))  # noqa: T201 - the result
    else:
        out = Console(highlight=False, emoji=False)
        show_plan(plan, out)
        show_findings(plan, out)
    return 2 if plan.errors else 0


def show_plan(plan: FilmPlan, out: Console) -> None:
    """Print the number of shots, length and price, and a row for each shot. It fits 80 columns."""
    for line in _summary(plan):
        out.print(escape(line), soft_wrap=True)
    columns = _columns(plan)
    beside = sum(max(len(name), *map(len, cells)) + GAP for name, cells in columns.items())
    table = plain_table()
    for name in columns:
        right = name in {"shot", "s", "USD", "follows"}
        table.add_column(name, no_wrap=True, justify="right" if right else "left")
    longest = max(out.width - beside, _TITLE)
    table.add_column("shows", no_wrap=True, overflow="ellipsis", max_width=longest)
    for one, *cells in zip(plan.shots, *columns.values(), strict=True):
        table.add_row(*map(escape, (*cells, one_line(one.title))))
    out.print()
    print_table(table, out)


def show_findings(plan: FilmPlan, out: Console) -> None:
    """Print the findings. A finding that several shots share is printed once, with the numbers of those shots."""
    found: dict[tuple[Level, str, str], list[int | None]] = {}
    finding_of: dict[tuple[Level, str, str], Finding] = {}
    for number, finding in plan.all_findings:
        key = (finding.level, finding.field, finding.message)
        finding_of.setdefault(key, finding)
        found.setdefault(key, []).append(number)
    if found:
        out.print()
    explained = False
    for key, numbers in found.items():
        explained = explained or has_source(finding_of[key])
        out.print(finding_line(_place(numbers), finding_of[key]), soft_wrap=True)
    if explained:
        out.print(SOURCES_EXPLAINED, style="dim", soft_wrap=True)


def plan_document(plan: FilmPlan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "title": plan.storyboard.title,
        "seconds": None if plan.form.seconds is None else float(plan.form.seconds),
        "size": None if plan.form.size is None else str(plan.form.size),
        "fps": None if plan.form.fps is None else float(plan.form.fps),
        "chains": [list(chain) for chain in plan.chains],
        "shots": [_shot_document(one) for one in plan.shots],
        "findings": [finding.model_dump(mode="json") for finding in plan.findings],
        "errors": len(plan.errors),
        "cost_usd": usd_number_or_none(plan.total.usd),
        "low_usd": usd_number_or_none(plan.total.low_usd),
        "certainty": plan.total.certainty.value,
    }


def _shot_document(one: PlannedShot) -> dict[str, Any]:
    return {
        "shot": one.number,
        "name": one.shot.name,
        "chain": one.chain,
        "follows": one.number - 1 if one.shot.is_chained else None,
        "same_as": one.same_as,
        "model": one.request.model,
        "prompt": one.request.prompt,
        "seconds": None if one.seconds is None else float(one.seconds),
        "size": None if one.size is None else str(one.size),
        "fps": one.fps,
        "take": one.shot.take,
        "cost_usd": usd_number_or_none(one.estimate.usd),
        "findings": [finding.model_dump(mode="json") for finding in one.findings],
    }


def _summary(plan: FilmPlan) -> Iterator[str]:
    shots, chains = counted(len(plan.shots), "shot"), counted(len(plan.chains), "chain")
    errors = counted(len(plan.errors), "error") if plan.errors else "no errors"
    yield f"{printable(plan.storyboard.title, 60)}: {shots} in {chains}, {errors}."
    form = plan.form
    length = "of unknown length" if form.seconds is None else f"{form.seconds.normalize():f} s long"
    size = "" if form.size is None else f", {form.size}"
    rate = "" if form.fps is None else f", {form.fps.normalize():f} frames per second"
    yield f"The film is {length}{size}{rate}."
    yield cost_line(plan.total)


def _columns(plan: FilmPlan) -> dict[str, list[str]]:
    """The columns of the table. Empty ones are left out."""
    shots = plan.shots
    amounts = usd_cells(None if one.same_as else one.estimate.usd for one in shots)
    columns = {
        "shot": [str(one.number) for one in shots],
        "follows": [str(one.number - 1) if one.shot.is_chained else "" for one in shots],
        "model": [printable(one.request.model.rpartition("/")[2], _MODEL) for one in shots],
        "s": ["" if one.seconds is None else f"{one.seconds.normalize():f}" for one in shots],
        "size": ["" if one.size is None else str(one.size) for one in shots],
        "take": [str(one.shot.use or "") for one in shots],
        "USD": [
            f"as {one.same_as}" if one.same_as else cell for one, cell in zip(shots, amounts, strict=True)
        ],
        "problems": [_problems(one) for one in shots],
    }
    return {name: cells for name, cells in columns.items() if any(cells)}


def _problems(one: PlannedShot) -> str:
    counts = Counter(finding.level for finding in one.findings)
    if counts[Level.ERROR]:
        return counted(counts[Level.ERROR], "error")
    return counted(counts[Level.WARNING], "warning") if counts[Level.WARNING] else ""


def _place(numbers: list[int | None]) -> str:
    """`Shot 3`, `Shots 1-4, 6`, `Film`."""
    shots = [number for number in numbers if number is not None]
    if not shots:
        return "Film"
    runs: list[list[int]] = []
    for number in dict.fromkeys(shots):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"Shot {said}" if len(shots) == 1 else f"Shots {said}"
