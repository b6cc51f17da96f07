"""A path that is given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from together_video.errors import InputError


def _convert(_: Any, tokens: Sequence[Token]) -> Path:
    """An empty text, as of a variable that is not set, would otherwise be the folder one stands in."""
    given = tokens[0].value
    if not given.strip():
        raise ValueError("the path is empty")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {given!r}") from None


def refuse_unreadable(path: Path) -> None:
    """A file that is to be read, before anything that takes time is imported.

    Raises:
        InputError: it is not there, or cannot be read.
    """
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


#: With `~` resolved; an empty one is an error.
GivenPath = Annotated[Path, Parameter(converter=_convert)]
