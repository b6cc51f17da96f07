"""Spending as Markdown and as rows for Prefect's UI. Names of others go through `plain`."""

from __future__ import annotations

from datetime import datetime

from together_video.gallery.links import safe_link
from together_video.gallery.plain_text import plain
from together_video.gallery.spend_page import cells_of
from together_video.ledger.spend import SpendReport, SpendRow

#: How many rows an artifact has.
MOST_ROWS = 100
_COLUMNS = ("videos", "clips", "failed", "paid", "perhaps paid", "in flight", "paid per clip")


def spend_markdown(
    report: SpendReport, *, page: str | None, link: str | None, expires_at: datetime | None
) -> str:
    """The month and its limit, a table of the rows, and where the page with the chart is.

    Args:
        page: where the page is, such as `s3://bucket/spend/2026-11-27.html`.
        link: an address that opens it until `expires_at`, if there is one.
    """
    lines = ["## Spending", "", f"**{plain(report.month.sentence, 400)}.**", ""]
    lines.append("| " + " | ".join([plain(report.heading, 60), *_COLUMNS]) + " |")
    lines.append("|---|" + "---:|" * len(_COLUMNS))
    for row in [*shown(report), report.total.model_copy(update={"key": "all"})]:
        lines.append("| " + " | ".join([plain(row.key, 100), *cells_of(row)]) + " |")
    if (left := len(report.rows) - MOST_ROWS) > 0:
        lines += ["", f"{left} more rows are on the page."]
    lines.append("")
    if (address := safe_link(link)) is not None and expires_at is not None:
        target = address.replace("(", "%28").replace(")", "%29")
        lines.append(f"[Page with a chart]({target}), until {expires_at:%Y-%m-%d %H:%M} UTC.")
    if page:
        lines += [f"Page in the archive: `{plain(page, 1000)}`"]
    unread = len(report.unreadable) + report.more_unreadable
    if unread:
        lines += ["", f"Not counted, because they could not be read: {unread}. The run's log names them."]
    return "\n".join(lines) + "\n"


def spend_rows(report: SpendReport) -> list[dict[str, str]]:
    """The same rows for a table artifact."""
    return [
        {plain(report.heading, 60): plain(row.key, 100), **dict(zip(_COLUMNS, cells_of(row), strict=True))}
        for row in shown(report)
    ]


def shown(report: SpendReport) -> tuple[SpendRow, ...]:
    """The last days or months, or the most expensive models or labels."""
    return report.rows[-MOST_ROWS:] if report.is_time else report.rows[:MOST_ROWS]
