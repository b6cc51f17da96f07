"""A self-contained page about spending: the chart, the month and its limit, and the numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from together_video.gallery.links import static_policy
from together_video.gallery.rendering import asset, template
from together_video.gallery.spend_chart import SCALE, chart_of
from together_video.ledger.spend import SpendReport, SpendRow
from together_video.money import usd

#: Rows of the table; the rest is in the CSV file.
MOST_ROWS = 400


def render_spend(report: SpendReport, *, made_at: datetime) -> str:
    """The page as text, to be stored as UTF-8. It has no script and no link."""
    from markupsafe import Markup

    style = asset("gallery.css") + asset("spend.css")
    month, limit, left = report.month, report.month.limit_usd, report.month.left_usd
    rows = report.rows[-MOST_ROWS:] if report.is_time else report.rows[:MOST_ROWS]
    chart = chart_of(report)
    return template("spend.html.j2").render(
        title=f"Spending by {report.heading}",
        lead=f"{_period(report)}{report.sentence}.",
        figures=_figures(report),
        by=report.heading,
        is_time=report.is_time,
        chart=chart,
        columns=max(len(chart.bars), 1),
        scale=SCALE,
        month=month,
        used=None if limit is None else f"{min(month.counted_usd / limit, Decimal(1)) * SCALE:.2f}",
        limit=None if limit is None else usd(limit),
        left=None if left is None else usd(left),
        counted=usd(month.counted_usd),
        rows=[(row.key, cells_of(row)) for row in rows],
        total=cells_of(report.total),
        more_rows=len(report.rows) - len(rows),
        unreadable=report.unreadable,
        more_unreadable=report.more_unreadable,
        made_at=made_at.astimezone(UTC),
        policy=static_policy(style),
        style=Markup(style),  # noqa: S704 -- our own files, and their hash is in the policy
    )


def cells_of(row: SpendRow) -> tuple[str, ...]:
    """Videos, clips, failed, paid, perhaps paid, in flight, and paid per clip, as text."""
    each = row.usd_per_clip
    return (
        str(row.videos),
        str(row.clips),
        str(row.failed),
        usd(row.paid_usd),
        usd(row.perhaps_paid_usd),
        usd(row.in_flight_usd),
        "—" if each is None else usd(each),
    )


def _period(report: SpendReport) -> str:
    if report.since and report.until:
        return f"{report.since} to {report.until}: "
    if report.since:
        return f"Since {report.since}: "
    return f"Until {report.until}: " if report.until else ""


def _figures(report: SpendReport) -> list[tuple[str, str]]:
    total, each = report.total, report.total.usd_per_clip
    figures = [("Videos", str(total.videos)), ("Clips", str(total.clips)), ("Paid", usd(total.paid_usd))]
    if total.perhaps_paid_usd:
        figures.append(("Perhaps paid", usd(total.perhaps_paid_usd)))
    if total.in_flight_usd:
        figures.append(("In flight", usd(total.in_flight_usd)))
    if each is not None:
        figures.append(("Paid per clip", usd(each)))
    return figures
