"""Tables without lines, for a terminal and for a pipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.console import Console
from rich.table import Table

#: Characters between columns.
GAP = 2


def plain_table() -> Table:
    """A table whose columns are separated by spaces."""
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))


def titled_table(
    columns: Mapping[str, Sequence[str]], *, left: Collection[str], width: int, least: int
) -> tuple[Table, int]:
    """A table of these columns, followed by a column for titles that takes the rest of the width, in characters.

    Args:
        left: names of the columns that are aligned left.
        least: fewest characters of a title that are shown.

    Returns:
        The table without rows, and the longest title that is shown whole.
    """
    beside = sum(max(len(name), *map(len, cells)) + GAP for name, cells in columns.items())
    longest = max(width - beside, least)
    table = plain_table()
    for name in columns:
        table.add_column(name, no_wrap=True, justify="left" if name in left else "right")
    table.add_column("title", no_wrap=True, overflow="ellipsis", max_width=longest)
    return table, longest


def print_table(table: Table, out: Console) -> None:
    """Print a table. In a pipe, leave out trailing spaces."""
    if out.is_terminal:
        out.print(table)
        return
    lines = out.render_lines(table, pad=False)
    for line in lines:
        text = "".join(segment.text for segment in line if not segment.control)
        out.print(text.rstrip(), soft_wrap=True, markup=False)
