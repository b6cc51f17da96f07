"""Forecasts when one job will end from its own responses, and adjusts its polls. No clock, no sleep.

What a provider says may be wrong, so it moves a poll only within limits. Later: not beyond the schedule's own time, or
3 s or 10 % of the job's age after the last poll, whichever is latest. Sooner: only while a loop of 5 s would have
polled as often, and only half as soon after each forecast that did not come true.
"""

from __future__ import annotations

import math

from together_video.polling.reports import Report

#: The loop of the API's documents. An unknown model is polled no more often than that on average.
LOOP_SECONDS = 5.0
#: The shortest time between two polls of a job, in seconds, roughly.
SHORTEST = 1.0
#: How much later a poll may come because of a report, in seconds or as a share of the job's age.
_LATER_SECONDS, _LATER_SHARE = 3.0, 0.1
#: Polls come this long after a forecast end, in seconds and as a share of the time until it.
_AFTER_SECONDS, _AFTER_SHARE = 0.5, 0.03
#: A single progress value gives a forecast only from this share on: the job may have waited in a queue.
_FIRST_SHARE = 0.05
#: Forecasts are ignored after this many that did not come true.
_MOST_MISSED = 10


class Forecast:
    """The end of one job, as its responses predict it. Times in seconds since its create."""

    def __init__(self) -> None:
        self.end: float | None = None
        self._missed = 0
        #: Age and share at the first progress value, and at the newest that is higher.
        self._first: tuple[float, float] | None = None
        self._newest: tuple[float, float] | None = None

    def hear(self, report: Report, age: float) -> None:
        """Note a response at this age, while the job still runs."""
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
        """The age at the next poll: planned for `then`, after this many polls, the last at `age`."""
        if self.end is None:
            return then
        soonest = max(age + SHORTEST * 2.0**self._missed, LOOP_SECONDS * (polls + 1))
        latest = max(then, age + max(_LATER_SECONDS, _LATER_SHARE * age))
        wanted = self.end + _AFTER_SECONDS + _AFTER_SHARE * max(0.0, self.end - age)
        return min(max(wanted, min(soonest, then)), latest)

    def _watch(self, share: float | None, age: float) -> None:
        if share is None or (self._newest is not None and share < self._newest[1]):
            # None, or less than before: the value has changed its meaning.
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
        # Progress that has not changed for longer than that says nothing.
        return end if end > age else None
