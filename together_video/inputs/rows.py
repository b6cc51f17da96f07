"""The text of a request file -> rows of request fields, in each of the formats.

This module checks only the form of the file. The caller checks whether the fields make a request.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from together_video.inputs.json_values import UnreadableText, json_document, json_value, why_not_json
from together_video.inputs.presets import PRESET_FIELDS
from together_video.inputs.row import Row, lines_of
from together_video.inputs.text_lists import Lines, is_note, text_rows
from together_video.labels import label_name
from together_video.requests import Media, VideoRequest
from together_video.text import printable
from together_video.tries import TRIES_FIELDS
from together_video.validation_messages import quoted, unknown_name

_DEPRECATED = ("frame_images", "reference_images")
_FIELDS = (*VideoRequest.model_fields, *PRESET_FIELDS, *TRIES_FIELDS, *_DEPRECATED)
#: Other names for a field in a column's header.
_MEANT = {
    **dict.fromkeys(("aspect_ratio", "shape"), "aspect"),
    **dict.fromkeys(("frame_rate", "framerate", "frames_per_second"), "fps"),
    **dict.fromkeys(
        ("duration", "length", "secs", "sec", "duration_(s)", "duration_s", "length_(s)"), "seconds"
    ),
    **dict.fromkeys(("negative", "neg_prompt", "negative_prompts"), "negative_prompt"),
    **dict.fromkeys(("cfg", "cfg_scale", "guidance"), "guidance_scale"),
    **dict.fromkeys(("random_seed", "seed_value"), "seed"),
    **dict.fromkeys(("format", "file_format"), "output_format"),
    **dict.fromkeys(("model_name", "video_model"), "model"),
    **dict.fromkeys(("fallback_model", "fallbacks", "fallback"), "fallback_models"),
    **dict.fromkeys(("text", "prompt_text", "description"), "prompt"),
}
#: Ambiguous names, and what to write instead.
_HINTS = {
    **dict.fromkeys(
        (
            "image",
            "image_url",
            "first_frame",
            "start_image",
            "start_frame",
            "input_image",
            "last_frame",
            "end_frame",
        ),
        "frame_images",
    ),
    **dict.fromkeys(("reference", "reference_image", "references"), "reference_images"),
    **dict.fromkeys(("video", "video_url", "input_video"), "media.source_video"),
    **dict.fromkeys(("audio", "audio_url", "voice"), "media.audio_inputs"),
    "sound": "generate_audio",
    **dict.fromkeys(("size", "dimensions"), "width and height"),
    **dict.fromkeys(("n", "count", "takes"), "a separate line for each request"),
}
#: A column's name with at least this similarity is a typing mistake: "sedd" is seed, "scene" is not seconds.
_SLIP = 0.75
_DECIMAL, _COMMA = frozenset({"seconds", "guidance_scale"}), re.compile(r"\d+,\d+$")
_JSON_COLUMNS = frozenset({"media", "extra", "labels"})
#: The key for a bare address in a cell, if the field is a list of objects.
_ENTRY_KEYS = {"frame_images": "input_image", "frame_videos": "video", "reference_videos": "video"}


#: The first line that Excel writes or understands: `sep=;`.
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t|]*[ ]*(?:\r\n|\n|\r)', re.IGNORECASE)


#: More fields than any request has, including labels. Bounded because each wrong one is compared with all others.
_MOST_FIELDS = 300


class RowFormat(StrEnum):
    """The format of a request file."""

    JSON_LINES = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    TEXT = "text"

    @property
    def unit(self) -> str:
        return "item" if self is RowFormat.JSON else "line"


def count_notes(text: str, form: RowFormat) -> int:
    """How many lines are skipped because they begin with #."""
    if form not in {RowFormat.JSON_LINES, RowFormat.TEXT}:
        return 0
    if form is RowFormat.TEXT:
        return sum(map(is_note, lines_of(text)))
    return sum(line.lstrip().startswith("#") for line in lines_of(text))


