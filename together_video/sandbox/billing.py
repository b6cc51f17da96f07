"""The bill as the service gives it: windows of hours or days, a line for each model and key, but no job ids.

Source: the reference of "Get billing usage", and the public Python SDK 3.1.1. A job is billed when it is done. One that
failed or hangs is not billed. A window appears after it has ended and the configured delay has passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from together_video.sandbox.config import OtherUsage, SandboxConfig
from together_video.sandbox.jobs import Job
from together_video.sandbox.refusal import Refusal

ORGANIZATION, PROJECT = "org_sandbox", "proj_sandbox"
_MONTH = re.compile(r"(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])")
_MOST_WINDOWS = 1000
_DAY = 86_400.0


def usage_json(
    jobs: Iterable[Job], config: SandboxConfig, asked: dict[str, str], *, now: float
) -> dict[str, Any]:
    """The answer of `GET /v1/billing/usage`.

    Args:
        asked: the query.

    Raises:
        Refusal: 404 the organisation has no access, 403 it is another organisation, 400 the query is wrong.
    """
    if not config.billing:
        raise Refusal(404, "Not found", None, "not_found")
    if asked.get("organization_id", ORGANIZATION) != ORGANIZATION:
        raise Refusal(403, "The API key does not belong to this organization", "organization_id", "forbidden")
    month = asked.get("month", f"{datetime.fromtimestamp(now, UTC):%Y-%m}")
    granularity = asked.get("granularity", "day")
    if _MONTH.fullmatch(month) is None or granularity not in {"day", "hour"}:
        raise Refusal(400, "month must be YYYY-MM, granularity day or hour", "month", "invalid_value")
    try:
        limit, first = int(asked.get("limit", "100")), int(asked.get("after", "0"))
    except ValueError:
        raise Refusal(400, "limit must be a number, after a cursor", "limit", "invalid_value") from None
    if not 1 <= limit <= _MOST_WINDOWS or first < 0:
        raise Refusal(400, f"limit must be from 1 to {_MOST_WINDOWS}", "limit", "invalid_value")
    length = _DAY if granularity == "day" else config.billing_window_seconds
    windows = _windows(jobs, config, month, length, now)
    page = windows[first : first + limit]
    return {
        "object": "list",
        "organization_id": ORGANIZATION,
        "billing_period": month,
        "currency": "USD",
        "earliest_window_start": windows[0]["start_time"] if windows else None,
        "latest_window_end": windows[-1]["end_time"] if windows else None,
        "data": page,
        "next_cursor": str(first + limit) if first + limit < len(windows) else None,
    }


def _windows(
    jobs: Iterable[Job], config: SandboxConfig, month: str, length: float, now: float
) -> list[dict[str, Any]]:
    lines: dict[float, dict[tuple[str, str, str], tuple[Decimal, Decimal]]] = {}
    for used in (*map(_usage_of, _billed(jobs, now)), *config.other_usage):
        start = used.at // length * length
        is_of_month = f"{datetime.fromtimestamp(start, UTC):%Y-%m}" == month
        if not is_of_month or start + length + config.billing_delay_seconds > now:
            continue
        there = lines.setdefault(start, {})
        name = (used.product, used.model, used.key_id)
        quantity, cost = there.get(name, (Decimal(0), Decimal(0)))
        there[name] = quantity + Decimal(str(used.quantity)), cost + Decimal(str(used.cost))
    return [
        {
            "start_time": _iso(start),
            "end_time": _iso(start + length),
            "date": f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d}",
            "line_items": [_line(*name, *amounts) for name, amounts in lines[start].items()],
        }
        for start in sorted(lines)
    ]


def _billed(jobs: Iterable[Job], now: float) -> Iterable[Job]:
    return (job for job in jobs if job.due_at <= now and not job.never_completes)


def _usage_of(job: Job) -> OtherUsage:
    return OtherUsage(at=job.due_at, cost=job.cost, model=job.model, key_id=job.key_id)


def _line(product: str, model: str, key_id: str, quantity: Decimal, cost: Decimal) -> dict[str, Any]:
    price = cost / quantity if quantity else Decimal(0)
    return {
        "product_name": product,
        "quantity": f"{quantity.normalize():f}",
        "unit_price": f"{price.normalize():f}",
        "cost": f"{cost.normalize():f}",
        "pricing_dimensions": {"model": model} if model else {},
        "attributes": {"project_id": PROJECT, **({"api_key_id": key_id} if key_id else {})},
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
