"""Flow: verify every record against the archive, find orphaned and half-written files, and add up the costs."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_together_video.flows.engine.audit_run import run_audit
from prefect_together_video.flows.parameters import Archive, documented, run_name
from together_video.ledger.audit import AuditReport


@flow(
    name="audit-archive",
    description="Check that each record has its files with the right size and checksum; find orphans; add up costs.",
    flow_run_name=run_name("audit"),
)
@documented(AuditReport)
async def audit_archive(
    deep: Annotated[
        bool,
        Field(
            description="Read videos back and compare their bytes, not only their metadata: those that were never read "
            "back, and those that have changed since."
        ),
    ] = False,
    full: Annotated[
        bool, Field(description="Verify everything again, including what an earlier audit verified.")
    ] = False,
    archive: Archive = None,
) -> State[Any]:
    """Reads what no earlier audit has verified, and what has changed since. Changes nothing but the index, which it
    rebuilds where it has write access. The run ends as Failed on any finding.

    Returns:
        An `AuditReport` without findings.

    Raises:
        RunIncomplete: there are findings; `result` is the report.
        VideoError: the run could not start; nothing was read.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import audit_archive

        @flow
        async def monthly_bill():
            report = await audit_archive()
            return [(row.month, row.model, row.cost_usd) for row in report.spent]
        ```
    """
    return (await run_audit(deep=deep, full=full, archive=archive)).state
