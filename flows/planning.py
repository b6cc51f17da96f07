"""Requests -> plans: everything that is decided, checked and estimated before money is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from tasks.run import Logger
from together_video.catalogue import Catalogue
from together_video.checks import check
from together_video.errors import InputError
from together_video.findings import Finding, Level
from together_video.plans import plan_videos
from together_video.pricing import estimate
from together_video.records import Origin, VideoPlan, edition_name
from together_video.requests import VideoRequest

#: More errors than this are counted, not listed.
_LISTED = 10


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
    logger: Logger,
    origin: Origin | None = None,
    strict: bool = False,
) -> list[VideoPlan]:
    """One checked and estimated plan a request. Warnings are logged, each kind once.

    Raises:
        InputError: some requests cannot work; names up to ten of them.
    """
    catalogue = Catalogue.load()
    errors: list[str] = []
    remarks: Counter[str] = Counter()
    for number, request in enumerate(requests, 1):
        for finding in check(request, catalogue, strict=strict):
            if finding.level is Level.ERROR:
                errors.append(f"request {number} ({request.title}): {finding.message}")
            else:
                remarks[_remark(finding, request)] += 1
    if errors:
        raise InputError(_report(errors, len(requests)))
    for remark, count in remarks.items():
        logger.warning("%s%s", remark, f" ({count} requests)" if count > 1 else "")
    plans = plan_videos(requests, edition=edition, batch_id=batch_id, origin=origin)
    return [plan.model_copy(update={"estimate_usd": estimate(plan.request, catalogue).usd}) for plan in plans]


def _remark(finding: Finding, request: VideoRequest) -> str:
    return f"{finding.level}: {request.model}, {finding.field}: {finding.message}"


def _report(errors: Sequence[str], total: int) -> str:
    if total == 1:
        return " ".join(error.split(": ", 1)[1] for error in errors) + " Nothing was sent."
    listed = [f"  {error}" for error in errors[:_LISTED]]
    if len(errors) > _LISTED:
        listed.append(f"  … and {len(errors) - _LISTED} more")
    return "\n".join([f"{len(errors)} problems in {total} requests; nothing was sent.", *listed])
