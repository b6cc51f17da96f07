"""What happens to a process at a moment of its work, rather than at a request."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from tests.chaos.proxy import Proxy
from tests.chaos.starting import Started

#: How long a process is stopped, in seconds: longer than its claims count as alive.
_STILL = 9.0


async def later(proxy: Proxy, seconds: float, kill: Callable[[], None]) -> None:
    """Kill after `seconds`, counted from the first call, so that kills hit the work and not the imports."""
    await proxy.busy.wait()
    await asyncio.sleep(seconds)
    kill()


async def stand_still(proxy: Proxy, seconds: float, started: Started) -> None:
    await proxy.busy.wait()
    await asyncio.sleep(seconds)
    started.send(signal.SIGSTOP)
    await asyncio.sleep(_STILL)
    started.send(signal.SIGCONT)
