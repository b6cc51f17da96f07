"""`together-video collect` and `together-video audit`: archive what was bought, and verify the records."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.options import PlaceOptions
from prefect_together_video.flows.cli.preamble import begin, needs_prefect
from prefect_together_video.flows.cli.reconciliation import show_reconciliation
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.tasks.session.run_policy import MEANING
from together_video.errors import InputError
from together_video.ledger.audit import AuditReport
from together_video.ledger.summary import Summary
from together_video.money import usd_cells
from together_video.text import printable


def collect(
    *,
    wait: float = 0,
    in_flight: Annotated[int, Parameter(help=MEANING["in_flight"])] = 20,
    reconcile: str | None = None,
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Download and archive videos that are paid for but not in the archive yet. Buys nothing.

    Parameters
    ----------
    wait
        Seconds to wait for jobs that are still running; 0 polls once.
    reconcile
        Instead of collecting, compare this month (UTC), such as 2026-11, with the provider's bill.
    """
    if reconcile is not None:
        return show_reconciliation(reconcile, place)
    if not 0 <= wait <= 86_400 or not 1 <= in_flight <= 1000:
        raise InputError("--wait must be between 0 and 86400 seconds, and --in-flight between 1 and 1000.")
    prefect = needs_prefect(place)
    terminal = begin(place, prefect=prefect)
    parameters = {"wait": wait, "in_flight": in_flight}
    if prefect:
        from prefect_together_video.flows.cli.running import run_flow
        from prefect_together_video.flows.collect import collect_videos

        code, summary = run_flow(collect_videos, parameters, place, terminal)
    else:
        from prefect_together_video.flows.cli.execution import run_without_prefect
        from prefect_together_video.flows.engine.collect_run import run_collect

        code, summary = run_without_prefect(run_collect, parameters, place, terminal)
    if not isinstance(summary, Summary):
        return code
    if place.json or summary.videos:
        terminal.result(summary, as_json=place.json)
    else:
        terminal.out.print("Nothing is in flight.")
    return code


def audit(
    *,
    deep: Annotated[bool, Parameter(negative=())] = False,
    full: Annotated[bool, Parameter(negative=())] = False,
    place: PlaceOptions = PlaceOptions(),  # noqa: B008 - frozen
) -> int:
    """Verify every record against the archive, and report orphaned files and the cost. Changes only the index.

    Files that an earlier audit verified are read again only if their size or time in the archive changes.

    Parameters
    ----------
    deep
        Also read back and compare the bytes of videos that were never read back, or have changed since.
    full
        Verify everything again, including what an earlier audit verified.
    """
    if place.together is not None:
        raise InputError("An audit does not call the API: leave out --together.")
    prefect = needs_prefect(place)
    terminal = begin(place, asks_api=False, prefect=prefect)
    parameters = {"deep": deep, "full": full}
    if prefect:
        from prefect_together_video.flows.audit import audit_archive
        from prefect_together_video.flows.cli.running import run_flow

        code, report = run_flow(audit_archive, parameters, place, terminal)
    else:
        from prefect_together_video.flows.cli.execution import run_without_prefect
        from prefect_together_video.flows.engine.audit_run import run_audit

        code, report = run_without_prefect(run_audit, parameters, place, terminal)
    if isinstance(report, AuditReport):
        if place.json:
            terminal.document(report.as_json())
        else:
            _show(report, terminal)
    return code


def _show(report: AuditReport, terminal: Terminal) -> None:
    spent = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("month", "model"):
        spent.add_column(name)
    for name in ("videos", "failed", "USD", "cost unknown"):
        spent.add_column(name, justify="right")
    amounts = usd_cells(row.cost_usd for row in report.spent)
    for row, amount in zip(report.spent, amounts, strict=True):
        numbers = (row.videos, row.failed, amount, row.unreported)
        spent.add_row(row.month, escape(printable(row.model, 60)), *map(str, numbers))
    if report.spent:
        terminal.out.print(spent)
        terminal.out.print()
    for finding in report.findings:
        about = escape(printable(f"{finding.key}: {finding.message}", 500))
        terminal.out.print(f"[red]{finding.kind}[/]  {about}", soft_wrap=True)
    terminal.out.print(f"{report.sentence}.", style="bold yellow" if report.findings else "bold green")
