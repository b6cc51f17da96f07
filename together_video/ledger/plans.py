"""Requests -> plans, which give each purchase of a batch its id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from together_video.errors import InputError
from together_video.ledger.records import Origin, Sweep, VideoPlan
from together_video.requests import VideoRequest


def take_numbers(requests: Iterable[VideoRequest], asked: Sequence[int | None] | None = None) -> list[int]:
    """Number identical requests of one batch: their takes are 1, 2, … in the given order.

    The same list gives the same takes, so a repeated batch finds each of its videos.

    Args:
        asked: the take that each request sets itself; the others get the remaining numbers.

    Raises:
        InputError: two identical requests set the same take.
    """
    texts = [request.canonical() for request in requests]
    said = list(asked) if asked else [None] * len(texts)
    taken: set[tuple[str, int]] = set()
    for number, (text, take) in enumerate(zip(texts, said, strict=True), 1):
        if take is None:
            continue
        if (text, take) in taken:
            raise InputError(
                f"Request {number} has take {take}, like an earlier identical request: give each its own take."
            )
        taken.add((text, take))
    seen: Counter[str] = Counter()
    takes = []
    for text, take in zip(texts, said, strict=True):
        if take is None:
            seen[text] += 1
            while (text, seen[text]) in taken:
                seen[text] += 1
        takes.append(seen[text] if take is None else take)
    return takes


def plan_videos(
    requests: Iterable[VideoRequest],
    edition: str = "once",
    batch_id: str | None = None,
    origin: Origin | None = None,
    sweeps: Sequence[Sweep | None] | None = None,
    prices: Sequence[Decimal | None] | None = None,
    takes: Sequence[int | None] | None = None,
) -> list[VideoPlan]:
    """One plan per request, in the given order, with takes numbered within this batch.

    `sweeps`, `prices` (the most that each may cost, in USD) and `takes` (those that requests set themselves) have an
    entry for each request, None for one without.

    Raises:
        InputError: two identical requests set the same take.
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
            listed, take_numbers(listed, takes), sweeps or none, prices or none, strict=True
        )
    ]


def in_parts(
    plans: Sequence[VideoPlan], workers: int, *, most_bytes: int, most: int
) -> list[list[VideoPlan]]:
    """The plans in their order, split into parts of about equal size: one for each worker, or more smaller ones.

    No part has more than `most` plans, or more than `most_bytes` bytes of JSON unless it is a single plan.
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
