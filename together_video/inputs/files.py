"""Request files: JSON Lines, JSON, CSV, TSV, or one prompt per line.

Besides request fields, a line can use shorthand (`presets`). In JSON it can have a list instead of a value, which makes
a request for each entry (`sweeps`). A file is used as a whole or not at all: all problems are reported at once, and
nothing is sent until there are none.
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

#: Largest file that is read, in bytes. A request file is text; a larger file is something else.
LARGEST_FILE = 64 * 1024 * 1024

_FORMATS = {
    ".jsonl": RowFormat.JSON_LINES,
    ".ndjson": RowFormat.JSON_LINES,
    ".json": RowFormat.JSON,
    ".csv": RowFormat.CSV,
    ".tsv": RowFormat.TSV,
    ".txt": RowFormat.TEXT,
}
#: Text files whose lines are not prompts: each line would be bought as one.
_STRUCTURED = frozenset({".yaml", ".yml", ".toml", ".ini", ".xml", ".html", ".htm", ".py", ".js", ".sh"})


def read_requests(
    path: str | Path,
    defaults: Mapping[str, Any] | None = None,
    default_model: str | None = None,
    *,
    stdin: BinaryIO | None = None,
    lines: Lines = "checked",
) -> list[SourcedRequest]:
    """Read a request file, in the format of its suffix.

    `.jsonl` and `.ndjson` have an object of request fields or a prompt in quotes on each line, `.json` a list of those,
    `.csv` and `.tsv` a header of request fields, everything else one prompt per line. `-` is standard input. A name
    without a suffix means JSON Lines if the text begins with `{`, and plain text otherwise. In JSON, a list instead of
    a value makes a request for each entry, and several lists make one for each combination. `defaults` are request
    fields for what a line leaves out; `default_model` is used if neither names a model. Relative media paths in a line
    start at the file's folder, those in `defaults` at the working directory. `lines` says how lines of plain text make
    prompts; see `text_lists`.

    Raises:
        InputError: the file cannot be read, is empty, or has lines that cannot be used. The message explains
            everything, on several lines.
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
    """Like `read_requests`, but problems of single lines are returned together with the requests of the other lines.

    Raises:
        InputError: the file as a whole cannot be read.
    """
    name = "standard input" if str(path) == "-" else printable(str(path))
    suffix = "" if str(path) == "-" else Path(path).suffix.lower()
    if suffix in _STRUCTURED:
        raise InputError(f"{name}: is not a list of prompts. Give a .jsonl, .csv, .json or .txt file.")
    data = file_bytes(path, name, stdin=stdin)
    if words := why_no_text(data, suffix):
        raise InputError(f"{name}: {words}")
    text = decoded(data, name)
    form = _FORMATS.get(suffix) or _guess(text)
    # Paths in options start at the working directory, paths in lines at the folder of the file.
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
    """Like `read_requests`, but from text. `name` is the text's name in messages.

    Raises:
        InputError: the text is empty, or has lines that cannot be used.
    """
    return parse_lines(text, form, name, defaults, default_model).whole()


def file_bytes(
    path: str | Path,
    name: str,
    *,
    largest: int = LARGEST_FILE,
    what: str = "request file",
    stdin: BinaryIO | None = None,
) -> bytes:
    """The bytes of a file that the user named; `-` is standard input.

    Args:
        name: the file's name in messages.
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
        raise InputError(f"{name}: this user is not allowed to read it.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if len(data) > largest:
        raise InputError(f"{name}: is larger than {largest // 1024**2} MB, so it is not a {what}.")
    return data


def _guess(text: str) -> RowFormat:
    start = next((line for _, line in content_lines(text)), "")
    return RowFormat.JSON_LINES if start.startswith("{") else RowFormat.TEXT
