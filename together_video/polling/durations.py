"""How long a model takes to make a video: a distribution, learned from jobs. Pure arithmetic.

Durations are positive and skewed, so all calculations use their logarithms. A few jobs are combined with a guess of the
typical time, like normal distributions with unknown mean and variance (conjugate prior: Gelman et al., Bayesian Data
Analysis, 3.3). Many jobs need no guess: a kernel estimate with the width that predicts each job best from the others
follows several modes and stuck jobs as well as one bell.

The guess can be far off, so before the first job it has only a small part of the weight; the rest is spread over all
time scales. That wide part never disappears, but its weight falls with each job seen (a Dirichlet process).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

#: Seconds that a video takes if nothing is known about its model: generation takes 30 s to several minutes.
USUAL_SECONDS = 75.0
#: How many of the newest durations are used: with more, the estimate would follow changes too slowly.
KEPT = 100

#: The guess counts as so many jobs, for the mean and for the spread.
_GUESS_JOBS, _GUESS_SPREADS = 0.05, 4.0
#: Standard deviation of the logarithm of one model's durations, before a job is seen.
_GUESS_SIGMA = 0.33
#: Kernel widths to try, as shares of the standard deviation. 1 is one bell.
_WIDTHS = (1.0, 0.75, 0.55, 0.4, 0.28, 0.2, 0.14)
#: The best width is made this much wider: one poll too few costs more than one too many.
_CAUTION = 1.3
#: Widths are judged by at most this many jobs.
_JUDGED = 40
#: A kernel is at least this wide: times are known to about a second.
_NARROWEST = 0.04

#: Share and width (of the logarithm) of the bell around the guess, while few jobs were seen; and of the one around the
#: middle of the jobs seen, for a job unlike many before.
_NEAR_GUESS, _NEAR_JOBS = (0.15, 0.5), (0.5, 1.2)
#: In all other cases nothing is known. At any age, the chance that such a job ends before it is 1 % older is 0.5 % (the
#: power): no time scale is preferred. Below so many seconds it is constant per second.
_TAIL_POWER, _EVEN_SECONDS = 0.5, 40.0
#: The chance that the next job is like none before is this, divided by this plus the number of jobs seen.
_SURPRISES = 0.5
#: That chance after five jobs.
_DOUBTED = 0.09
#: Times are in steps of 2 %, from 1/50 to 50 times the typical one, and at least between these seconds.
_STEP, _REACH, _LEAST, _MOST = 0.02, math.log(50), math.log(0.4), math.log(7200)

_UNIT = NormalDist()


@dataclass(frozen=True)
class Durations:
    """A distribution of generation times: `done[i]` is the chance that a job ends within `times[i]` seconds.

    The times rise in equal ratios. `surprise` is the chance that the next job is like none seen so far: 1 before the
    first job, 0 if the distribution is known. `unseen[i]` is the part of `done[i]` that belongs to such jobs. `guess`
    is the typical time that was assumed, in seconds. The logarithm of the typical time is known to about `doubt`, one
    standard deviation.
    """

    times: tuple[float, ...]
    done: tuple[float, ...]
    unseen: tuple[float, ...] = ()
    surprise: float = 0.0
    guess: float = 0.0
    doubt: float = 0.0

    @property
    def doubted(self) -> float:
        """How well the jobs seen still allow another time scale: 1 for five jobs or fewer, then falling with the square
        of their number.
        """
        return _doubted(self.surprise)

    @property
    def typical(self) -> float:
        """The median of jobs like those seen, in seconds; the guess before the first job."""
        if self.surprise == 1:
            return self.guess
        half = 0.5 * (1 - self.surprise)
        known = self.done if not self.unseen else [a - b for a, b in zip(self.done, self.unseen, strict=True)]
        return self.times[min(bisect_left(known, half), len(self.times) - 1)]

    def polls_of_a_loop(self, interval: float) -> float:
        """How often a loop with this interval, in seconds, polls a job like those seen, on average."""
        known = [a - b for a, b in zip(self.done, self.unseen or (0.0,) * len(self.done), strict=True)]
        polls, place, age = 1.0, 0, interval
        while age < self.times[-1]:
            place = bisect_left(self.times, age, place)
            polls += 1 - known[place] / known[-1]
            age += interval
        return polls


def learn(
    finished: Sequence[float], running: Sequence[float] = (), *, guess: float = USUAL_SECONDS
) -> Durations:
    """The distribution that fits the jobs seen; all times in seconds.

    Args:
        finished: the durations of finished jobs. With 30, the guess no longer matters.
        running: how long the unfinished jobs have been running so far.
        guess: the typical time, known or assumed; can be far off.
    """
    seen = [math.log(max(duration, 0.01)) for duration in finished]
    bell = _bell(seen, math.log(guess))
    ages = [math.log(max(age, 0.01)) for age in running] if seen else []
    # Assume that each running job ends at its quantile of the remaining time; that moves the bell in turn.
    for _ in range(3 if ages else 0):
        bell = _bell(seen + _endings(ages, bell), math.log(guess))
    seen += _endings(ages, bell)
    centre = sum(seen) / len(seen) if seen else 0.0
    width = _width(seen, bell.stdev)
    # Move the kernels together, so that the sum is not wider than the jobs were.
    shrink = math.sqrt(max(0.0, 1 - (width / bell.stdev) ** 2))
    kernels = [NormalDist(bell.mean + shrink * (one - centre), width) for one in seen] or [bell]
    middle = sorted(kernel.mean for kernel in kernels)[len(kernels) // 2]
    low, high = min(middle - _REACH, _LEAST), max(middle + _REACH, _MOST)
    places = [low + _STEP * step for step in range(1 + round((high - low) / _STEP))]
    share = _SURPRISES / (_SURPRISES + len(finished))
    doubted = _doubted(share)
    first, later = _wide(places, math.log(guess), *_NEAR_GUESS), _wide(places, middle, *_NEAR_JOBS)
    unseen = [share * (doubted * a + (1 - doubted) * b) for a, b in zip(first, later, strict=True)]
    regular = _mean_cdf(kernels, places) if seen else [0.0] * len(places)
    done = [one + (1 - share) * other for one, other in zip(unseen, regular, strict=True)]
    return Durations(
        tuple(map(math.exp, places)),
        tuple(done),
        tuple(unseen),
        share,
        guess,
        bell.stdev / math.sqrt(_GUESS_JOBS + 1 + len(finished)),
    )


def _doubted(surprise: float) -> float:
    return min(1.0, (surprise / _DOUBTED) ** 2)


def _wide(places: Sequence[float], middle: float, share: float, width: float) -> list[float]:
    """The chance of an end by each place if the time scale itself is unknown."""
    near, even = NormalDist(middle, width), math.log(_EVEN_SECONDS)
    found = []
    for x in places:
        late = math.exp(-_TAIL_POWER * (math.exp(x - even) if x < even else 1 + x - even))
        found.append(share * near.cdf(x) + (1 - share) * (1 - late))
    return found


def _bell(seen: Sequence[float], guess: float) -> NormalDist:
    """The logarithm of the next job's duration, from the jobs seen and the guess."""
    count = len(seen)
    mean = sum(seen) / count if count else guess
    squares = sum((one - mean) ** 2 for one in seen)
    off = _GUESS_JOBS * count / (_GUESS_JOBS + count) * (mean - guess) ** 2
    variance = (_GUESS_SPREADS * _GUESS_SIGMA**2 + squares + off) / (_GUESS_SPREADS + count)
    middle = (_GUESS_JOBS * guess + count * mean) / (_GUESS_JOBS + count)
    return NormalDist(middle, math.sqrt(variance * (1 + 1 / (_GUESS_JOBS + count))))


