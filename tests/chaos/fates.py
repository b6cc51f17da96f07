"""What befalls a process at a moment of its work, rather than at a request."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from tests.chaos.proxy import Proxy
from tests.chaos.starting import Started

#: How long a process stands still: longer than its claims are taken for living ones, in seconds.
_STILL = 9.0


async def later(proxy: Proxy, seconds: float, kill: Callable[[], None]) -> None:
    """Counted from the first call, so that kills fall into the work and not into the loading of modules."""
    await proxy.busy.wait()
    await asyncio.sleep(seconds)
    kill()


async def stand_still(proxy: Proxy, seconds: float, started: Started) -> None:
    await proxy.busy.wait()
    await asyncio.sleep(seconds)
    started.send(signal.SIGSTOP)
    await asyncio.sleep(_STILL)
    started.send(signal.SIGCONT)
