"""When one job will end by what its own responses say, and what that may change. No clock, no sleep.

What a provider says may be wrong, so it moves a poll only so far. Later: not beyond the schedule's own time,
or 3 s or 10 % of its age after the last poll, whichever is latest. Sooner: only while a loop of 5 s would have
polled as often, and after each forecast that did not come true only half as soon.
"""

from __future__ import annotations

import math

from together_video.polling.reports import Report

#: The loop of the API's documents. A model that is not known is polled no more often on average.
LOOP_SECONDS = 5.0
#: No job is polled again sooner than after about so many seconds.
SHORTEST = 1.0
#: How much later, in seconds or as a share of a job's age, a poll may come because of what was said.
_LATER_SECONDS, _LATER_SHARE = 3.0, 0.1
#: Polls come this much after a forecast end, in seconds and as a share of the time to it.
_AFTER_SECONDS, _AFTER_SHARE = 0.5, 0.03
#: A single progress value says when a job will end from here on: it may have waited in a queue.
_FIRST_SHARE = 0.05
#: After so many forecasts that did not come true they are ignored.
_MOST_MISSED = 10


class Forecast:
    """The end of one job, as its responses foretell it. Times in seconds since its create."""

    def __init__(self) -> None:
        self.end: float | None = None
        self._missed = 0
        #: Age and share at the first progress value, and at the newest that is higher.
        self._first: tuple[float, float] | None = None
        self._newest: tuple[float, float] | None = None

    def hear(self, report: Report, age: float) -> None:
        """A response came at this age, and the job still runs."""
        if self.end is not None and self.end <= age:
            self._missed += 1
        self._watch(report.share, age)
        if report.place is not None:
            # Waiting in a queue: no end is near.
            self.end = math.inf
        elif report.left is not None:
            self.end = age + report.left
        else:
            self.end = self._by_progress(age)
        if self._missed > _MOST_MISSED:
            self.end = None

    def adjusted(self, then: float, *, age: float, polls: int) -> float:
        """The age at the next poll: planned for `then`, after so many polls, the last at `age`."""
        if self.end is None:
            return then
        soonest = max(age + SHORTEST * 2.0**self._missed, LOOP_SECONDS * (polls + 1))
        latest = max(then, age + max(_LATER_SECONDS, _LATER_SHARE * age))
        wanted = self.end + _AFTER_SECONDS + _AFTER_SHARE * max(0.0, self.end - age)
        return min(max(wanted, min(soonest, then)), latest)

    def _watch(self, share: float | None, age: float) -> None:
        if share is None or (self._newest is not None and share < self._newest[1]):
            # None, or less than before: whatever it counts, it is not what it counted before.
            self._first = self._newest = None if share is None else (age, share)
        elif self._first is None or self._newest is None:
            self._first = self._newest = (age, share)
        elif share > self._newest[1]:
            self._newest = (age, share)

    def _by_progress(self, age: float) -> float | None:
        if self._first is None or self._newest is None:
            return None
        (began, before), (seen, share) = self._first, self._newest
        if share >= 1:
            return age
        if share > before:
            end = seen + (1 - share) * (seen - began) / (share - before)
        elif share >= _FIRST_SHARE:
            end = seen / share
        else:
            return None
        # Progress that stands still for longer than that says nothing.
        return end if end > age else None
