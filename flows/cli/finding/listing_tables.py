"""The rows of a list as a table for people. It fits 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.markup import escape

from prefect_together_video.flows.cli.screen.tables import print_table, titled_table
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.ledger.titles import with_varied
from together_video.money import usd_cells
from together_video.text import one_line, printable

#: Most characters of a model's name, and fewest of a title: a sweep's values and a word or two of the prompt.
_MODEL, _TITLE = 16, 12
#: Fewest characters of a batch's title.
_BATCH_TITLE = 8


def show_videos(rows: Sequence[Mapping[str, Any]], terminal: Terminal) -> None:
    """A line for each video. Empty columns are left out."""
    if not rows:
        terminal.out.print("No videos.")
        return
    columns = {
        "id": [row["id"][:8] for row in rows],
        "bought": [row["at"][:10] for row in rows],
        "state": [row["state"] for row in rows],
        "model": [printable(row["model"].rpartition("/")[2], _MODEL) for row in rows],
        "USD": _amounts(rows),
        "mark": [row["mark"] or "" for row in rows],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    left = columns.keys() - {"USD"}
    table, longest = titled_table(columns, left=left, width=terminal.out.width, least=_TITLE)
    for row, *cells in zip(rows, *columns.values(), strict=True):
        words = one_line(row["prompt"]) or one_line(row["error"] or "") or "—"
        table.add_row(*map(escape, (*cells, with_varied(words, row["varies"], longest))))
    print_table(table, terminal.out)


def show_batches(rows: Sequence[Mapping[str, Any]], terminal: Terminal) -> None:
    """A line for each batch. The columns for marks appear only if there are any."""
    if not rows:
        terminal.out.print(
            "No batches. To list videos that were made one by one: together-video list --videos"
        )
        return
    columns = {
        "batch": [row["id"] for row in rows],
        "videos": [str(row["videos"]) for row in rows],
        "ready": [str(row["archived"]) for row in rows],
        "USD": _usd([row["paid_usd"] for row in rows]),
    }
    if any(row["perhaps_paid_usd"] for row in rows):
        columns["perhaps"] = _usd([row["perhaps_paid_usd"] for row in rows])
    for name, counts in (("stars", "starred"), ("rejects", "rejected")):
        if any(row[counts] for row in rows):
            columns[name] = [str(row[counts]) for row in rows]
    table, _ = titled_table(columns, left={"batch"}, width=terminal.out.width, least=_BATCH_TITLE)
    for row, *cells in zip(rows, *columns.values(), strict=True):
        title = one_line(row["title"]) or ("—" if row["page"] else "(no gallery yet)")
        table.add_row(*cells, escape(title))
    print_table(table, terminal.out)


def _amounts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cost of each video. If it is perhaps paid, `?` and the highest amount, or `?` alone if that is unknown."""
    amounts = [row["perhaps_paid_usd"] or None if row["perhaps_paid"] else row["cost_usd"] for row in rows]
    cells = zip(rows, _usd(amounts), strict=True)
    return [("?" + cell.replace("—", "")) if row["perhaps_paid"] else cell for row, cell in cells]


def _usd(amounts: Sequence[float | None]) -> list[str]:
    return usd_cells(None if amount is None else Decimal(str(amount)) for amount in amounts)
