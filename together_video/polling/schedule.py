"""When to look at a job whose duration is only known as a distribution. Pure arithmetic.

The fewest looks at a given mean lag between a job's end and the look that finds it: a dynamic
program over the times of the next look. Let S be the chance that the job still runs and F = 1 - S.
A look at time b after one at a costs S(a), and the ends between them wait for G(b) - G(a) - F(a)(b - a)
in the mean, with G the integral of F. With a price on waiting,

    cost(a) = min over b > a of  S(a) + price * (G(b) - G(a) - F(a)(b - a)) + cost(b),

where what depends on b is a line in F(a), so a lower envelope of lines finds all minima in one pass.
Looks come densely where an end is likely and rarely where it is not, and grow rarer in the tail.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

from together_video.polling.durations import Durations

#: The price is found when the lag is met to this share.
_EXACT = 0.01


@dataclass(frozen=True)
class Schedule:
    """For each time at which a job was seen running, when to look next. All in seconds."""

    times: tuple[float, ...]
    following: tuple[float, ...]
    looks: float
    lag: float

    def next(self, age: float) -> float:
        """The age at which to look next at a job that still runs at `age`; 0 before the first look."""
        place = bisect_right(self.times, age) - 1
        if place < 0:
            return self.following[0]
        if place >= len(self.times) - 2:
            return age * self.following[-2] / self.times[-2]
        part = (age - self.times[place]) / (self.times[place + 1] - self.times[place])
        before, after = self.following[place], self.following[place + 1]
        return max(before + part * (after - before), age)

    def varied(self, age: float, share: float) -> float:
        """As `next`, moved by a share of the time to the looks before and after, whichever is nearer: jobs of
        the same second come apart, and none is moved from a time that is likely to one that is not.
        """
        then = self.next(age)
        return then + share * min(then - age, self.next(then) - then)


def best_schedule(durations: Durations, lag: float) -> Schedule:
    """The schedule with the fewest looks whose mean lag is `lag` seconds."""
    program = _Program(durations)
    low, high = 1e-9, 1e9
    price = 1 / lag
    # The lag goes with one over the root of the price, roughly.
    for _ in range(40):
        following, looks, found = program.solve(price)
        if abs(found / lag - 1) < _EXACT or high / low < 1.0001:
            break
        low, high = (price, high) if found > lag else (low, price)
        price *= (found / lag) ** 2
        if not low < price < high:
            price = (low * high) ** 0.5
    return Schedule(durations.times, tuple(program.times[place] for place in following[1:]), looks, found)


class _Program:
    def __init__(self, durations: Durations) -> None:
        self.times = (0.0, *durations.times)
        self.done = (0.0, *durations.done)
        #: Seconds that a job is done in the mean, at each time: the integral of `done`.
        self.integral = [0.0]
        for place in range(1, len(self.times)):
            mean = (self.done[place] + self.done[place - 1]) / 2
            self.integral.append(self.integral[-1] + mean * (self.times[place] - self.times[place - 1]))

    def solve(self, price: float) -> tuple[list[int], float, float]:
        """For each time the place of the next look; the looks and the lag (seconds) to be expected."""
        times, done, integral = self.times, self.done, self.integral
        last = len(times) - 1
        following = [last] * (last + 1)
        # Lines (slope, height, place): the height of each at F(a) is the cost of looking next at its place.
        lines: deque[tuple[float, float, int]] = deque([(-price * times[last], price * integral[last], last)])
        for place in range(last - 1, -1, -1):
            chance = done[place]
            while len(lines) > 1 and lines[0][0] * chance + lines[0][1] >= lines[1][0] * chance + lines[1][1]:
                lines.popleft()
            slope, height, following[place] = lines[0]
            own = price * (chance * times[place] - integral[place])
            cost = 1 - chance + own + slope * chance + height
            line = (-price * times[place], price * integral[place] + cost, place)
            while len(lines) > 1 and _hides(line, lines[-1], lines[-2]):
                lines.pop()
            lines.append(line)
        looks = lag = 0.0
        place = 0
        while place < last:
            then = following[place]
            looks += 1 - done[place]
            lag += integral[then] - integral[place] - done[place] * (times[then] - times[place])
            place = then
        return following, looks, lag


def _hides(
    new: tuple[float, float, int], middle: tuple[float, float, int], old: tuple[float, float, int]
) -> bool:
    """Whether the middle one of three lines of rising slope is nowhere the lowest."""
    return (new[1] - old[1]) * (middle[0] - old[0]) <= (middle[1] - old[1]) * (new[0] - old[0])
