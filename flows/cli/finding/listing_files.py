"""The rows of a list as CSV, JSON Lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect_together_video.flows.cli.finding.listed_rows import Columns
from prefect_together_video.flows.cli.written_files import cannot_write
from together_video.atomic_files import part_of
from together_video.errors import InputError
from together_video.text import spreadsheet_cell

#: Most characters in a cell.
_LONGEST = 2_000
#: Parquet's names for the types of columns that are not text.
_KINDS = {float: "float64", float | None: "float64", int: "int64", bool: "bool_"}


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Columns) -> str:
    """A line for each row. Labels share one cell, as `name=value` each. Text that a spreadsheet would read as a formula
    is escaped.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return out.getvalue()


def _cell(value: Any) -> str | int | float:
    if isinstance(value, Mapping):
        value = "; ".join(f"{name}={text}" for name, text in value.items())
    if value is None:
        return ""
    return value if isinstance(value, int | float) else spreadsheet_cell(str(value), _LONGEST)


def as_lines(rows: Sequence[Mapping[str, Any]]) -> str:
    """A JSON object per line, in ASCII: control characters for terminals are escaped."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def check_parquet() -> None:
    """Check that Parquet can be written, before anything is read.

    Raises:
        InputError: pyarrow is not installed.
    """
    _pyarrow()


def write_parquet(rows: Sequence[Mapping[str, Any]], columns: Columns, path: Path) -> None:
    """Write the rows as a table, and replace the file. Labels are JSON text.

    Raises:
        InputError: pyarrow is not installed, or the file cannot be written.
    """
    pyarrow, parquet = _pyarrow()
    fields = [(name, getattr(pyarrow, _KINDS.get(kind, "string"))()) for name, kind in columns.items()]
    texts = {
        name: [json.dumps(row[name]) if isinstance(row[name], Mapping) else row[name] for row in rows]
        for name in columns
    }
    part = part_of(path)
    try:
        parquet.write_table(pyarrow.table(texts, schema=pyarrow.schema(fields)), str(part))
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error.strerror or error) from error
    except (pyarrow.ArrowException, OverflowError) as error:
        raise InputError(f"These rows cannot be written to {path}: {error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _pyarrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow: run pip install pyarrow, or use --csv or --jsonl."
        ) from error
