"""Tables without lines, for a terminal and for a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

#: Characters between columns.
GAP = 2


def plain_table() -> Table:
    """Columns that are divided by blanks."""
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))


def print_table(table: Table, out: Console) -> None:
    """In a pipe without the blanks that fill a line up."""
    if out.is_terminal:
        out.print(table)
        return
    lines = out.render_lines(table, pad=False)
    for line in lines:
        text = "".join(segment.text for segment in line if not segment.control)
        out.print(text.rstrip(), soft_wrap=True, markup=False)
