"""Outcomes as Markdown for Prefect's UI: posters with links, and what the videos cost by model.

All text that others wrote goes through `plain`, so that none of it becomes markup. Posters and videos are linked by
addresses that end, where there are any; the page in the archive is the lasting one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from together_video.gallery.links import safe_link
from together_video.gallery.plain_text import plain
from together_video.ledger.account import Account
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.money import usd, usd_cell

#: How many videos the gallery shows: each brings two long links.
MOST_SHOWN = 48
#: How many rows a table of videos has.
MOST_ROWS = 500
_COLUMNS = 3


def gallery_markdown(
    title: str,
    summary: Summary,
    links: Mapping[str, str],
    *,
    expires_at: datetime | None,
    posters: Mapping[str, str],
    page: str | None = None,
) -> str:
    """The videos that are in the archive, side by side, and a line for each that is not.

    Args:
        links: addresses by key, for videos and posters; what has none is named by its key.
        expires_at: when these addresses end; None where there are none.
        posters: the poster's key by the video's, where there is one.
        page: where the whole gallery lies, such as `s3://bucket/batches/…/index.html` or `file:///…/index.html`.
    """
    lines = [f"## {plain(title, 200)}", "", f"{plain(summary.sentence, 400)}.", ""]
    there = [found for found in summary.videos if found.state in GOOD and found.key]
    lines += _cells(there[:MOST_SHOWN], links, posters)
    if len(there) > MOST_SHOWN:
        lines += ["", f"{len(there) - MOST_SHOWN} more are on the gallery page."]
    missing = [found for found in summary.videos if found.state not in GOOD]
    if missing:
        lines += ["", "### Not in the archive", ""]
        lines += [
            f"- **{found.state}** {plain(found.prompt or found.model, 100)}: {plain(found.error or '—', 300)}"
            for found in missing[:MOST_SHOWN]
        ]
    if len(missing) > MOST_SHOWN:
        lines += [f"- … and {len(missing) - MOST_SHOWN} more"]
    lines.append("")
    if expires_at is not None:
        lines.append(
            f"Links work until {expires_at:%Y-%m-%d %H:%M} UTC, or as long as the keys that signed them; "
            "together-video share makes new ones."
        )
    if page:
        lines += [f"The lasting gallery: `{plain(page, 1000)}`"]
    return "\n".join(lines) + "\n"


def _cells(videos: Sequence[VideoOutcome], links: Mapping[str, str], posters: Mapping[str, str]) -> list[str]:
    cells = [_cell(found, links, posters) for found in videos]
    if not cells:
        return []
    columns = min(_COLUMNS, len(cells))
    lines = ["|" + "   |" * columns, "|" + "---|" * columns]
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        lines.append("| " + " | ".join([*row, *([""] * (columns - len(row)))]) + " |")
    return lines


def _cell(found: VideoOutcome, links: Mapping[str, str], posters: Mapping[str, str]) -> str:
    key = found.key or ""
    text = found.prompt or found.model
    video, poster = safe_link(links.get(key)), safe_link(links.get(posters.get(key, "")))
    instead = f" instead of {plain(found.asked_model, 60)}" if found.asked_model else ""
    facts = [plain(found.model, 60) + instead, found.state.value]
    if found.seconds is not None:
        facts.append(f"{found.seconds:.1f} s")
    if found.cost_usd is not None:
        facts.append(usd(found.cost_usd))
    linked = f"[▶ {plain(text, 120)}]({_address(video)})" if video else plain(text, 120)
    # Not inside of the link: Prefect's first UI would show the Markdown of the picture.
    picture = f"![poster]({_address(poster)})<br>" if poster else ""
    return f"{picture}{linked}<br>{' · '.join(facts)}"


def video_rows(summary: Summary) -> list[dict[str, Any]]:
    """A row a video, for a table in Prefect's UI; at most `MOST_ROWS`. What is long stands at the right."""
    return [
        {
            "state": found.state.value,
            "seconds": "" if found.seconds is None else f"{found.seconds:.1f}",
            "USD": "" if found.cost_usd is None else usd_cell(found.cost_usd),
            "model": plain(found.model, 60),
            "prompt": plain(found.prompt or "—", 60),
            "job": plain(found.job_id or "", 200),
            "where, or why not": plain(found.uri, 1000) if found.uri else plain(found.error or "", 300),
        }
        for found in summary.videos[:MOST_ROWS]
    ]


def cost_rows(summary: Summary) -> list[dict[str, Any]]:
    """What this run paid, by model, the dearest first."""
    models: dict[str, list[VideoOutcome]] = {}
    for found in summary.videos:
        models.setdefault(found.model, []).append(found)
    rows = []
    for model, several in models.items():
        account = sum((found.account for found in several), Account())
        rows.append(
            (
                account,
                {
                    "model": plain(model, 100),
                    "videos": len(several),
                    "archived": sum(o.state is VideoState.ARCHIVED for o in several),
                    "reused": sum(o.state is VideoState.REUSED for o in several),
                },
            )
        )
    rows.sort(key=lambda row: row[0].committed, reverse=True)
    return [
        {
            **row,
            "paid in this run (USD)": usd_cell(account.paid),
            "perhaps paid (USD)": usd_cell(account.perhaps_paid),
            "in flight (USD)": usd_cell(account.in_flight),
        }
        for account, row in rows
    ]


def _address(url: str | None) -> str:
    """Parentheses would end a Markdown link."""
    return (url or "").replace("(", "%28").replace(")", "%29")
