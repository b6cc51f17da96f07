"""How long the models' jobs took, from one run to the next. No error here may cost a video: errors are only logged."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.durations import DurationStatistics
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.runs import run_logger
from together_video.catalogue import Catalogue
from together_video.polling.learner import Learner
from together_video.polling.policy import PollPolicy

#: Seconds that a first wait gives the bucket to answer; a later answer is used later.
_PATIENCE = 5.0


class DurationHistory:
    """A run's learner, with what earlier runs measured."""

    def __init__(self, ledger: Ledger, policy: PollPolicy) -> None:
        self.learner = Learner(policy, _typical_seconds)
        self._statistics = DurationStatistics(ledger.store, ledger.layout)
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._kept: dict[str, tuple[float, ...]] = {}

    async def recall(self, model: str) -> None:
        """Read what earlier runs measured of the model, once per run and model."""
        if model not in self._reading:
            self._reading[model] = asyncio.create_task(self._read(model))
        await asyncio.wait([self._reading[model]], timeout=_PATIENCE)

    async def keep(self) -> None:
        """Write what this run measured for later runs, at its end or when it is idle, if it is new."""
        for task in self._reading.values():
            task.cancel()
        for facts in self.learner.facts(datetime.now(UTC)):
            if self._kept.get(facts.model) == facts.seconds:
                continue
            self._kept[facts.model] = facts.seconds
            try:
                await self._statistics.keep(facts)
            except Exception as error:  # noqa: BLE001 - the videos are in the archive
                run_logger().warning("How long %s takes could not be stored: %s", facts.model, error)

    async def _read(self, model: str) -> None:
        try:
            found = await self._statistics.newest(model)
        except Exception as error:  # noqa: BLE001 - without it, jobs are polled a little more often
            run_logger().warning("How long %s took in earlier runs could not be read: %s", model, error)
        else:
            if found is not None:
                self.learner.recall(model, found.seconds)


def _typical_seconds(model: str) -> float | None:
    known = Catalogue.load().find(model)
    return None if known is None else known.typical_seconds
