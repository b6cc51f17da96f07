"""`together-video spend`: report the cost over time, as a table, JSON, CSV or a page with a chart."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.finding.looking import begin_looking, opened_archive
from prefect_together_video.flows.cli.given_path import GivenPath
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.written_files import STDOUT, checked_file, file_or_stdout, write_file
from together_video.errors import InputError
from together_video.ledger.spend import Grouping, Period, SpendReport, SpendRow
from together_video.money import usd
from together_video.text import counted, printable

#: Most rows that the terminal shows; --json and --csv have all.
_SHOWN = 200
#: A narrower terminal gets closer columns, and long names on two lines.
_WIDE = 100


def spend(
    *,
    by: str = "month",
    since: str | None = None,
    until: str | None = None,
    month: str | None = None,
    csv: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    chart: GivenPath | None = None,
    place: LookOptions = LookOptions(),  # noqa: B008 - frozen
) -> int:
    """Show the cost over time, and this month's total against the limit. Changes nothing.

    A video counts on the day (UTC) when it was bought. Each attempt counts as a video.

    Paid is what the provider reported. Perhaps paid and in flight are the highest estimates.

    Parameters
    ----------
    by
        One row per day, month, model, campaign (the label of that name), or label:NAME.
    since
        The first day, such as 2026-11-01.
    until
        The last day.
    month
        A calendar month, such as 2026-11, instead of --since and --until.
    csv
        Write the rows as CSV to this file, which is replaced; - is standard output.
    chart
        Write a page with a chart to this file, which is replaced. It opens from disk.
    """
    grouping, period = Grouping.parse(by), _period(since, until, month)
    if csv == "-" and place.json:
        raise InputError("Give either --json or --csv -: both write to standard output.")
    csv_file, chart = file_or_stdout(csv, "--csv"), checked_file(chart, "--chart")
    terminal = begin_looking(place)
    from prefect_together_video.flows.engine.spend_report import read_spend

    async def read() -> SpendReport:
        async with opened_archive(place) as ledger:
            return await read_spend(ledger, grouping, period)

    report = asyncio.run(read())
    if csv_file is not None and csv_file is not STDOUT:
        write_file(csv_file, report.as_csv(), terminal)
    if chart is not None:
        from together_video.gallery.spend_page import render_spend

        write_file(chart, render_spend(report, made_at=datetime.now(UTC)), terminal)
    if csv_file is STDOUT:
        sys.stdout.write(report.as_csv())
    elif place.json:
        terminal.document(report.as_json())
    else:
        _show(report, terminal)
    if unread := len(report.unreadable) + report.more_unreadable:
        named = ", ".join(printable(key, 100) for key in report.unreadable[:3])
        terminal.complain(
            f"{counted(unread, 'record')} could not be read and {'does' if unread == 1 else 'do'} not count: {named}"
            f"{' …' if unread > 3 else ''}. together-video audit lists them all, with the reasons."
        )
    return 1 if unread else 0


def _period(since: str | None, until: str | None, month: str | None) -> Period:
    if month is None:
        return Period.parse(since, until)
    if since is not None or until is not None:
        raise InputError("Give either --month, or --since and --until.")
    return Period.of_month(month)


def _show(report: SpendReport, terminal: Terminal) -> None:
    if report.rows:
        is_narrow = terminal.out.width < _WIDE
        table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=is_narrow)
        table.add_column(escape(printable(report.heading, 40)), overflow="fold")
        # A narrow terminal shows this only in the sentence below.
        is_reviewed = not is_narrow and bool(report.total.accepted or report.total.rejected)
        for name in (
            *("videos", "clips", "failed", "paid", "perhaps paid", "in flight", "per clip"),
            *(("accepted", "rejected", "per accepted") if is_reviewed else ()),
        ):
            header = name.replace(" ", "\n") if is_narrow else name
            table.add_column(header, justify="right", vertical="bottom", no_wrap=True)
        rows = report.rows[-_SHOWN:] if report.is_time else report.rows[:_SHOWN]
        for row in rows:
            key = printable(row.key, 60)
            table.add_row(escape(key.replace("/", "/\n") if is_narrow else key), *_cells(row, is_reviewed))
        if len(report.rows) > 1:
            table.add_row("all", *_cells(report.total, is_reviewed), style="bold")
        terminal.out.print(table)
        if left := len(report.rows) - len(rows):
            terminal.out.print(f"{counted(left, 'row')} not shown: --csv writes all rows.", style="dim")
        terminal.out.print()
    terminal.out.print(f"{report.sentence}.", soft_wrap=True, style="bold", markup=False, highlight=False)


def _cells(row: SpendRow, is_reviewed: bool) -> tuple[str, ...]:
    amounts = (row.paid_usd, row.perhaps_paid_usd, row.in_flight_usd, row.usd_per_clip)
    cells = (str(row.videos), str(row.clips), str(row.failed), *map(_amount, amounts))
    if not is_reviewed:
        return cells
    return (*cells, str(row.accepted), str(row.rejected), _amount(row.usd_per_accepted))


def _amount(amount: Decimal | None) -> str:
    return "—" if amount is None else usd(amount)
