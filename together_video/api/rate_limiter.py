"""A rate limit that all creators of a process share, so that a 429 slows everyone and not only who was told.

Additive increase, multiplicative decrease, as in TCP: unbounded until the first refusal; each refusal
halves the pace that was reached, each accepted create raises it a little. The server's own hint
comes first. Pure arithmetic on a clock that is passed in; whoever waits does the sleeping.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

#: Each accepted create raises the pace by this many creates a minute.
_RAISE = 1.0
#: The pace never falls below this many creates a minute.
_LEAST = 2.0
#: The pace that was reached is measured over this many seconds.
_WINDOW = 60.0


class AdaptiveRateLimiter:
    """Hands out moments to create at. Not for threads: all of a process's creators share one loop."""

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
        """Creates a minute; None while nothing was ever refused."""
        return self._pace

    def enter(self) -> float:
        """Take the next place. Returns 0 where the caller may create now, else the seconds to wait
        before asking again: nothing is taken then.
        """
        now = self._clock()
        opens = max(self._shut_until, self._next_slot)
        if now < opens:
            return opens - now
        if self._pace is not None:
            self._next_slot = now + 60.0 / self._pace
        return 0.0

    def refused(self, hint: float | None) -> float:
        """A 429 came, with the server's hint in seconds if it gave one. Returns the seconds that nobody may create."""
        now = self._clock()
        if now >= self._shut_until:
            # Those that were refused together count as one refusal.
            self._refusals += 1
            self._pace = max(_LEAST, (self._reached(now) if self._pace is None else self._pace) / 2)
        guess = min(self._ceiling, 2.0 ** min(self._refusals, 10))
        self._shut_until = max(self._shut_until, now + (guess if hint is None else max(hint, 0.1)))
        return self._shut_until - now

    def passed(self) -> None:
        """A create was accepted."""
        self._refusals = 0
        now = self._clock()
        self._passed.append(now)
        self._reached(now)
        if self._pace is not None:
            self._pace += _RAISE

    def _reached(self, now: float) -> float:
        """Creates that passed in the last minute."""
        while self._passed and now - self._passed[0] > _WINDOW:
            self._passed.popleft()
        return float(len(self._passed))
