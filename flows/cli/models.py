"""`together-video models`: list the models with their limits and prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.screen.json_output import errors_as_document, json_text
from together_video.catalogue import Catalogue
from together_video.catalogue.examples import example_request
from together_video.catalogue.models import Model
from together_video.catalogue.sheets import EXAMPLE, ModelRow, sheet, table_rows

#: The columns, most important first: a narrow terminal shows as many of these as fit.
_BY_WEIGHT = (
    "model",
    "price",
    "tasks",
    "seconds",
    "sizes",
    "certainty",
    "offered",
    "keyframes",
    "audio",
    "fps",
    "prompt",
    "organisation",
)
#: The same columns in the order of reading.
_IN_ORDER = (
    "model",
    "organisation",
    "offered",
    "tasks",
    "seconds",
    "sizes",
    "fps",
    "keyframes",
    "audio",
    "prompt",
    "price",
    "certainty",
)
_HEADERS = {"tasks": "from", "certainty": "price is"}
_MARK = "*"
_ENDLESS = 1_000


def models(
    name: str | None = None,
    /,
    *,
    all_: Annotated[bool, Parameter(negative=())] = False,
    live: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """List the models that are offered, or show everything that is known about one of them.

    Parameters
    ----------
    name
        A model's API name.
    all_
        Also list models that are no longer offered.
    live
        Compare the catalogue with what the API offers to your key. Needs TOGETHER_API_KEY.
    json_
        Print one JSON document on stdout and nothing else.
    """
    if live:
        # Imported only here: the API's client takes twice as long to import as the rest.
        from prefect_together_video.flows.cli.live_models import read_live, show_live
    with errors_as_document(json_):
        catalogue = Catalogue.load()
        offer = read_live() if live else None
        is_live = offer is not None and name is not None and offer.find(name) is not None
        chosen_one = None if name is None or is_live else catalogue.get(name)
    if offer is not None:
        return show_live(offer, catalogue, name=name, every=all_, as_json=json_, console=_console())
    if chosen_one is not None:
        _show_one(chosen_one, catalogue, as_json=json_)
        return 0
    chosen = [model for model in catalogue.models if all_ or model.offered]
    if json_:
        print(json_text([_document(model) for model in chosen]))  # noqa: T201 - the result
        return 0
    console = _console()
    names = {model.name for model in chosen}
    rows = [row for row in table_rows(catalogue) if row.model in names]
    own = {model.name for model in chosen if model.own}
    columns = _fitting(rows, own, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(_HEADERS.get(column, column), no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = [escape(_cell(row, column, own)) for column in columns]
        table.add_row(*cells, style=None if row.offered == "yes" else "dim")
    console.print(table)
    retired = sum(not model.offered for model in catalogue.models)
    console.print(
        f"\nDefault: {catalogue.default_model.name}. As of {catalogue.as_of}."
        + ("" if all_ else f" {retired} more are no longer offered: --all shows them.")
        + " Details of one: together-video models NAME",
        style="dim",
        soft_wrap=True,
    )
    if own:
        console.print(
            f"{_MARK} added or corrected by {catalogue.own_file}", style="dim", soft_wrap=True, markup=False
        )
    return 0


def _show_one(model: Model, catalogue: Catalogue, *, as_json: bool) -> None:
    if as_json:
        print(json_text(_document(model)))  # noqa: T201 - the result
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    console = _console()
    example = ""
    for label, text in sheet(model, catalogue):
        if label == EXAMPLE:
            example = text
        else:
            table.add_row(label, escape(text))
    console.print(table)
    # Not in the table, which would fold it: people copy it.
    console.print(f"\n[bold]{EXAMPLE}[/]\n{escape(example)}", soft_wrap=True)


def _console() -> Console:
    console = Console(highlight=False, emoji=False)
    # A file or a pipe has no width: show every column and fold nothing.
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=_ENDLESS)


def _document(model: Model) -> dict[str, Any]:
    return {**model.model_dump(mode="json"), "example_request": example_request(model).payload()}


def _fitting(rows: Sequence[ModelRow], own: set[str], width: int) -> list[str]:
    """The columns that fit; at least name and price."""
    left = width
    chosen: list[str] = []
    for column in _BY_WEIGHT:
        cells = [_HEADERS.get(column, column), *(_cell(row, column, own) for row in rows)]
        needed = max(map(len, cells)) + 2
        # The last column needs no gap after it.
        if left + 2 >= needed or len(chosen) < 2:
            chosen.append(column)
            left -= needed
    return [column for column in _IN_ORDER if column in chosen]


def _cell(row: ModelRow, column: str, own: set[str]) -> str:
    text = str(getattr(row, column))
    return text + _MARK if column == "model" and row.model in own else text
