"""Signals that stop a serving process: the first one stops it, and later ones do not interrupt that."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

#: From Ctrl-C, from a service manager, and from a terminal that is closed.
_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Keeps the first signal and ends `wait`; later signals only call `when_repeated`."""

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        self.when_repeated: Callable[[], None] = lambda: None
        self._came = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def listen(self) -> None:
        """Listen until the event loop is closed. Signals that this process ignores stay ignored."""
        self._loop = asyncio.get_running_loop()
        for number in _NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._take, number)

    def pass_on(self, number: signal.Signals) -> None:
        """Handle a signal from a handler that somebody else installed later."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._take, number)

    def _take(self, number: signal.Signals) -> None:
        if self.first is not None:
            self.when_repeated()
            return
        self.first = number
        self._came.set()

    async def wait(self, work: asyncio.Task[Any]) -> None:
        """Wait for the first signal, or for the end of the work, whichever comes first."""
        came = asyncio.create_task(self._came.wait())
        try:
            await asyncio.wait({came, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            came.cancel()
