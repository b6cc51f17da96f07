"""What a poll may say about a running job besides its status: progress, time left, place in the queue.

No document of the API promises these, and names and units differ between similar APIs. So each value is read from the
usual names, and values that make no sense are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PERCENT = ("progress_percent", "progress_percentage", "percent", "percentage", "percent_complete")
_LEFT = (
    "estimated_seconds_remaining",
    "seconds_remaining",
    "remaining_seconds",
    "estimated_time_remaining",
    "time_remaining",
    "eta_seconds",
    "eta",
)
_QUEUE = ("queue_position", "position_in_queue")
#: Objects of the response that may contain them.
_INSIDE = ("progress", "info", "outputs")
#: Longest number as text; most seconds left; last place in a queue.
_LONGEST, _MOST_LEFT, _LAST_PLACE = 24, 7 * 86_400.0, 1e6


@dataclass(frozen=True)
class Report:
    """What one response says: the finished share (0 to 1), the seconds left, the place in the queue (from 1)."""

    share: float | None = None
    left: float | None = None
    place: int | None = None


def report_of(answer: Mapping[str, Any]) -> Report:
    """What this response says about the progress. Never raises; implausible values become None."""
    share = left = place = None
    for part in _parts(answer):
        share = _first(share, _share(part.get("progress"), percent=False))
        for name in _PERCENT:
            share = _first(share, _share(part.get(name), percent=True))
        for name in _LEFT:
            left = _first(left, _within(_number(part.get(name)), 0, _MOST_LEFT))
        for name in _QUEUE:
            place = _first(place, _within(_number(part.get(name)), 1, _LAST_PLACE))
    return Report(share, left, None if place is None else int(place))


def _parts(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield answer
    for name in _INSIDE:
        if isinstance(part := answer.get(name), Mapping):
            yield part


def _first(known: float | None, found: float | None) -> float | None:
    return found if known is None else known


def _share(value: object, *, percent: bool) -> float | None:
    if isinstance(value, str) and len(value) <= _LONGEST and value.strip().endswith("%"):
        value, percent = value.strip()[:-1], True
    number = _within(_number(value), 0, 100)
    if number is None or (number == 1 and not percent):
        # 1 can mean all of it or one percent.
        return None
    return number / 100 if percent or number > 1 else number


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > _LONGEST:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _within(number: float | None, low: float, high: float) -> float | None:
    return number if number is not None and math.isfinite(number) and low <= number <= high else None
