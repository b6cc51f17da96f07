"""Temporary folders for large files. The next process removes what a killed one left behind."""

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
except ImportError:  # Windows, where other processes cannot be checked
    fcntl = None  # type: ignore[assignment]

#: Locked by the process that owns the folder, as long as it lives.
_LOCK = ".in-use"
#: Age in seconds at which a folder without a lock file counts as left behind.
_STALE = 3600.0


@contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """A folder for this process, removed at the end. Folders of the same kind that killed processes left are removed
    first.

    Raises:
        OSError: the folder cannot be made.
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
    """Text for others, without the paths of our temporary files: they show how this machine is set up."""
    given = tempfile.gettempdir()
    for folder in {given, os.path.realpath(given)}:
        # A name does not end with a dot: that one ends the sentence.
        ours = re.escape(os.path.join(folder, "together-video-")) + r"[\w.-]*(?:/[\w.-]+)*(?<!\.)"
        text = re.sub(ours, "a temporary folder", text)
    return text


def _locked(folder: Path) -> int:
    """The open lock file of a folder. It is renamed only once it is locked, so that no other process locks it first."""
    new = folder / f"{_LOCK}.new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder / _LOCK)
    return lock


def _sweep(parent: Path, prefix: str) -> None:
    """Remove our folders if their process is gone. What cannot be removed stays."""
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
        # Just made, or made by an earlier version.
        return time.time() - folder.stat().st_mtime > _STALE
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
