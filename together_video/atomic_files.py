"""Files that are there whole or not at all, whatever is killed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


def part_of(path: Path) -> Path:
    """A name beside `path` that nobody else writes to, and that is short, whatever that of `path` is. Open it with
    `xb`: what lies there, such as a link to another file, is not written to.
    """
    return path.with_name(f"{uuid4().hex}.part")


def make_private_folder(path: Path) -> None:
    """Make a folder that nobody else may look into, unless it is there.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def settle(out: BinaryIO, part: Path, path: Path) -> None:
    """Give a part that is written its name. Durable on return."""
    out.flush()
    os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def settle_new(part: Path, path: Path) -> bool:
    """Give a part that is written its name, unless that is taken: nothing is overwritten."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links. Two at the same time are not told apart there.
        if os.path.lexists(path):
            return False
        part.replace(path)
    else:
        part.unlink()
    return True


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file piece by piece, beside its name and then under it; after a power cut it may be gone.

    Raises:
        OSError: it could not be written; what lay there before is as it was.
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
        OSError: it could not be written; what lay there before is as it was.
    """
    part = part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("xb") as out:
            out.write(data)
            settle(out, part, path)
    finally:
        part.unlink(missing_ok=True)