def read_rows(text: str, form: RowFormat, lines: Lines = "checked") -> Iterator[Row]:
    """Yield the rows of a text. Blank lines are skipped; so are lines that begin with # in JSON Lines and in text.

    Args:
        lines: how the lines of plain text make prompts; see `text_lists`.

    Raises:
        UnreadableText: the text is not JSON, or its header has no known columns.
    """
    if form is RowFormat.JSON_LINES:
        return _json_lines(text)
    if form is RowFormat.JSON:
        return _json_items(text)
    if form is RowFormat.TEXT:
        return _text_lines(text, lines)
    return _cells(text)


def content_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are neither blank nor notes, stripped, with their numbers from 1."""
    for number, line in enumerate(lines_of(text), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _text_lines(text: str, lines: Lines) -> Iterator[Row]:
    first = next(content_lines(text), (0, ""))[1]
    for delimiter in ",;\t|":
        cells = [_column(cell) for cell in first.split(delimiter)]
        if lines == "checked" and len(cells) > 1 and all(map(_is_known, cells)):
            named = printable(", ".join(cells), 200)
            raise UnreadableText(f"begins like a table with the columns {named}: rename it to .csv")
    return text_rows(text, lines)


def _json_lines(text: str) -> Iterator[Row]:
    for number, line in content_lines(text):
        try:
            value = json_value(line)
        except json.JSONDecodeError as error:
            yield Row(number, problems=(f"is not JSON: {error.msg} (column {error.colno})",))
        except (ValueError, RecursionError) as error:
            yield Row(number, problems=(f"is JSON that cannot be used: {why_not_json(error)}",))
        else:
            yield _row_of(number, value)


def _json_items(text: str) -> Iterator[Row]:
    value = json_document(text)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise UnreadableText(f"must be a list of requests or prompts, is {quoted(value)}")
    return (_row_of(number, entry) for number, entry in enumerate(value, start=1))


def _row_of(number: int, value: object) -> Row:
    if isinstance(value, str):
        return Row(number, {"prompt": value})
    if isinstance(value, dict) and len(value) > _MOST_FIELDS:
        return Row(number, problems=(f"has {len(value)} fields; at most {_MOST_FIELDS} are allowed",))
    if isinstance(value, dict):
        return Row(number, value)
    return Row(
        number, problems=(f"must be an object of request fields or a prompt in quotes, is {quoted(value)}",)
    )


def _delimiter(header: str) -> str:
    """The delimiter that splits a header into the most known names, and then into the most names.

    Spreadsheets write semicolons if the comma is the decimal sign, and tabs into files of any name.
    """

    def score(sign: str) -> tuple[int, int]:
        cells = [_column(cell.strip().strip('"')) for cell in header.split(sign)]
        return sum(map(_is_known, cells)), len(cells)

    return max(",;\t|", key=score)


def _cells(text: str) -> Iterator[Row]:
    """Rows of a table with any delimiter."""
    # Excel's own first line names the delimiter and is not a header.
    named = _SEPARATOR.match(text)
    first, rest = (1, text[named.end() :]) if named else (0, text)
    header = next((line for line in lines_of(rest) if line.strip()), "")
    delimiter = named[1] if named else _delimiter(header)
    reader = csv.reader(
        io.StringIO(rest, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    columns: list[str] | None = None
    line = 1 + first
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # After a stray quote, rows cannot be told apart any more.
            unclosed = "unexpected end" in str(error)
            reason = "a quote is opened and never closed" if unclosed else printable(str(error))
            yield Row(line, problems=(f"cannot be read as cells: {reason}",))
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            if columns is None:
                columns = _columns(cells)
            else:
                yield _cell_row(line, columns, cells if delimiter != ";" else _with_points(columns, cells))
        line = reader.line_num + 1 + first


def _columns(cells: Sequence[str]) -> list[str]:
    """The header's names as field names: "Negative Prompt" is negative_prompt. A column with any other name is a label.

    Raises:
        UnreadableText: no column is known, one is given twice, or one looks like a misspelt field.
    """
    if len(cells) > _MOST_FIELDS:
        raise UnreadableText(f"has {len(cells)} columns; at most {_MOST_FIELDS} are allowed")
    columns = [_column(cell) for cell in cells]
    has_fields = any(map(_is_known, columns))
    wrong = []
    for place, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        if not column or _is_known(column):
            continue
        words = unknown_name("column", cell.strip(), _FIELDS)
        if (meant := _HINTS.get(column)) is not None:
            wrong.append(
                f"the column {quoted(cell.strip())} is not a request field: name it {meant}, or label.{column}"
            )
            continue
        in_an_object = column.partition(".")[0] in {"media", "extra"}
        if not has_fields or in_an_object or difflib.get_close_matches(column, _FIELDS, n=1, cutoff=_SLIP):
            wrong.append(words)
            continue
        try:
            columns[place] = f"labels.{label_name(cell)}"
        except ValueError as error:
            wrong.append(str(error))
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    wrong += [f"the column {quoted(column)} appears twice" for column in twice]
    whole = sorted(
        _JSON_COLUMNS & set(columns) & {column.partition(".")[0] for column in columns if "." in column}
    )
    wrong += [f"there are both a column {name} and columns {name}.…" for name in whole]
    if wrong:
        hint = "" if any(map(_is_known, columns)) else "; the first line must name the request fields"
        raise UnreadableText("; ".join(wrong[:5]) + hint)
    return columns


def _with_points(columns: Sequence[str], cells: Sequence[str]) -> list[str]:
    """If semicolons separate the cells, the comma is the decimal sign."""
    return [
        cell.replace(",", ".") if column in _DECIMAL and _COMMA.match(cell.strip()) else cell
        for column, cell in zip_longest(columns, cells[: len(columns)], fillvalue="")
    ] + list(cells[len(columns) :])


def _column(cell: str) -> str:
    first, dot, rest = cell.strip().partition(".")
    name = "_".join(first.lower().replace("-", " ").split())
    name = "labels" if name == "label" and rest else name
    name = name if dot else _MEANT.get(name, name)
    # Names under `extra` are the API's, in its spelling.
    return f"{name}{dot}{rest.strip()}"


def _is_known(column: str) -> bool:
    first, dot, rest = column.partition(".")
    if not dot:
        return first in _FIELDS
    return rest in Media.model_fields if first == "media" else first in {"extra", "labels"} and bool(rest)


def _cell_row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    fields: dict[str, Any] = {}
    problems: list[str] = []
    if any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(f"has {len(cells)} cells, but the header has {len(columns)}")
    for column, cell in zip(columns, cells, strict=False):
        value = cell.strip()
        if not value:
            continue
        if not column:
            problems.append(f"{quoted(value)} is in a column without a name")
            continue
        try:
            _put(fields, column, value)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else why_not_json(error)
            problems.append(f"{column}: is not JSON: {reason}")
    return Row(line, fields, tuple(problems))


def _put(fields: dict[str, Any], column: str, cell: str) -> None:
    """Set one cell. Numbers and true/false stay text: the request reads them by the field's type."""
    name, dot, inner = column.partition(".")
    if not dot:
        fields[name] = _media_cell(name, cell) if name in _DEPRECATED else _plain_cell(name, cell)
        return
    if name == "labels":
        value: Any = cell
    else:
        value = _media_cell(inner, cell) if name == "media" else _loose_json(cell)
    fields.setdefault(name, {})[inner] = value


def _plain_cell(name: str, cell: str) -> Any:
    return json_value(cell) if name in _JSON_COLUMNS else cell


def _media_cell(name: str, cell: str) -> Any:
    """JSON, or a bare address, which becomes a list of one if the field is a list."""
    if cell.startswith(("[", "{")):
        return json_value(cell)
    if name == "source_video":
        return cell
    return [{_ENTRY_KEYS[name]: cell}] if name in _ENTRY_KEYS else [cell]


def _loose_json(cell: str) -> Any:
    try:
        return json_value(cell)
    except (ValueError, RecursionError):
        return cell
