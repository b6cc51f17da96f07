"""Alerts of the collector: events that are emitted once, because the archive remembers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from prefect_together_video.blocks.ledger.ledger import InFlight, Ledger
from prefect_together_video.blocks.ledger.spending_entries import this_month
from prefect_together_video.flows.reporting import events
from prefect_together_video.tasks.running.runs import run_logger
from together_video.errors import ArchiveError
from together_video.ledger.alerts import day_of, days_in_doubt, doubt_name, months_reached
from together_video.ledger.summary import VideoOutcome, VideoState


async def emit_alerts(
    ledger: Ledger, in_flight: Mapping[str, InFlight], outcomes: Iterable[VideoOutcome]
) -> None:
    """Emit what is due, once a month or once a day. Outside of a flow run nothing is emitted or noted as emitted.

    No video depends on it: errors are logged, and the next run tries again.
    """
    if not events.are_heard():
        return
    try:
        await _month(ledger)
        await _doubts(ledger, in_flight, outcomes)
    except ArchiveError as error:
        run_logger().warning("The archive could not be read for alerts: %s", error)


async def _month(ledger: Ledger) -> None:
    if (limit := ledger.spending.limit) is None:
        return
    month = this_month()
    counted = await ledger.spending.entries.total(month)
    if not months_reached(month, counted, limit, said=()):
        return
    for alert in months_reached(month, counted, limit, await _said(ledger, month)):
        run_logger().warning(alert.sentence)
        events.month_reached(alert)
        await ledger.store.put_once(ledger.layout.alert(month, alert.name), b"{}\n")


async def _doubts(
    ledger: Ledger, in_flight: Mapping[str, InFlight], outcomes: Iterable[VideoOutcome]
) -> None:
    now = datetime.now(UTC)
    doubts = [
        (outcome, days)
        for outcome in outcomes
        if outcome.state is VideoState.AMBIGUOUS
        and outcome.id in in_flight
        and (days := days_in_doubt(in_flight[outcome.id].since, now))
    ]
    if not doubts:
        return
    day = day_of(now)
    said = await _said(ledger, day)
    for outcome, days in doubts:
        if (name := doubt_name(outcome.id)) not in said:
            events.ambiguous_for_days(outcome, days)
            await ledger.store.put_once(ledger.layout.alert(day, name), b"{}\n")


async def _said(ledger: Ledger, period: str) -> set[str]:
    start = ledger.layout.alert(period, "")
    return {found.key.removeprefix(start) for found in await ledger.store.list(start)}
