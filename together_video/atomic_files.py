"""Files that are either complete or absent, whichever process is killed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


def part_of(path: Path) -> Path:
    """A short name beside `path` that nobody else writes to. Open it with `xb`, so an existing file or link is not
    written to.
    """
    return path.with_name(f"{uuid4().hex}.part")


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can read, unless it exists.

    Raises:
        OSError: the folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def settle(out: BinaryIO, part: Path, path: Path) -> None:
    """Rename a finished part to its final name. Durable on return."""
    out.flush()
    os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def settle_new(part: Path, path: Path) -> bool:
    """Rename a finished part to its final name, unless that name is taken: nothing is overwritten."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links. Two writers at the same time go unnoticed there.
        if os.path.lexists(path):
            return False
        part.replace(path)
    else:
        part.unlink()
    return True


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file piece by piece under a temporary name, then rename it. After a power cut it may be gone.

    Raises:
        OSError: it could not be written; an existing file is unchanged.
    """
    part = part_of(path)
    make_private_folder(path.parent)
    try:
        with part.open("xb") as out:
            for piece in pieces:
                out.write(piece)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file. Durable on return.

    Raises:
        OSError: it could not be written; an existing file is unchanged.
    """
    part = part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("xb") as out:
            out.write(data)
            settle(out, part, path)
    finally:
        part.unlink(missing_ok=True)
