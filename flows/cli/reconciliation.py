"""`together-video collect --reconcile MONTH`: compare the archive with the provider's bill."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from prefect_together_video.flows.cli.finding.looking import opened_archive
from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.preamble import begin
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.billing.reconciliation import ReconciledRow, Reconciliation
from together_video.errors import InputError
from together_video.money import usd
from together_video.text import printable

if TYPE_CHECKING:
    from together_video.api.client import TogetherClient

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def show_reconciliation(month: str, place: LookOptions) -> int:
    """Print the comparison. Returns 0 if they agree, 1 if not."""
    if not _MONTH.fullmatch(month):
        raise InputError(f"--reconcile takes a month such as 2026-11, not {printable(month, 40)!r}.")
    terminal = begin(place, prefect=place.together is not None or place.archive is not None)
    from prefect_together_video.tasks.session.bill import BillReader
    from together_video.api.from_env import client_from_env

    async def calls() -> TogetherClient:
        if place.together is None:
            return client_from_env()
        from prefect_together_video.flows.cli.running import credentials_of

        return (await credentials_of(place)).get_client()

    async def compare() -> Reconciliation:
        async with await calls() as client, opened_archive(place) as ledger:
            await client.check()
            return await BillReader(client, ledger).reconcile(month)

    with terminal.waiting("Reading the bill and the archive …"):
        found = asyncio.run(compare())
    if place.json:
        terminal.document(found.as_json())
    else:
        _print(found, terminal)
    return 0 if found.agrees else 1


def _print(found: Reconciliation, terminal: Terminal) -> None:
    if found.models:
        terminal.out.print(_table("model", found.models))
    if found.days:
        terminal.out.print(
            "\nDays that differ (videos made around midnight may count on the next day):", style="bold"
        )
        terminal.out.print(_table("day", found.days))
    if found.others_usd:
        terminal.out.print(
            f"\nOther API keys of the organisation: {usd(found.others_usd)} for videos.", style="dim"
        )
    terminal.out.print(f"\n{found.sentence}.", style="bold green" if found.agrees else "bold yellow")


def _table(first: str, rows: Sequence[ReconciledRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for name in ("billed", "recorded", "only billed", "only recorded"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        name = row.model if row.day is None else f"{row.day} {row.model}"
        amounts = (row.billed_usd, row.recorded_usd, row.unknown_usd, row.unbilled_usd)
        perhaps = f" (+{row.perhaps} ambiguous)" if row.perhaps else ""
        table.add_row(escape(printable(name, 120) + perhaps), *map(usd, amounts))
    return table
