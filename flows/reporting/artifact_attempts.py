"""Makes artifacts at the end of a run: each is retried if the server fails, and none delays the run for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prefect_together_video.tasks.running.runs import run_logger
from together_video.gallery.plain_text import plain

#: By how many seconds the artifacts may delay the end of a run, whatever the server does.
MOST_SECONDS = 30.0
#: Seconds that one attempt may take: a server with a busy database answers late, or answers the next attempt.
ATTEMPT_SECONDS = 8.0
#: Seconds between two attempts; there is one more attempt than there are pauses.
PAUSES = (1.0, 2.0, 4.0)

#: Makes one artifact.
Maker = Callable[[], Awaitable[object]]
Sleep = Callable[[float], Awaitable[None]]


async def make_all(makers: Mapping[str, Maker], *, instead: str = "", sleep: Sleep = asyncio.sleep) -> None:
    """Make the artifacts in parallel. No paid video depends on them: errors are logged once.

    Args:
        makers: the function for each artifact, by its key. One that times out may run twice; Prefect shows the newest.
        instead: a sentence for the log: where to look if one is missing.
    """
    missing = dict.fromkeys(makers, "TimeoutError")
    try:
        async with asyncio.timeout(MOST_SECONDS):
            await asyncio.gather(*(_make(key, maker, missing, sleep) for key, maker in makers.items()))
    except TimeoutError:
        pass
    if missing:
        said = "; ".join(f"{key} ({words})" for key, words in missing.items())
        run_logger().warning("The run's artifacts could not be made: %s. %s", said, instead)


async def _make(key: str, make: Maker, missing: dict[str, str], sleep: Sleep) -> None:
    """Make one artifact and remove it from `missing`. Otherwise `missing` keeps the error of the last attempt."""
    for pause in (*PAUSES, None):
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await make()
        except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever its parts do
            missing[key] = plain(str(error) or type(error).__name__, 300)
        else:
            del missing[key]
            return
        if pause is not None:
            await sleep(pause)
