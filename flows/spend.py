"""Flow: what was spent in the last days, as a page in the archive and as artifacts with a history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_together_video.blocks.ledger.opened import opened
from prefect_together_video.flows.engine.spend_report import read_spend
from prefect_together_video.flows.parameters import Archive, documented, run_name
from prefect_together_video.flows.reporting import spend_artifacts
from prefect_together_video.flows.reporting.results import final, refused
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import VideoError
from together_video.ledger.spend import Grouping, Period, SpendReport


@flow(
    name="report-spend",
    description="Report what was spent in the last days and this month, and what is left of the limit, with a chart.",
    flow_run_name=run_name("spend"),
)
@documented(SpendReport)
async def report_spend(
    by: Annotated[
        str, Field(description="What each row adds up: day, month, model, campaign, or label:NAME.")
    ] = "day",
    days: Annotated[int, Field(ge=1, le=3_660, description="How many days, including today.")] = 31,
    archive: Archive = None,
) -> State[Any]:
    """Reads the archive, and writes the page `spend/<date>.html` in it and the artifacts `spend` and `spend-table`.

    Records that cannot be read do not count, and are named in the log.

    Returns:
        A `SpendReport` with a row for each day, month, model or label.

    Raises:
        VideoError: the run could not start; nothing was written.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import report_spend

        @flow
        async def what_is_left():
            report = await report_spend(days=7)
            return report.month.left_usd
        ```
    """
    now = datetime.now(UTC)
    period = Period(since=now.date() - timedelta(days=days - 1), until=now.date())
    try:
        grouping = Grouping.parse(by)
        async with opened(archive) as ledger:
            report = await read_spend(ledger, grouping, period)
            for key in report.unreadable:
                run_logger().warning("%s could not be read and does not count. Run audit.", key)
            await spend_artifacts.publish(ledger, report, now)
    except VideoError as error:
        return refused(error).state
    return final(report, is_good=True).state
