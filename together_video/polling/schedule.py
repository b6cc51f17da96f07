"""When to poll a job whose duration is only known as a distribution. Pure arithmetic.

Finds the fewest polls for a given mean lag between a job's end and the poll that finds it, by a dynamic program over
the times of the next poll. Let S be the chance that the job still runs and W the sum of the chances of an end so far,
each times the price of a second of lag at that duration. A poll at time b after one at a costs S(a), and the ends
between them wait for G(b) - G(a) - W(a)(b - a) on average, with G the integral of W. So

    cost(a) = min over b > a of  S(a) + G(b) - G(a) - W(a)(b - a) + cost(b),

and the part that depends on b is a line in W(a), so a lower envelope of lines finds all minima in one pass. Polls are
dense where an end is likely and sparse where it is not, and become rarer in the tail.

The price of a second is the same for all jobs like those seen; it is set so that their mean lag is as requested. While
few were seen, it falls with the duration for jobs unlike them, so that each keeps its own bound.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from together_video.polling.durations import Durations

#: The search for the price ends when the lag is this close, as a share.
_EXACT = 0.01
#: The price of the longest allowed lag, in polls, for a job like none seen so far. Before the first job, polls are then
#: 1.6 times the allowed lag apart, and the mean lag is half of that.
_UNSEEN_PRICE = 30.0


@dataclass(frozen=True)
class Schedule:
    """When to poll a job next, for each age at which it was still running. All in seconds.

    `polls` and `lag` are the expected values for jobs like those seen. Poll number n is not made before n times
    `pitch`.
    """

    times: tuple[float, ...]
    following: tuple[float, ...]
    polls: float
    lag: float
    pitch: float = 0.0

    def next(self, age: float) -> float:
        """The age of the next poll of a job that still runs at `age`, which is 0 before the first poll."""
        place = bisect_right(self.times, age) - 1
        if place < 0:
            return self.following[0]
        if place >= len(self.times) - 2:
            return age * self.following[-2] / self.times[-2]
        part = (age - self.times[place]) / (self.times[place + 1] - self.times[place])
        before, after = self.following[place], self.following[place + 1]
        return max(before + part * (after - before), age)

    def varied(self, age: float, polls: int, share: float) -> float:
        """Like `next` after this many polls, but moved by a share of the time to the nearer of the polls before and
        after. So jobs of the same second are spread, and no poll moves from a likely time to an unlikely one.
        """
        then = self.next(age)
        moved = then + share * min(then - age, self.next(then) - then)
        return max(moved, (polls + 1) * self.pitch) if polls or not self.pitch else max(then, self.pitch)


def best_schedule(
    durations: Durations, lag: float, *, allowed: Callable[[float], float] | None = None
) -> Schedule:
    """The schedule with the fewest polls at a mean lag of `lag` seconds, for jobs like those seen.

    Args:
        durations: what is known; with an unseen part, `allowed` must be given.
        lag: the mean lag in seconds.
        allowed: the mean lag, in seconds, that a job like none seen so far may have, by its duration.
    """
    program = _Program(durations, allowed)
    low, high = 1e-9, 1e9
    price = 1 / lag
    # Roughly, the lag is proportional to one over the root of the price.
    for _ in range(40 if program.sees_jobs else 0):
        _, _, found = program.solve(price)
        if abs(found / lag - 1) < _EXACT or high / low < 1.0001:
            break
        low, high = (price, high) if found > lag else (low, price)
        price *= max(found / lag, 1e-3) ** 2
        if not low < price < high:
            price = (low * high) ** 0.5
    following, polls, found = program.solve(price)
    return Schedule(durations.times, tuple(program.times[place] for place in following[1:]), polls, found)


class _Program:
    def __init__(self, durations: Durations, allowed: Callable[[float], float] | None) -> None:
        self.times = times = (0.0, *durations.times)
        self.done = (0.0, *durations.done)
        unseen = (0.0, *durations.unseen) if durations.unseen else (0.0,) * len(self.done)
        self.known = [one - other for one, other in zip(self.done, unseen, strict=True)]
        self.sees_jobs = self.known[-1] > 1e-6
        #: W is the sum of these, the first times the price.
        doubted = durations.doubted
        self.priced = [one + (1 - doubted) * other for one, other in zip(self.known, unseen, strict=True)]
        self.bounded = [0.0]
        for place in range(1, len(times)):
            price = doubted * _UNSEEN_PRICE / allowed(times[place]) if allowed else 0.0
            self.bounded.append(self.bounded[-1] + price * (unseen[place] - unseen[place - 1]))
        self.integrals = _integral(times, self.priced), _integral(times, self.bounded)
        self.known_integral = _integral(times, self.known if self.sees_jobs else self.done)

    def solve(self, price: float) -> tuple[list[int], float, float]:
        """The place of the next poll for each time; the expected polls and lag (seconds) of jobs like those seen, or of
        all jobs if none was seen.
        """
        times, done = self.times, self.done
        weights = [price * one + other for one, other in zip(self.priced, self.bounded, strict=True)]
        integral = [price * one + other for one, other in zip(*self.integrals, strict=True)]
        last = len(times) - 1
        following = [last] * (last + 1)
        # Lines (slope, height, place): the height of each at W(a) is the cost of polling next at its place.
        lines: deque[tuple[float, float, int]] = deque([(-times[last], integral[last], last)])
        for place in range(last - 1, -1, -1):
            weight = weights[place]
            while len(lines) > 1 and lines[0][0] * weight + lines[0][1] >= lines[1][0] * weight + lines[1][1]:
                lines.popleft()
            slope, height, following[place] = lines[0]
            own = weight * times[place] - integral[place]
            cost = 1 - done[place] + own + slope * weight + height
            line = (-times[place], integral[place] + cost, place)
            while len(lines) > 1 and _hides(line, lines[-1], lines[-2]):
                lines.pop()
            lines.append(line)
        return following, *self._expected(following)

    def _expected(self, following: Sequence[int]) -> tuple[float, float]:
        times, integral = self.times, self.known_integral
        known = self.known if self.sees_jobs else self.done
        polls = lag = 0.0
        place, last = 0, len(times) - 1
        while place < last:
            then = following[place]
            polls += 1 - known[place] / known[-1]
            lag += integral[then] - integral[place] - known[place] * (times[then] - times[place])
            place = then
        return polls, lag / known[-1]


def _integral(times: Sequence[float], values: Sequence[float]) -> list[float]:
    found = [0.0]
    for place in range(1, len(times)):
        mean = (values[place] + values[place - 1]) / 2
        found.append(found[-1] + mean * (times[place] - times[place - 1]))
    return found


def _hides(
    new: tuple[float, float, int], middle: tuple[float, float, int], old: tuple[float, float, int]
) -> bool:
    """Whether the middle one of three lines with rising slopes is never the lowest."""
    return (new[1] - old[1]) * (middle[0] - old[0]) <= (middle[1] - old[1]) * (new[0] - old[0])
