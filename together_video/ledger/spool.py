"""The spool: this machine's folder for downloads in progress, and for job ids that the bucket could not store.

A file is named after its job, so that a later process finds it and never takes it for another job's. Set
`TOGETHER_VIDEO_SPOOL` to use another folder.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from together_video.atomic_files import make_private_folder, write_whole
from together_video.errors import ConfigurationError
from together_video.ledger.records import Claim, Submission
from together_video.ledger.unsent import UnsentNotes

#: Half-written downloads older than this are left behind, in seconds.
_STALE = 86_400
#: The folder for files that came instead of a video, and most of them that are kept.
_REFUSED, _MOST_REFUSED = "refused", 20


class Spool:
    """Paths in one folder. It is created at the first write, private to this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        #: Proofs that a claimed create was never sent.
        self.unsent = UnsentNotes(self.folder / "unsent")

    def video(self, claim: Claim, job_id: str) -> Path:
        """The path of a job's file until it is archived, with the ending of its format."""
        return self.folder / f"{claim.id}-{_short(job_id)}{Path(claim.video_key).suffix}"

    def keep_submission(self, submission: Submission) -> Path:
        """Write a job id to disk because the bucket could not store it. Durable on return."""
        path = self._submission(submission.id, submission.token)
        make_private_folder(self.folder)
        write_whole(path, submission.model_dump_json().encode())
        return path

    def kept_submission(self, claim: Claim) -> Submission | None:
        """The job id of exactly this claim, if it had to be kept here."""
        return _submission_in(self._submission(claim.id, claim.token))

    def drop_submission(self, claim: Claim) -> None:
        self._submission(claim.id, claim.token).unlink(missing_ok=True)

    def purchases(self) -> set[str]:
        """Ids of the purchases with a file or a job id in this folder."""
        names = (path.name for path in self.folder.glob("*-*.*"))
        return {name.partition("-")[0] for name in names if not name.endswith(".part")}

    def drop(self, video: str, job_id: str) -> None:
        """Remove a recorded job's file and its kept id."""
        for path in self.folder.glob(f"{video}-{_short(job_id)}.*"):
            path.unlink(missing_ok=True)
        for path in self.folder.glob(f"{video}-*.job.json"):
            kept = _submission_in(path)
            if kept is not None and kept.job_id == job_id:
                path.unlink(missing_ok=True)

    def refuse(self, path: Path) -> Path:
        """Move a file that is not a video aside, so that you can inspect it; it replaces an earlier one of the same
        job.

        The newest files are kept for a week.

        Raises:
            OSError: the file cannot be moved.
        """
        folder = self.folder / _REFUSED
        make_private_folder(folder)
        kept = folder / path.name
        path.replace(kept)
        others = sorted((one for one in folder.iterdir() if one != kept), key=lambda one: one.stat().st_mtime)
        for old in others[: max(0, len(others) + 1 - _MOST_REFUSED)]:
            old.unlink(missing_ok=True)
        return kept

    def sweep(self) -> None:
        """Remove half-written downloads that a killed process left more than a day ago, and refused files older than a
        week.
        """
        self.unsent.sweep()
        # `machine.check_spool` reports files that cannot be read.
        with suppress(OSError):
            for pattern, seconds in (("*.part", _STALE), (f"{_REFUSED}/*", _STALE * 7)):
                for path in self.folder.glob(pattern):
                    with suppress(OSError):
                        if time.time() - path.stat().st_mtime > seconds:
                            path.unlink(missing_ok=True)

    def _submission(self, video: str, token: str) -> Path:
        return self.folder / f"{video}-{token}.job.json"


def _short(job_id: str) -> str:
    return hashlib.sha256(job_id.encode()).hexdigest()[:12]


def _submission_in(path: Path) -> Submission | None:
    """Unreadable files stay there for a person to inspect."""
    try:
        return Submission.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def default_folder() -> Path:
    """`TOGETHER_VIDEO_SPOOL`, or the user's cache folder.

    Raises:
        ConfigurationError: the user or the home folder is unknown.
    """
    named = os.environ.get("TOGETHER_VIDEO_SPOOL")
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        if named:
            return Path(named).expanduser()
        return (Path(cache) if cache else Path.home() / ".cache") / "together-video" / "spool"
    except RuntimeError as error:
        raise ConfigurationError(
            f"There is no folder for downloads: {error}. Set TOGETHER_VIDEO_SPOOL to one."
        ) from error