def _endings(ages: Sequence[float], bell: NormalDist) -> list[float]:
    """When jobs of these ages may end: spread evenly over their remaining chances."""
    found = []
    for place, age in enumerate(sorted(ages)):
        gone = bell.cdf(age)
        chance = gone + (1 - gone) * (place + 0.5) / len(ages)
        found.append(max(age, bell.inv_cdf(chance)) if chance < 1 - 1e-9 else age + _STEP)
    return found


def _width(seen: Sequence[float], spread: float) -> float:
    """The kernel width that makes each job most likely, judged from all others."""
    widths = [max(_NARROWEST, spread * share) for share in _WIDTHS]
    if len(seen) < 8:
        return widths[0]
    return min(_CAUTION * max(widths, key=lambda width: _likelihood(seen, width)), spread)


def _likelihood(seen: Sequence[float], width: float) -> float:
    factor = -0.5 / width**2
    total = 0.0
    for one in seen[:: 1 + len(seen) // _JUDGED]:
        # Without the job itself. A job far from all others must not decide alone.
        near = sum([math.exp(factor * (one - other) ** 2) for other in seen]) - 1
        total += math.log((near / (len(seen) - 1) + 1e-3) / width)
    return total


def _mean_cdf(kernels: Sequence[NormalDist], places: Sequence[float]) -> list[float]:
    """The mean of the kernels' chances at each place. All kernels have the same width."""
    width = kernels[0].stdev
    sums = [0.0] * (len(places) + 1)
    first = places[0]
    for kernel in kernels:
        low = min(max(0, math.ceil((kernel.mean - 4 * width - first) / _STEP)), len(places))
        high = min(max(0, math.ceil((kernel.mean + 4 * width - first) / _STEP)), len(places))
        before = 0.0
        for place in range(low, high):
            now = 0.5 * math.erfc((kernel.mean - places[place]) / (width * math.sqrt(2)))
            sums[place] += now - before
            before = now
        sums[high] += 1 - before
    return [min(1.0, total / len(kernels)) for total in accumulate(sums[:-1])]
