"""Which take of a video comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from together_video.ledger.records import VideoPlan


def next_takes(plans: Iterable[VideoPlan]) -> Callable[[VideoPlan], int]:
    """A function that gives a video's next take: one more than the highest in `plans`. Takes are counted per request
    and edition.

    Example:
        ```python
        next_take = next_takes([plan])
        next_take(plan)  # 2, if the plan is the first take
        ```
    """
    highest: dict[tuple[str, str], int] = {}
    for plan in plans:
        same = _same(plan)
        highest[same] = max(highest.get(same, 0), plan.take)
    return lambda plan: max(highest.get(_same(plan), 0), plan.take) + 1


def _same(plan: VideoPlan) -> tuple[str, str]:
    return plan.request.fingerprint(), plan.edition
