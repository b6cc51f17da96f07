"""What Prefect's UI and its automations see of a running run: a progress bar, and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.context import FlowRunContext

from prefect_together_video.flows.reporting import events
from prefect_together_video.flows.reporting.happenings import Happening, PartProgress, watching
from prefect_together_video.flows.reporting.progress import Progress, listening
from prefect_together_video.flows.reporting.progress_words import progress_words
from prefect_together_video.flows.reporting.tally import WAITING, Tally
from prefect_together_video.tasks.running.runs import run_logger
from together_video.gallery.plain_text import plain

#: Seconds between two updates of the progress bar, when there is something new and when there is not.
#: The latter shows that the run is alive.
NEWS_SECONDS, ALIVE_SECONDS = 2.0, 20.0
#: Seconds that the last update may take: the server may be gone.
_LAST_SECONDS = 5.0


@asynccontextmanager
async def progress_shown() -> AsyncIterator[None]:
    """Send each change to Prefect until the block ends. Outside of a flow run nothing is sent."""
    if FlowRunContext.get() is None:
        yield
        return
    bar = _ProgressBar()
    keeper = asyncio.create_task(bar.keep())
    try:
        with listening(bar.hear), watching(bar.watch), listening(_Announcer().hear):
            yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper], timeout=_LAST_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await bar.show()


class _Announcer:
    """Turns changes into events."""

    def __init__(self) -> None:
        self._budget_is_told = False

    def hear(self, change: Progress) -> None:
        if change.outcome is None:
            return
        events.video_ended(change.plan, change.outcome)
        if change.out_of_budget and not self._budget_is_told:
            self._budget_is_told = True
            events.budget_reached(change.plan, change.detail)


class _ProgressBar:
    """A progress artifact, made at the first change."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._news = asyncio.Event()
        self._artifact: UUID | None = None

    def hear(self, change: Progress) -> None:
        self._tally.hear(change)
        self._news.set()

    def watch(self, happening: Happening) -> None:
        self._tally.watch(happening)
        if isinstance(happening, PartProgress):
            self._news.set()

    async def keep(self) -> None:
        while True:
            # Not asyncio.wait_for: in Python 3.11 it loses a cancellation that comes together with the news.
            with suppress(TimeoutError):
                async with asyncio.timeout(ALIVE_SECONDS):
                    await self._news.wait()
            self._news.clear()
            await self.show()
            await asyncio.sleep(NEWS_SECONDS)

    async def show(self) -> None:
        """Update the artifact. An error costs no video, so it is only logged."""
        standing = self._tally.standing()
        if not standing.done and set(standing.counts) <= {WAITING}:
            return
        share = round(100 * standing.done / standing.total, 1)
        words = plain(progress_words(standing), 400)
        try:
            if self._artifact is None:
                self._artifact = await acreate_progress_artifact(share, description=words)
            else:
                await aupdate_progress_artifact(self._artifact, share, description=words)
        except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
            run_logger().debug("The progress bar could not be updated: %s", error)
