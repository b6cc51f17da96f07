"""JSON on stdout for programs, without what a terminal needs: `models` and `check` answer at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from together_video.errors import VideoError


@contextmanager
def errors_as_document(as_json: bool) -> Iterator[None]:
    """With `--json`, an error is a document as well: what reads stdout finds one in every case."""
    try:
        yield
    except VideoError as error:
        if as_json:
            print(json.dumps({"error": error.message}, indent=1, ensure_ascii=False))  # noqa: T201 - the result
        raise
