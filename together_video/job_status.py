"""Where a job stands, from the word that the service has for it.

The documents name six words; others have been seen here and at services of the same kind. A word that can only be an
end is taken for one. What is not known is waited for.
"""

from __future__ import annotations

import re
from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands at the provider."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


#: A job in one of these will never change again.
TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})

#: Whole words.
_WORDS = {
    JobStatus.QUEUED: (
        *("queued", "pending", "waiting", "submitted", "created", "accepted", "scheduled", "new", "in_queue"),
        "not_started",
    ),
    JobStatus.IN_PROGRESS: (
        *(
            "in_progress",
            "inprogress",
            "processing",
            "running",
            "generating",
            "rendering",
            "starting",
            "started",
        ),
        *("working", "active", "preparing", "encoding", "uploading", "finalizing", "finalising"),
    ),
    JobStatus.COMPLETED: (
        *(
            "completed",
            "complete",
            "succeeded",
            "succeed",
            "success",
            "successful",
            "done",
            "finished",
            "ready",
        ),
        "generated",
    ),
    JobStatus.CANCELLED: ("cancelled", "canceled", "cancel", "aborted", "stopped", "revoked", "terminated"),
}
_BY_WORD = {word: status for status, words in _WORDS.items() for word in words}
#: Parts of a word that only an end has, such as the last one of `content_moderated`.
_ENDS = frozenset(
    {
        *(
            "failed",
            "failure",
            "fail",
            "error",
            "errored",
            "expired",
            "timeout",
            "timedout",
            "dead",
            "crashed",
        ),
        *(
            "rejected",
            "moderated",
            "blocked",
            "filtered",
            "flagged",
            "declined",
            "denied",
            "refused",
            "unsafe",
        ),
        *(
            "nsfw",
            "banned",
            "violation",
            "invalid",
            "unsupported",
            "exhausted",
            "killed",
            "deleted",
            "discarded",
        ),
        *("dropped", "lost", "evicted"),
    }
)
_CANCELLED = frozenset({"cancelled", "canceled", "aborted", "terminated", "revoked"})
#: Put in front by services that name their states so.
_PREFIX = re.compile(r"^(?:(?:job|task|video|generation)_)?(?:(?:state|status)_)?")
#: A part that says that it goes on, such as retrying or moderating.
_GOES_ON = re.compile(r"ing$|^re-?(?:try|queue|start)|^will$|^may$|^partial")


def status_of(word: object) -> JobStatus:
    """The status behind a word of the service; case, spaces and hyphens do not matter.

    Example:
        ```python
        from together_video.job_status import status_of

        assert [status_of(word) for word in ("Succeeded", "expired", "thinking")] == ["completed", "failed", "unknown"]
        ```
    """
    if not isinstance(word, str):
        return JobStatus.UNKNOWN
    text = re.sub(r"[\s\-./:]+", "_", word.strip().lower())[:80]
    for candidate in (text, _PREFIX.sub("", text)):
        if candidate in _BY_WORD:
            return _BY_WORD[candidate]
    parts = text.replace("timed_out", "timeout").split("_")
    if any(_GOES_ON.search(part) for part in parts):
        return JobStatus.UNKNOWN
    if _ENDS & set(parts):
        return JobStatus.FAILED
    return JobStatus.CANCELLED if _CANCELLED & set(parts) else JobStatus.UNKNOWN
