"""The folder on this machine that downloads pass through, and where a job id waits if the bucket
cannot take it.

A file is named after its job, so that what an earlier process left is found again and is never
taken for another job's. `TOGETHER_VIDEO_SPOOL` names another folder.
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

#: Half-written downloads older than this are nobody's any more, in seconds.
_STALE = 86_400
#: Where files lie that came in place of a video, and how many of them.
_REFUSED, _MOST_REFUSED = "refused", 20


class Spool:
    """Paths in one folder. It is made when it is first written to, for this user alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        #: Proofs that a claimed create was never sent.
        self.unsent = UnsentNotes(self.folder / "unsent")

    def video(self, claim: Claim, job_id: str) -> Path:
        """Where the file of a job lies while it is on its way, with the ending of its format."""
        return self.folder / f"{claim.id}-{_short(job_id)}{Path(claim.video_key).suffix}"

    def keep_submission(self, submission: Submission) -> Path:
        """Write a job id to disk, because the bucket could not take it. Durable on return."""
        path = self._submission(submission.id, submission.token)
        make_private_folder(self.folder)
        write_whole(path, submission.model_dump_json().encode())
        return path

    def kept_submission(self, claim: Claim) -> Submission | None:
        """The job id of this very claim, if it had to be kept here."""
        return _submission_in(self._submission(claim.id, claim.token))

    def drop_submission(self, claim: Claim) -> None:
        self._submission(claim.id, claim.token).unlink(missing_ok=True)

    def purchases(self) -> set[str]:
        """Ids of the purchases of which something lies here: a file, or a job id."""
        names = (path.name for path in self.folder.glob("*-*.*"))
        return {name.partition("-")[0] for name in names if not name.endswith(".part")}

    def drop(self, video: str, job_id: str) -> None:
        """Remove what lies here of a job that is recorded: its file and its kept id."""
        for path in self.folder.glob(f"{video}-{_short(job_id)}.*"):
            path.unlink(missing_ok=True)
        for path in self.folder.glob(f"{video}-*.job.json"):
            kept = _submission_in(path)
            if kept is not None and kept.job_id == job_id:
                path.unlink(missing_ok=True)

    def refuse(self, path: Path) -> Path:
        """Put aside a file that is no video, for somebody to look at; an earlier one of the same job gives way.

        The newest are kept, and for a week.

        Raises:
            OSError: it cannot be moved.
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
        """Remove half-written downloads that a killed process left more than a day ago, and what was refused
        more than a week ago.
        """
        self.unsent.sweep()
        # What cannot be looked at is found by `machine.check_spool`.
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
    """What cannot be read is left lying there for a person to look at."""
    try:
        return Submission.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def default_folder() -> Path:
    """`TOGETHER_VIDEO_SPOOL`, else the user's cache folder.

    Raises:
        ConfigurationError: there is no such user, or none at all.
    """
    named = os.environ.get("TOGETHER_VIDEO_SPOOL")
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        if named:
            return Path(named).expanduser()
        return (Path(cache) if cache else Path.home() / ".cache") / "together-video" / "spool"
    except RuntimeError as error:
        raise ConfigurationError(
            f"There is no folder for downloads: {error}. Name one with TOGETHER_VIDEO_SPOOL."
        ) from error
