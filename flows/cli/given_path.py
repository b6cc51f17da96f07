"""Paths on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from together_video.errors import InputError


def _convert(_: Any, tokens: Sequence[Token]) -> Path:
    """Refuse an empty path, for example from an unset variable: it would mean the current folder."""
    given = tokens[0].value
    if not given.strip():
        raise ValueError("the path is empty")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {given!r}") from None


def refuse_unreadable(path: Path) -> None:
    """Check that a file can be read, before anything slow is imported.

    Raises:
        InputError: it does not exist or cannot be read.
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
