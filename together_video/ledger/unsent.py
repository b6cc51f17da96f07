"""Notes on this machine's disk that prove of a create that it was never sent.

A claim says that somebody is about to pay, and nothing of whether they did. So before a claim is written, a note of it
is put into the spool; right before the first byte of the POST leaves, the note is removed, durably. As long as it
lies there, nothing was sent. The process that removes it decides: one that finds its own note gone must not send, and
another one that takes the note of a dead process knows that the create will never be sent.

Other machines do not see the note; for them an old claim stays a doubt.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from together_video.atomic_files import make_private_folder
from together_video.errors import ConfigurationError, Spent
from together_video.ledger.records import Claim

try:
    import fcntl
except ImportError:  # Windows, where no notes are written, and old claims stay doubts
    fcntl = None  # type: ignore[assignment]

#: Notes older than this are removed, in seconds. Without one a claim that was left behind is a doubt.
_STALE = 40 * 86_400.0


class UnsentNote:
    """The note of one create of this process, which holds a lock on it while it lives."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def spend(self) -> bool:
        """Remove the note: from now on the create may be sent. False where another process has taken it, so that it
        must not be sent.

        Raises:
            ConfigurationError: the disk does not say that the note is gone for good.
        """
        try:
            self._path.unlink()
            _sync(self._path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ConfigurationError(
                f"The folder {self._path.parent} cannot be written ({error.strerror or error}).",
                spent=Spent.NOTHING,
                remedy="Make it writable, or name another folder with TOGETHER_VIDEO_SPOOL.",
            ) from error
        return not _taken(self._path).exists()

    def drop(self) -> None:
        """The claim is over: there is nothing left to prove."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Let go of the note, as this process would by dying. What was not spent stays a proof."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class UnsentNotes:
    """The notes in one folder, which is made when the first is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, claim: Claim) -> UnsentNote | None:
        """Note that this claim's create was not sent. None where the disk does not take it: nothing is proven then."""
        if fcntl is None:
            return None
        path = self._path(claim)
        try:
            make_private_folder(self._folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        if not _lock(descriptor):
            os.close(descriptor)
            return None
        return UnsentNote(path, descriptor)

    def take(self, claim: Claim, *, is_old: bool) -> bool:
        """Whether this claim's create was never sent, and never will be.

        Args:
            is_old: the claim is older than its create can take: its process may stand still, and loses the note. Else
                the note is taken only from a process that has died.
        """
        path = self._path(claim)
        taken = _taken(path)
        if taken.exists():
            return True
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if not is_old and not _lock(descriptor):
                return False
            # Only one process can rename or remove it; a renamed note stays a proof until the claim is released.
            path.rename(taken)
            _sync(self._folder)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def forget(self, claim: Claim) -> None:
        """The claim of a note that was taken is released."""
        with suppress(OSError):
            _taken(self._path(claim)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what is too old to be of use."""
        with suppress(OSError):
            for path in self._folder.glob("*-*.*"):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > _STALE:
                        path.unlink(missing_ok=True)

    def _path(self, claim: Claim) -> Path:
        return self._folder / f"{claim.id}-{claim.token}.unsent"


def _taken(path: Path) -> Path:
    """What a note is renamed to by the process that takes it."""
    return path.with_suffix(".taken")


def _lock(descriptor: int) -> bool:
    """Lock a file for as long as this process holds it open. False where another process has it, or none can be had."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(folder: Path) -> None:
    """Make a removal or a new name in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
