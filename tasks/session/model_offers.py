"""What the API offers today, read before a purchase. No error here may stop a run: errors are only logged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.model_lists import ModelLists
from prefect_together_video.tasks.running.runs import run_logger
from together_video.api.client import TogetherClient
from together_video.catalogue.live import Difference, LiveModels, differences, live_models

#: Seconds that a run waits for the lists; if the API is slower, the next run asks again.
_PATIENCE = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ModelOffers:
    """The lists of one API, read once a day: from the archive, or from the API and then stored in the archive."""

    def __init__(
        self, client: TogetherClient, ledger: Ledger, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._client = client
        self._lists = ModelLists(ledger.store, ledger.layout, client.base_url)
        self._clock = clock
        self._read: tuple[date, asyncio.Task[LiveModels | None]] | None = None
        self._said: set[tuple[date, str]] = set()

    async def warn(self, models: Collection[str]) -> None:
        """Log how the API differs from the catalogue for these models, each difference once a day. Raises nothing."""
        live = await self.today()
        for difference in [] if live is None else differences(live, among=models):
            said = (live.read_at.date() if live else date.min, difference.message)
            if _matters(difference) and said not in self._said:
                self._said.add(said)
                run_logger().warning(difference.message)

    async def today(self) -> LiveModels | None:
        """What the API lists today; None if that is not known within a few seconds. Raises nothing."""
        day = self._clock().date()
        if self._read is None or self._read[0] != day:
            self._read = day, asyncio.create_task(self._obtain(day))
        task = self._read[1]
        # Shielded: a caller that stops waiting must not cancel it for the others.
        await asyncio.wait([task], timeout=_PATIENCE)
        return task.result() if task.done() and not task.cancelled() else None

    async def close(self) -> None:
        """Cancel requests that are still running."""
        if self._read is not None:
            self._read[1].cancel()
            await asyncio.wait([self._read[1]])

    async def _obtain(self, day: date) -> LiveModels | None:
        try:
            return await self._lists.of_day(day) or await self._refresh()
        except Exception as error:  # noqa: BLE001 - the catalogue knows enough for a run
            run_logger().debug("What the API offers today could not be read: %s", error)
            return None

    async def _refresh(self) -> LiveModels:
        listed, supported = await asyncio.gather(
            self._client.models(within=_PATIENCE), self._client.supported_models(within=_PATIENCE)
        )
        live = live_models(listed, supported, self._clock())
        try:
            await self._lists.keep(live)
        except Exception as error:  # noqa: BLE001 - the next run asks again
            run_logger().debug("What the API offers could not be stored: %s", error)
        return live


def _matters(difference: Difference) -> bool:
    """Whether it deserves a warning before a purchase; a model that is back does not."""
    return difference.kind != "new"
