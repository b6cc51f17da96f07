"""Requests -> plans: what names each purchase of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from together_video.ledger.records import Origin, Sweep, VideoPlan
from together_video.requests import VideoRequest


def take_numbers(requests: Iterable[VideoRequest]) -> list[int]:
    """Tell identical requests of one batch apart: their takes are 1, 2, … in the order given.

    The same list gives the same takes, so a batch that is run again finds each of its videos.
    """
    seen: Counter[str] = Counter()
    takes = []
    for request in requests:
        text = request.canonical()
        seen[text] += 1
        takes.append(seen[text])
    return takes


def plan_videos(
    requests: Iterable[VideoRequest],
    edition: str = "once",
    batch_id: str | None = None,
    origin: Origin | None = None,
    sweeps: Sequence[Sweep | None] | None = None,
    prices: Sequence[Decimal | None] | None = None,
) -> list[VideoPlan]:
    """One plan a request, in the order given, with takes numbered within this batch.

    `sweeps` and `prices` (what each may cost at most, in USD) hold an entry for each request, None for one without.
    """
    listed = list(requests)
    none = [None] * len(listed)
    return [
        VideoPlan(
            request=request,
            take=take,
            edition=edition,
            batch_id=batch_id,
            origin=origin,
            sweep=sweep,
            estimate_usd=price,
        )
        for request, take, sweep, price in zip(
            listed, take_numbers(listed), sweeps or none, prices or none, strict=True
        )
    ]


def in_parts(
    plans: Sequence[VideoPlan], workers: int, *, most_bytes: int, most: int
) -> list[list[VideoPlan]]:
    """The plans in their order, in shares of about equal number: one for each worker, or more of fewer.

    No share has more than `most` plans, nor more than `most_bytes` bytes of JSON, unless it is a single plan.
    """
    if not plans:
        return []
    shares = max(min(workers, len(plans)), -(-len(plans) // most))
    size = -(-len(plans) // shares)
    parts: list[list[VideoPlan]] = [[]]
    room = most_bytes
    for plan in plans:
        weight = len(plan.model_dump_json())
        if parts[-1] and (len(parts[-1]) == size or weight > room):
            parts.append([])
            room = most_bytes
        parts[-1].append(plan)
        room -= weight
    return parts
