"""Notes on this machine's disk that prove that a create was never sent.

A claim says that a process is about to pay, but not whether it did. So before a claim is written, a note is put into
the spool. Right before the first byte of the POST leaves, the note is removed durably. While it exists, nothing was
sent. The process that removes it decides: one that finds its own note gone must not send, and one that takes the note
of a dead process knows that the create will never be sent.

Other machines do not see the note; for them, an old claim is ambiguous.
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
except ImportError:  # Windows, where no notes are written and old claims are ambiguous
    fcntl = None  # type: ignore[assignment]

#: Notes older than this are removed, in seconds. Without a note, a claim that was left behind is ambiguous.
_STALE = 40 * 86_400.0


class UnsentNote:
    """The note of one create of this process, which keeps it locked while it lives."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def spend(self) -> bool:
        """Remove the note: from now on the create may be sent. False if another process took the note, so the create
        must not be sent.

        Raises:
            ConfigurationError: the disk does not confirm that the note is gone.
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
                remedy="Make it writable, or set TOGETHER_VIDEO_SPOOL to another folder.",
            ) from error
        return not _taken(self._path).exists()

    def drop(self) -> None:
        """Remove the note after the claim: there is nothing left to prove."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Release the note, as if this process had died. A note that was not spent stays a proof."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class UnsentNotes:
    """The notes in one folder, which is created with the first note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, claim: Claim) -> UnsentNote | None:
        """Write the note that this claim's create was not sent. None if the disk refuses: then nothing is proven."""
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
            is_old: the claim is older than its create can take: its process may be suspended, and loses the note.
                Otherwise the note is taken only from a dead process.
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
        """Remove a taken note after its claim was released."""
        with suppress(OSError):
            _taken(self._path(claim)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove notes that are too old to be useful."""
        with suppress(OSError):
            for path in self._folder.glob("*-*.*"):
                with suppress(OSError):
                    if time.time() - path.stat().st_mtime > _STALE:
                        path.unlink(missing_ok=True)

    def _path(self, claim: Claim) -> Path:
        return self._folder / f"{claim.id}-{claim.token}.unsent"


def _taken(path: Path) -> Path:
    """The name of a note that another process took."""
    return path.with_suffix(".taken")


def _lock(descriptor: int) -> bool:
    """Lock a file for as long as this process keeps it open. False if another process has it, or locking fails."""
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
