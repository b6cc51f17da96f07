"""Alerts that an operator gets once: a share of the monthly limit is reached, a doubt is a day old. Pure.

A sent alert is a write-once fact, `alerts/<month or day>/<name>`. If it is lost, the alert is sent once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from together_video.money import usd

#: Shares of the monthly limit with an alert, in percent.
PERCENTS = (50, 80, 90, 100)
#: The age of a doubt at its first alert; after that, one a day.
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MonthReached:
    """A share of a month's limit is paid, perhaps paid or in flight. `month` is such as `2026-11`; amounts are in US
    dollars.
    """

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
    """The shares that are reached and have no alert yet, the lowest first.

    Args:
        said: names of this month's existing facts.
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
    """The name of the fact for an alert about a doubt on one day."""
    return f"ambiguous-{video}.json"


def day_of(moment: datetime) -> str:
    """`2026-11-27`, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def percents_above(percent: int) -> list[str]:
    """The patterns for an automation's `match` for three-digit labels above `percent`; some end in `*`.

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
