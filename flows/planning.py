"""Requests -> plans: everything that is decided, checked and estimated before money is spent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from tasks.run import run_logger
from together_video.catalogue import Review
from together_video.plans import plan_videos
from together_video.records import Origin, VideoPlan, edition_name
from together_video.requests import VideoRequest


def edition_now(edition: str) -> str:
    """The edition in force: of a scheduled run its *scheduled* time counts, so that a late or a
    repeated run of Tuesday's schedule is Tuesday's.
    """
    moment = flow_run.scheduled_start_time if FlowRunContext.get() is not None else None
    return edition_name(edition, (moment or datetime.now(UTC)).astimezone(UTC))


def prepare(
    requests: Sequence[VideoRequest],
    *,
    edition: str,
    batch_id: str | None,
    origin: Origin | None = None,
    strict: bool = False,
) -> list[VideoPlan]:
    """One checked and estimated plan a request. Warnings are logged, each kind once.

    Raises:
        InputError: some requests cannot work.
    """
    review = Review.of(requests, strict=strict)
    review.refuse_errors()
    for remark in review.remarks:
        run_logger().warning(remark)
    plans = plan_videos(requests, edition=edition, batch_id=batch_id, origin=origin)
    return [
        plan.model_copy(update={"estimate_usd": reviewed.estimate.usd})
        for plan, reviewed in zip(plans, review.requests, strict=True)
    ]
