"""The status of a job, from the service's word for it.

The documents name six words; others have been seen here and at similar services. A word that can only mean the end is
treated as the end. A job with an unknown word is polled further.
"""

from __future__ import annotations

import re
from enum import StrEnum


class JobStatus(StrEnum):
    """The status of a job at the provider."""

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
#: Words that mean the end if they come first or last, as in `content_moderated` and `error_429`.
_ENDS = frozenset(
    {
        *(
            "failed",
            "failure",
            "fail",
            "error",
            "errors",
            "errored",
            "expired",
            "timeout",
            "timedout",
            "crashed",
        ),
        *("rejected", "moderated", "filtered", "flagged", "declined", "denied", "refused", "unsafe", "nsfw"),
        *("banned", "violation", "violated", "invalid", "unsupported", "unsuccessful", "killed", "deleted"),
        *("discarded", "dropped", "evicted", "dead"),
    }
)
_CANCELLED = frozenset({"cancelled", "canceled", "aborted", "terminated", "revoked"})
#: Words that change the meaning of those: the job continues, is tried again, or has no error.
_OTHERWISE = frozenset(
    {
        *(
            "no",
            "not",
            "non",
            "free",
            "without",
            "soon",
            "once",
            "check",
            "extended",
            "retry",
            "retries",
            "will",
            "may",
        ),
        *(
            "queued",
            "progress",
            "pending",
            "running",
            "after",
            "before",
            "previous",
            "partially",
            "partial",
            "again",
        ),
        *("completed", "complete", "succeeded", "success", "done", "finished", "if", "until", "than"),
    }
)
#: Prefixes that some services put in front of their states.
_PREFIX = re.compile(r"^(?:(?:job|task|video|generation)_)?(?:(?:state|status)_)?")
#: Where a word in camel case begins.
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def status_of(word: object) -> JobStatus:
    """The status that the service's word means; case, spaces and hyphens do not matter.

    Example:
        ```python
        from together_video.job_status import status_of

        assert [status_of(word) for word in ("Succeeded", "expired", "thinking")] == ["completed", "failed", "unknown"]
        ```
    """
    if not isinstance(word, str):
        return JobStatus.UNKNOWN
    text = re.sub(r"[\W_]+", "_", _HUMP.sub("_", word.strip())).strip("_").lower()[:80]
    for candidate in (text, _PREFIX.sub("", text)):
        if candidate in _BY_WORD:
            return _BY_WORD[candidate]
    parts = text.replace("timed_out", "timeout").replace("time_out", "timeout").split("_")
    if _OTHERWISE & set(parts) or parts[-1].endswith("ing"):
        return JobStatus.UNKNOWN
    edges = {parts[0], parts[-1]}
    if edges & _CANCELLED:
        return JobStatus.CANCELLED
    return JobStatus.FAILED if edges & _ENDS else JobStatus.UNKNOWN
