"""One request for many callers: callers that come while one is running are served together by the next."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from together_video.errors import VideoError

Ask = TypeVar("Ask")


class Coalesced(Generic[Ask]):
    """Calls `serve` with everything that is waiting, once at a time.

    So a single caller waits for nobody, and hundreds of callers at the same time cost a few requests. With `pause`, a
    call starts at least that many seconds after the last one ended, and serves those who came in that time.
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
        """Returns once it is served. If the caller is cancelled, its request is served with the others, or with the
        next caller's.

        Raises:
            VideoError: the calls that were served together failed.
        """
        ours: asyncio.Future[VideoError | None] = asyncio.get_running_loop().create_future()
        self._waiting[ours] = ask
        async with self._turn:
            if not ours.done():
                # Callers that start at the same moment join.
                await self._sleep(max(0.0, self._rested_at - self._clock()))
                # If this is cancelled, the others are still waiting, and the next of them calls again.
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
