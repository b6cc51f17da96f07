"""The bars of a spending page: paid, perhaps paid and in flight, drawn to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from together_video.ledger.spend import SpendReport, SpendRow
from together_video.money import usd
from together_video.text import counted

#: How many days or months a chart shows (the last ones), and how many models or labels (the most expensive).
MOST_COLUMNS, MOST_BARS = 92, 30
#: The height of a column and the length of a bar, in units of the drawing.
SCALE = 100
#: How much of its place a column fills.
_FILLED = 0.72


@dataclass(frozen=True)
class Piece:
    """A part of a bar, in units of the drawing: its start, its length, and `y`, its upper end in a column.

    `kind` is paid, perhaps or flight.
    """

    kind: str
    start: str
    length: str
    y: str


@dataclass(frozen=True)
class Bar:
    """One row as a bar. `x` and `width` are for columns."""

    key: str
    title: str
    amount: str
    pieces: tuple[Piece, ...]
    x: str = "0"
    width: str = "0"


@dataclass(frozen=True)
class Chart:
    """Bars side by side or below each other. `top` is the amount at the end of the scale."""

    bars: tuple[Bar, ...]
    top: str
    #: How many rows are not shown, in words, if any.
    left_out: str = ""


def chart_of(report: SpendReport) -> Chart:
    """The rows of a report as bars. Days and months without a purchase get an empty place."""
    is_time = report.is_time
    rows = filled(report) if is_time else list(report.rows)
    shown = rows[-MOST_COLUMNS:] if is_time else rows[:MOST_BARS]
    top = max((row.most_usd for row in shown), default=Decimal(0))
    left = len(rows) - len(shown)
    what = f"{counted(left, f'earlier {report.by}')} not shown." if is_time else f"{left} more in the table."
    return Chart(
        bars=tuple(_bar(row, top, number) for number, row in enumerate(shown)),
        top=usd(top),
        left_out=what if left else "",
    )


def filled(report: SpendReport) -> list[SpendRow]:
    """The rows of a report by day or month, with an empty row for each day or month in between."""
    known = {row.key: row for row in report.rows}
    days = [_first_day(row.key) for row in report.rows]
    if not days:
        return []
    found: list[SpendRow] = []
    day = max(days)
    # Backwards, and not beyond what a chart can show: a forged record may be dated 2000.
    while day >= min(days) and len(found) <= MOST_COLUMNS:
        key = f"{day:%Y-%m}" if report.by == "month" else day.isoformat()
        found.append(known.get(key, SpendRow(key=key)))
        day = (day - timedelta(days=1)).replace(day=1) if report.by == "month" else day - timedelta(days=1)
    return found[::-1]


def _first_day(key: str) -> date:
    return date.fromisoformat(key if len(key) > 7 else f"{key}-01")


def _bar(row: SpendRow, top: Decimal, number: int) -> Bar:
    pieces, start = [], Decimal(0)
    for kind, amount in (
        ("paid", row.paid_usd),
        ("perhaps", row.perhaps_paid_usd),
        ("flight", row.in_flight_usd),
    ):
        length = amount / top * SCALE if top else Decimal(0)
        if length:
            pieces.append(Piece(kind, f"{start:.2f}", f"{length:.2f}", f"{SCALE - start - length:.2f}"))
        start += length
    return Bar(
        key=row.key,
        title=f"{row.key}: {in_words(row)}",
        amount=usd(row.most_usd),
        pieces=tuple(pieces),
        x=f"{number + (1 - _FILLED) / 2:.2f}",
        width=f"{_FILLED:.2f}",
    )


def in_words(row: SpendRow) -> str:
    """`1.20 USD paid, 0.30 USD in flight; 4 videos, 3 clips`"""
    parts = [f"{usd(row.paid_usd)} paid"]
    if row.perhaps_paid_usd:
        parts.append(f"{usd(row.perhaps_paid_usd)} perhaps paid")
    if row.in_flight_usd:
        parts.append(f"{usd(row.in_flight_usd)} in flight")
    return f"{', '.join(parts)}; {counted(row.videos, 'video')}, {counted(row.clips, 'clip')}"
