"""A path that is given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token


def _convert(_: Any, tokens: Sequence[Token]) -> Path:
    """An empty text, as of a variable that is not set, would otherwise be the folder one stands in."""
    given = tokens[0].value
    if not given.strip():
        raise ValueError("the path is empty")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {given!r}") from None


#: With `~` resolved; an empty one is an error.
GivenPath = Annotated[Path, Parameter(converter=_convert)]
