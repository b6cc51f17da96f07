"""What an operator should hear of once: a share of the monthly limit is used, a doubt is a day old. Pure.

That it was said is a write-once fact, `alerts/<month or day>/<name>`, which may be lost: then it is said once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from together_video.money import usd

#: Shares of the monthly limit that are said, in percent.
PERCENTS = (50, 80, 90, 100)
#: How old a doubt is when it is said for the first time; then once a day.
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MonthReached:
    """So many percent of the limit of a month such as `2026-11` are paid, perhaps paid or in flight. In US dollars."""

    month: str
    percent: int
    counted_usd: Decimal
    limit_usd: Decimal

    @property
    def name(self) -> str:
        return f"limit-{self.percent:03}.json"

    @property
    def left_usd(self) -> Decimal:
        return max(self.limit_usd - self.counted_usd, Decimal(0))

    @property
    def sentence(self) -> str:
        return (
            f"{self.percent} % of the monthly limit of {usd(self.limit_usd)} is reached in {self.month}: "
            f"{usd(self.counted_usd)} paid, perhaps paid or in flight, {usd(self.left_usd)} left."
        )


def months_reached(
    month: str, counted_usd: Decimal, limit_usd: Decimal, said: Collection[str]
) -> list[MonthReached]:
    """The shares that are reached and not said yet, the lowest first.

    Args:
        said: names of the facts that are there for this month.
    """
    reached = (
        MonthReached(month, percent, counted_usd, limit_usd)
        for percent in PERCENTS
        if counted_usd * 100 >= limit_usd * percent
    )
    return [alert for alert in reached if alert.name not in said]


def days_in_doubt(since: datetime, now: datetime) -> int:
    """For how many whole days a purchase has been in doubt."""
    return max((now - since) // _A_DAY, 0)


def doubt_name(video: str) -> str:
    """The name of the fact that a doubt was said on a day."""
    return f"ambiguous-{video}.json"


def day_of(moment: datetime) -> str:
    """`2026-11-27`, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def percents_above(percent: int) -> list[str]:
    """What an automation's `match` takes for a three-digit label above `percent`: texts, of which some end in `*`.

    Automations compare labels as text. Above 25 these are 026 to 029, 03*, … 09* and 100.
    """
    wanted = [f"{number:03}" for number in range(percent + 1, 101)]
    return list(_tens(wanted))


def _tens(wanted: Iterable[str]) -> Iterable[str]:
    numbers = set(wanted)
    for ten in range(10):
        of_ten = {f"{ten:02}{digit}" for digit in range(10)}
        if of_ten <= numbers:
            yield f"{ten:02}*"
        else:
            yield from sorted(of_ten & numbers)
    if "100" in numbers:
        yield "100"
