"""A rate limit that all creates of a process share, so that a 429 slows all of them and not only the one that got it.

Additive increase, multiplicative decrease, as in TCP: unbounded until the first 429; each one halves the pace, each
accepted create raises it a little. The server's own hint takes precedence. Pure arithmetic on a clock that is passed
in; the caller does the sleeping.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

#: Each accepted create raises the pace by this many creates a minute.
_RAISE = 1.0
#: The pace never falls below this many creates a minute.
_LEAST = 2.0
#: The current pace is measured over this many seconds.
_WINDOW = 60.0


class AdaptiveRateLimiter:
    """Decides when to create. Not thread-safe: all creates of a process share one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, ceiling_seconds: float = 60) -> None:
        self._clock = clock
        self._ceiling = ceiling_seconds
        self._shut_until = 0.0
        self._next_slot = 0.0
        self._refusals = 0
        self._pace: float | None = None
        self._passed: deque[float] = deque()

    @property
    def pace(self) -> float | None:
        """Creates a minute; None before the first 429."""
        return self._pace

    def enter(self) -> float:
        """Take the next slot. Returns 0 if the caller may create now, otherwise the seconds to wait before asking
        again; then no slot is taken.
        """
        now = self._clock()
        opens = max(self._shut_until, self._next_slot)
        if now < opens:
            return opens - now
        if self._pace is not None:
            self._next_slot = now + 60.0 / self._pace
        return 0.0

    def refused(self, hint: float | None) -> float:
        """Note a 429, with the server's hint in seconds if it gave one. Returns for how many seconds no create is
        allowed.
        """
        now = self._clock()
        if now >= self._shut_until:
            # Creates that were refused together count as one refusal.
            self._refusals += 1
            self._pace = max(_LEAST, (self._reached(now) if self._pace is None else self._pace) / 2)
        guess = min(self._ceiling, 2.0 ** min(self._refusals, 10))
        self._shut_until = max(self._shut_until, now + (guess if hint is None else max(hint, 0.1)))
        return self._shut_until - now

    def passed(self) -> None:
        """Note an accepted create."""
        self._refusals = 0
        now = self._clock()
        self._passed.append(now)
        self._reached(now)
        if self._pace is not None:
            self._pace += _RAISE

    def _reached(self, now: float) -> float:
        """Creates that were accepted in the last minute."""
        while self._passed and now - self._passed[0] > _WINDOW:
            self._passed.popleft()
        return float(len(self._passed))
