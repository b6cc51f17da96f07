"""Count the jobs and parts that keep running when a command is interrupted, from its progress reports."""

from __future__ import annotations

from collections.abc import Mapping

from prefect_together_video.flows.reporting.happenings import Happening, PartProgress, Planned
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.results import interrupted
from prefect_together_video.flows.reporting.tally import AT_PROVIDER, DOWNLOADING


class UnderWay:
    """The jobs and parts of one run."""

    def __init__(self) -> None:
        self._creating: set[str] = set()
        self._at_provider: set[str] = set()
        self._parts = self._parts_over = 0
        self._in_parts: dict[int, Mapping[str, int]] = {}

    def hear(self, change: Progress) -> None:
        """Record a change of one video."""
        video = change.plan.asked_id
        if change.stage == "creating":
            self._creating.add(video)
        else:
            self._creating.discard(video)
        if change.stage in {"created", "resumed"}:
            self._at_provider.add(video)
        elif change.stage in {"archived", "failed"}:
            self._at_provider.discard(video)

    def watch(self, happening: Happening) -> None:
        """Record an event of the whole run."""
        if isinstance(happening, Planned):
            self._parts = happening.parts
        elif isinstance(happening, PartProgress):
            self._in_parts[happening.number] = {} if happening.is_over else happening.counts
            self._parts_over += happening.is_over

    @property
    def words(self) -> str:
        """The last line of an interrupted command."""
        jobs = sum(
            counts.get(AT_PROVIDER, 0) + counts.get(DOWNLOADING, 0) for counts in self._in_parts.values()
        )
        return interrupted(
            len(self._at_provider) + jobs, len(self._creating), parts=self._parts - self._parts_over
        )
