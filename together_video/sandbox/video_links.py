"""Short links to finished videos: given by a retrieve, expired after a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A token of 16 letters and digits for one job, valid until a moment in unix seconds."""

    token: str
    job_id: str
    expires_at: float


class Links:
    """All links that were given. A restart loses them, but a retrieve gives a new one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_token: dict[str, Link] = {}
        self._latest: dict[str, Link] = {}

    def give(self, job_id: str, now: float) -> Link:
        """The job's link. A new one if the last has less than half of its time left."""
        last = self._latest.get(job_id)
        if last is not None and last.expires_at - now > self._seconds / 2:
            return last
        token = hashlib.sha256(f"{job_id}/{now!r}".encode()).hexdigest()[:16]
        link = Link(token, job_id, now + self._seconds)
        self._by_token[token] = self._latest[job_id] = link
        return link

    def find(self, token: str) -> Link | None:
        return self._by_token.get(token)
