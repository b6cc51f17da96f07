"""This project: its own command line, with S3 requests and memory recorded. The arguments are those of
`together-video`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.counting import count_s3, tell
from prefect_together_video.flows.__main__ import main
from prefect_together_video.flows.reporting.progress import Progress, listening

_PAGE_MB = 4096 / 1e6


class Memory:
    """Resident memory, in MB, at the first create and at every fiftieth change, with the numbers of finished and
    running jobs.
    """

    def __init__(self) -> None:
        self.samples: list[tuple[int, int, float]] = []
        self._taken: set[str] = set()
        self._changes = 0

    def hear(self, change: Progress) -> None:
        if change.stage == "created":
            self._taken.add(change.plan.id)
        elif change.outcome is not None:
            self._taken.discard(change.plan.id)
        if self._changes % 50 == 0 or change.done == change.total:
            self.samples.append((change.done, len(self._taken), resident_mb()))
        self._changes += 1


def resident_mb() -> float:
    """Resident memory by Linux's count; 0 elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB
    except OSError:
        return 0.0


if __name__ == "__main__":
    count_s3()
    memory = Memory()
    with listening(memory.hear):
        code = main(sys.argv[1:])
    tell(memory=memory.samples)
    sys.exit(code)
