"""Files of requests: JSON Lines, JSON, CSV, TSV, or a prompt a line.

Beside the request fields a line may use shorthand (`presets`), and in JSON a list in place of a
value, which makes a request for each of its entries (`sweeps`). A file is taken as a whole or not
at all: everything that is wrong with it is said at once, and nothing is sent before all of it can
be used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from together_video.catalogue import Catalogue
from together_video.catalogue.findings import Finding
from together_video.errors import InputError
from together_video.explain import explain, printable
from together_video.media_sources import anchored, anchored_fields
from together_video.presets import expand, overlay
from together_video.records import Sweep
from together_video.request_rows import Row, RowFormat, UnreadableText, read_rows
from together_video.requests import VideoRequest
from together_video.sweeps import MOST_SWEPT, combinations, count_of, swept_fields

#: Largest file that is read, in bytes. A request file is text; what is larger is something else.
LARGEST_FILE = 64 * 1024 * 1024

_SHOWN = 10
_FORMATS = {
    ".jsonl": RowFormat.JSON_LINES,
    ".ndjson": RowFormat.JSON_LINES,
    ".json": RowFormat.JSON,
    ".csv": RowFormat.CSV,
    ".tsv": RowFormat.TSV,
    ".txt": RowFormat.TEXT,
}
#: Text whose lines are no prompts: each of them would be paid for as one.
_STRUCTURED = frozenset({".yaml", ".yml", ".toml", ".ini", ".xml", ".html", ".htm", ".py", ".js", ".sh"})


class SourcedRequest(BaseModel):
    """A request and the line (in a .json file: the item) that it came from, counted from 1.

    `sweep` is set where lists in the line made several requests; `chosen` tells what its shorthand
    became.
    """

    model_config = ConfigDict(frozen=True)

    request: VideoRequest
    line: int
    sweep: Sweep | None = None
    chosen: tuple[Finding, ...] = ()


def read_requests(
    path: str | Path,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
    *,
    stdin: BinaryIO | None = None,
) -> list[SourcedRequest]:
    """Read a file of requests, in the format that its suffix names.

    `.jsonl` and `.ndjson` hold an object of request fields or a prompt in quotes on each line,
    `.json` a list of such, `.csv` and `.tsv` a header of request fields, everything else a prompt a
    line. `-` is standard input. What has no suffix is JSON Lines if it begins with `{`, else text.
    A list where JSON has one value for a request field makes a request for each entry, and several
    lists one for each combination.
    `defaults` are request fields for what a line does not say; `default_model` is taken where
    neither names a model. Relative paths of media are taken from the file's folder in a line, from the
    working directory in `defaults`.

    Raises:
        InputError: the file cannot be read, holds nothing, or has lines that cannot be used. The
            message is the whole explanation, on several lines.
    """
    name = "standard input" if str(path) == "-" else printable(str(path))
    suffix = "" if str(path) == "-" else Path(path).suffix.lower()
    if suffix in _STRUCTURED:
        raise InputError(f"{name}: is no list of prompts. Give a .jsonl, .csv, .json or .txt file.")
    text = _decoded(_content(path, name, stdin), name)
    form = _FORMATS.get(suffix) or _guess(text)
    # Options name files from where the command was given, lines from where their file lies.
    here = anchored_fields(defaults or {}, Path.cwd())
    folder = Path.cwd() if str(path) == "-" else Path(path).absolute().parent
    found = parse_requests(text, form, name, here, default_model)
    return [line.model_copy(update={"request": anchored(line.request, folder)}) for line in found]


def parse_requests(
    text: str,
    form: RowFormat,
    name: str,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
) -> list[SourcedRequest]:
    """As `read_requests`, from text that was read elsewhere. `name` is what messages call it.

    Raises:
        InputError: there is nothing in it, or lines that cannot be used.
    """
    given = {field: value for field, value in (defaults or {}).items() if value is not None}
    if default_model is not None:
        given.setdefault("model", default_model)
    _check_defaults(given)
    requests: list[SourcedRequest] = []
    refused: list[tuple[int, Sequence[str]]] = []
    lines = swept = 0
    try:
        for row in read_rows(text, form):
            lines += 1
            swept += count_of(row.fields) if swept_fields(row.fields) else 0
            found, problems = _requests(row, form.unit, given, swept)
            if problems:
                refused.append((row.line, problems))
            else:
                requests += found
    except UnreadableText as error:
        raise InputError(f"{name}: {error}; nothing was sent.") from error
    if refused:
        raise InputError(_report(name, form.unit, refused, lines))
    if not requests:
        raise InputError(f"{name}: holds no prompts or requests.")
    return requests


def _check_defaults(defaults: Mapping[str, Any]) -> None:
    """Say once what is wrong with the defaults, instead of once a line."""
    _, problems = _requests(Row(0, {"model": "any"}), "line", defaults, 0)
    if problems:
        raise InputError(f"{'; '.join(problems)}; nothing was sent.")


def _requests(
    row: Row, unit: str, defaults: Mapping[str, Any], swept: int
) -> tuple[list[SourcedRequest], list[str]]:
    """What a row stands for: one request, or one for each combination of its lists; and what is wrong.

    `swept` counts the requests that lists have made so far, with this row's.
    """
    empty = [f"{name}: the list is empty" for name in swept_fields(row.fields) if not row.fields[name]]
    if empty:
        return [], [*row.problems, *empty]
    if swept > MOST_SWEPT:
        words = f"its lists bring the file to {swept:,} requests; at most {MOST_SWEPT:,} can be made of lists"
        return [], [*row.problems, words]
    requests: list[SourcedRequest] = []
    problems: dict[str, None] = dict.fromkeys(row.problems)
    catalogue = Catalogue.load()
    for fields, sweep in combinations(row.fields, f"{unit} {row.line}"):
        expansion = expand(_filled(fields, defaults), catalogue)
        problems.update(dict.fromkeys(expansion.problems))
        try:
            request = VideoRequest.model_validate(expansion.fields)
        except ValidationError as error:
            # A row whose form is wrong already has said what matters; its gaps are a consequence.
            if row.fields or not problems:
                problems.update(dict.fromkeys(explain(error)))
        else:
            requests.append(
                SourcedRequest(request=request, line=row.line, sweep=sweep, chosen=expansion.chosen)
            )
    return requests, list(problems)


def _filled(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The line's fields over the defaults. Null means that the line does not say it."""
    said = {name: value for name, value in fields.items() if value is not None}
    filled = {**overlay(said, defaults), **said}
    for name in ("media", "extra"):
        mine, theirs = said.get(name), defaults.get(name)
        if isinstance(theirs, BaseModel):
            theirs = theirs.model_dump(exclude_none=True)
        if isinstance(theirs, Mapping) and (mine is None or isinstance(mine, Mapping)):
            filled[name] = {**theirs, **(mine or {})}
    # The deprecated spelling of a line replaces a default in either spelling, and the other way round.
    media = said.get("media")
    for name in ("frame_images", "reference_images"):
        if name in said and name not in (media or {}) and isinstance(filled.get("media"), dict):
            filled["media"] = {part: value for part, value in filled["media"].items() if part != name}
        elif name in defaults and isinstance(media, Mapping) and media.get(name) is not None:
            filled.pop(name)
    return filled


