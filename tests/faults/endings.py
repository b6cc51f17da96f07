"""How a fault of the archive ends, as `expect` takes it."""

from __future__ import annotations

from typing import Any

GONE_WELL: dict[str, Any] = {
    "sees": "archived",
    "bucket": "records: archived; videos: jpg, mp4",
    "then": "reused",
}
#: The run stops before it has spent anything.
NOT_BEGUN: dict[str, Any] = {
    "sees": "not begun",
    "bucket": "nothing",
    "billed": 0,
    "then": "archived",
    "work": "1 create, 1 download",
}
#: The file was downloaded, lies in the spool, and could not be stored.
STUCK: dict[str, Any] = {"sees": "submitted", "bucket": "inflight: claim, job", "then": "archived"}
