"""A gate that all creators of a process pass: after a 429 everyone waits, not only who was told.

Pure arithmetic on a clock that is passed in; whoever waits does the sleeping.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class RateGate:
    """Closed for some seconds after each 429: the server's hint, or a growing guess."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, ceiling_seconds: float = 60) -> None:
        self._clock = clock
        self._ceiling = ceiling_seconds
        self._open_at = 0.0
        self._refusals = 0

    def wait_seconds(self) -> float:
        """How long until the gate opens; 0 where it is open."""
        return max(0.0, self._open_at - self._clock())

    def refused(self, hint: float | None) -> float:
        """A 429 came, with the server's hint in seconds if it gave one. Returns how long the gate stays shut."""
        if self.wait_seconds() == 0:
            # Those that were refused together count as one refusal.
            self._refusals += 1
        guess = min(self._ceiling, 2.0 ** min(self._refusals, 10))
        self._open_at = max(self._open_at, self._clock() + (guess if hint is None else max(hint, 0.1)))
        return self.wait_seconds()

    def passed(self) -> None:
        """A create was accepted."""
        self._refusals = 0
