"""`together-video models`: what can be made, with which limits, at what price."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from together_video.catalogue import Catalogue
from together_video.catalogue.sheets import sheet, table_rows

#: Columns for terminals that are at least so many characters wide.
_WIDE, _MORE = 150, ("keyframes", "audio", "fps", "prompt", "certainty")


def models(
    name: str | None = None,
    /,
    *,
    all_: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """The models that are offered, or everything that is known of one of them.

    Parameters
    ----------
    name
        A model's API name.
    all_
        Show those that are no longer offered as well.
    json_
        Print one JSON document on stdout and nothing else.
    """
    catalogue = Catalogue.load()
    if name is not None:
        model = catalogue.get(name)
        if json_:
            print(model.model_dump_json(indent=1))  # noqa: T201 - the result
            return 0
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for label, text in sheet(model, catalogue):
            table.add_row(label, escape(text))
        Console(highlight=False).print(table)
        return 0
    chosen = [model for model in catalogue.models if all_ or model.offered]
    if json_:
        print(json.dumps([model.model_dump(mode="json") for model in chosen], indent=1))  # noqa: T201 - the result
        return 0
    names = {model.name for model in chosen}
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    wide = console.width >= _WIDE
    for column in ("model", "from", "seconds", "sizes", "price", *(_MORE if wide else ())):
        table.add_column(column, no_wrap=column in {"model", "price"}, overflow="ellipsis")
    for row in table_rows(catalogue):
        if row.model in names:
            cells = [row.model, row.tasks, row.seconds, row.sizes, row.price]
            if wide:
                cells += [row.keyframes, row.audio, row.fps, row.prompt, row.certainty]
            table.add_row(*map(escape, cells), style=None if row.offered == "yes" else "dim")
    console.print(table)
    retired = sum(not model.offered for model in catalogue.models)
    console.print(
        f"\nDefault: {catalogue.default_model.name}. As of {catalogue.as_of}."
        + ("" if all_ else f" {retired} more are no longer offered: --all shows them.")
        + " One in full: together-video models NAME",
        style="dim",
    )
    return 0
