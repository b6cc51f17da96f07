"""Files that a command writes because an option names them, with one rule for all.

An existing file is replaced. Its folder must exist, so that a typo does not create folders. This is checked before
anything is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from together_video.atomic_files import write_whole
from together_video.errors import InputError

if TYPE_CHECKING:
    from prefect_together_video.flows.cli.screen.terminal import Terminal

#: Stands for standard output.
STDOUT = Path("-")


def checked_file(path: Path | None, option: str) -> Path | None:
    """The absolute path of the file, if one was given.

    Raises:
        InputError: it is a folder, or its folder does not exist.
    """
    if path is None:
        return None
    whole = path.absolute()
    try:
        is_folder, has_folder = whole.is_dir(), whole.parent.is_dir()
    except (OSError, ValueError) as error:
        raise cannot_write(path, getattr(error, "strerror", None) or error) from error
    if is_folder:
        raise InputError(f"{option}: {path} is a folder.")
    if not has_folder:
        raise InputError(f"{option}: {path} cannot be written: there is no folder {whole.parent}.")
    return whole


def file_or_stdout(given: str | None, option: str) -> Path | None:
    """Like `checked_file`, for an option that also accepts `-`.

    Raises:
        InputError: see `checked_file`; or it looks like another option.
    """
    if given is None:
        return None
    if given == "-":
        return STDOUT
    if not given.strip() or given.startswith("-"):
        raise InputError(f"{option} needs the path of a file, or - for standard output.")
    try:
        path = Path(given).expanduser()
    except RuntimeError as error:
        raise InputError(f"{option}: there is no home folder for {given!r}.") from error
    return checked_file(path, option)


def cannot_write(path: Path, why: object) -> InputError:
    return InputError(f"{path} cannot be written: {why}.")


def write_file(path: Path, text: str, terminal: Terminal) -> None:
    """Write the file, and say so.

    Raises:
        InputError: it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise cannot_write(path, error.strerror or error) from error
    terminal.say(f"Written: {path}")