def _report(name: str, unit: str, refused: Sequence[tuple[int, Sequence[str]]], total: int) -> str:
    units = unit if total == 1 else f"{unit}s"
    lines = [f"{name}: {len(refused)} of {total} {units} cannot be used; nothing was sent."]
    lines += [f"  {unit} {line}: {'; '.join(problems)}" for line, problems in refused[:_SHOWN]]
    if len(refused) > _SHOWN:
        lines.append(f"  … and {len(refused) - _SHOWN} more")
    return "\n".join(lines)


def _content(path: str | Path, name: str, stdin: BinaryIO | None) -> bytes:
    try:
        if str(path) == "-":
            data = (stdin or sys.stdin.buffer).read(LARGEST_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file.") from None
    except IsADirectoryError:
        raise InputError(f"{name}: is a folder, not a file of requests.") from None
    except PermissionError:
        raise InputError(f"{name}: may not be read by this user.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if len(data) > LARGEST_FILE:
        raise InputError(
            f"{name}: is larger than {LARGEST_FILE // 1024**2} MB, so it is no file of requests."
        )
    return data


def _decoded(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: is UTF-16 text. Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise InputError(f"{name}: is not UTF-8 text (byte 0x{byte:02x} in line {line}).") from None
    if "\0" in text:
        raise InputError(f"{name}: is not a text file.")
    if not text.strip():
        raise InputError(f"{name}: is empty.")
    return text


def _guess(text: str) -> RowFormat:
    start = next((s for line in text.split("\n") if (s := line.strip()) and not s.startswith("#")), "")
    return RowFormat.JSON_LINES if start.startswith("{") else RowFormat.TEXT
