"""Temporary folders for large files. What a killed process left is removed by the next one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows, where nothing can be known of other processes
    fcntl = None  # type: ignore[assignment]

#: Held by the process that a folder is of, as long as it lives.
_LOCK = ".in-use"
#: A folder without such a file is this old before it counts as left behind, in seconds.
_STALE = 3600.0


@contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """A folder of this process, removed at the end. What killed processes left of its kind is removed first.

    Raises:
        OSError: it cannot be made.
    """
    prefix = f"together-video-{kind}-"
    _sweep(Path(tempfile.gettempdir()), prefix)
    with tempfile.TemporaryDirectory(prefix=prefix) as name:
        folder = Path(name)
        lock = None if fcntl is None else _locked(folder)
        try:
            yield folder
        finally:
            if lock is not None:
                os.close(lock)


def without_temporary_paths(text: str) -> str:
    """Text for others: a path of a temporary file of ours says how this machine is set up, and is left out."""
    given = tempfile.gettempdir()
    for folder in {given, os.path.realpath(given)}:
        # A name ends with no dot: that is the sentence's.
        ours = re.escape(os.path.join(folder, "together-video-")) + r"[\w.-]*(?:/[\w.-]+)*(?<!\.)"
        text = re.sub(ours, "a temporary folder", text)
    return text


def _locked(folder: Path) -> int:
    """The open lock file of a folder. It has its name once it is locked: another process could take it before that."""
    new = folder / f"{_LOCK}.new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder / _LOCK)
    return lock


def _sweep(parent: Path, prefix: str) -> None:
    """Remove folders of ours whose process is gone. Whatever cannot be removed stays."""
    if fcntl is None:
        return
    with suppress(OSError):
        for folder in parent.glob(f"{prefix}*"):
            with suppress(OSError):
                if not folder.is_symlink() and folder.stat().st_uid == os.getuid() and _is_left(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # Just made, or by an earlier version.
        return time.time() - folder.stat().st_mtime > _STALE
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
