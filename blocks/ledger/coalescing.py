"""One request for many callers: who comes while one is under way is served together with all others by the next."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from together_video.errors import VideoError

Ask = TypeVar("Ask")


class Coalesced(Generic[Ask]):
    """Calls `serve` with all that is asked for by now, once at a time.

    So a lone caller waits for nobody, and hundreds at the same time cost a few requests. With `pause` a call begins at
    the earliest so many seconds after the last one ended, and serves who came in that time.
    """

    def __init__(
        self,
        serve: Callable[[list[Ask]], Awaitable[None]],
        *,
        pause: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._serve = serve
        self._pause, self._clock, self._sleep = pause, clock, sleep
        self._rested_at = -math.inf
        self._turn = asyncio.Lock()
        self._waiting: dict[asyncio.Future[VideoError | None], Ask] = {}

    async def __call__(self, ask: Ask) -> None:
        """Returns once it is served. What is asked for by a caller who is cancelled is served with the others, or with
        the next who comes.

        Raises:
            VideoError: those that were served together could not be.
        """
        ours: asyncio.Future[VideoError | None] = asyncio.get_running_loop().create_future()
        self._waiting[ours] = ask
        async with self._turn:
            if not ours.done():
                # Those that begin at the same moment come along.
                await self._sleep(max(0.0, self._rested_at - self._clock()))
                # If this is cancelled, the others are still waiting and the next of them asks again.
                together = dict(self._waiting)
                trouble = None
                try:
                    await self._serve(list(together.values()))
                except VideoError as error:
                    trouble = error
                self._rested_at = self._clock() + self._pause
                for waiting in together:
                    del self._waiting[waiting]
                    waiting.set_result(trouble)
        if (trouble := ours.result()) is not None:
            raise trouble
