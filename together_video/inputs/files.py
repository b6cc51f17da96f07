"""Files of requests: JSON Lines, JSON, CSV, TSV, or a prompt a line.

Beside the request fields a line may use shorthand (`presets`), and in JSON a list in place of a
value, which makes a request for each of its entries (`sweeps`). A file is taken as a whole or not
at all: everything that is wrong with it is said at once, and nothing is sent before all of it can
be used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from together_video.errors import InputError
from together_video.inputs.decoding import decoded, why_no_text
from together_video.inputs.lines import RequestLines, SourcedRequest, parse_lines
from together_video.inputs.rows import RowFormat, content_lines
from together_video.inputs.text_lists import Lines
from together_video.media.sources import anchored, anchored_fields
from together_video.text import printable

#: Largest file that is read, in bytes. A request file is text; what is larger is something else.
LARGEST_FILE = 64 * 1024 * 1024

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


def read_requests(
    path: str | Path,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
    *,
    stdin: BinaryIO | None = None,
    lines: Lines = "checked",
) -> list[SourcedRequest]:
    """Read a file of requests, in the format that its suffix names.

    `.jsonl` and `.ndjson` hold an object of request fields or a prompt in quotes on each line,
    `.json` a list of such, `.csv` and `.tsv` a header of request fields, everything else a prompt a
    line. `-` is standard input. What has no suffix is JSON Lines if it begins with `{`, else text.
    A list where JSON has one value for a request field makes a request for each entry, and several
    lists one for each combination.
    `defaults` are request fields for what a line does not say; `default_model` is taken where
    neither names a model. Relative paths of media are taken from the file's folder in a line, from the
    working directory in `defaults`. `lines` says how those of plain text make prompts; see `text_lists`.

    Raises:
        InputError: the file cannot be read, holds nothing, or has lines that cannot be used. The
            message is the whole explanation, on several lines.
    """
    return read_lines(path, defaults, default_model, stdin=stdin, lines=lines).whole()


def read_lines(
    path: str | Path,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
    *,
    stdin: BinaryIO | None = None,
    lines: Lines = "checked",
) -> RequestLines:
    """As `read_requests`, but what is wrong with single lines is told beside the other lines' requests.

    Raises:
        InputError: the file cannot be read, or not as a whole.
    """
    name = "standard input" if str(path) == "-" else printable(str(path))
    suffix = "" if str(path) == "-" else Path(path).suffix.lower()
    if suffix in _STRUCTURED:
        raise InputError(f"{name}: is no list of prompts. Give a .jsonl, .csv, .json or .txt file.")
    data = file_bytes(path, name, stdin=stdin)
    if words := why_no_text(data, suffix):
        raise InputError(f"{name}: {words}")
    text = decoded(data, name)
    form = _FORMATS.get(suffix) or _guess(text)
    # Options name files from where the command was given, lines from where their file lies.
    here = anchored_fields(defaults or {}, Path.cwd())
    folder = Path.cwd() if str(path) == "-" else Path(path).absolute().parent
    found = parse_lines(text, form, name, here, default_model, lines)
    requests = [
        line.model_copy(update={"request": anchored(line.request, folder)}) for line in found.requests
    ]
    return found.model_copy(update={"requests": tuple(requests)})


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
    return parse_lines(text, form, name, defaults, default_model).whole()


def file_bytes(
    path: str | Path,
    name: str,
    *,
    largest: int = LARGEST_FILE,
    what: str = "file of requests",
    stdin: BinaryIO | None = None,
) -> bytes:
    """The bytes of a file that somebody names; `-` is standard input.

    Args:
        name: what messages call it.
        largest: the most bytes that it may have.
        what: what it should be.

    Raises:
        InputError: there is no such file, it cannot be read, or it is larger.
    """
    try:
        if str(path) == "-":
            data = (stdin or sys.stdin.buffer).read(largest + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(largest + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file.") from None
    except IsADirectoryError:
        raise InputError(f"{name}: is a folder, not a {what}.") from None
    except PermissionError:
        raise InputError(f"{name}: may not be read by this user.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if len(data) > largest:
        raise InputError(f"{name}: is larger than {largest // 1024**2} MB, so it is not a {what}.")
    return data


def _guess(text: str) -> RowFormat:
    start = next((line for _, line in content_lines(text)), "")
    return RowFormat.JSON_LINES if start.startswith("{") else RowFormat.TEXT
