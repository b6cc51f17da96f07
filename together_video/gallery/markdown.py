"""Outcomes as Markdown for Prefect's UI: posters with links, and the cost of the videos by model.

The posters are in an HTML table. In a Markdown table, Prefect's first UI shows pictures in full size, in a box with
room for a corner, and does not render a picture inside a link. Both UIs sanitize HTML but keep pictures, links and
widths. All text that others wrote goes through `plain`, so none of it becomes markup. Links to posters and videos
expire, if there are any. The page in the archive is permanent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from together_video.gallery.links import safe_link
from together_video.gallery.plain_text import plain
from together_video.gallery.public import public_outcome
from together_video.gallery.public_text import public_text
from together_video.ledger.account import Account
from together_video.ledger.summary import GOOD, Summary, VideoOutcome, VideoState
from together_video.money import usd, usd_cell

#: How many videos the gallery shows: each has two long links.
MOST_SHOWN = 48
#: How many rows a table of videos has.
MOST_ROWS = 500
_COLUMNS = 3
#: Width of a poster in pixels: three fit side by side in the narrower UI.
_POSTER = 300


def gallery_markdown(
    title: str,
    summary: Summary,
    links: Mapping[str, str],
    *,
    expires_at: datetime | None,
    posters: Mapping[str, str],
    page: str | None = None,
    page_link: str | None = None,
) -> str:
    """The videos in the archive, side by side, and a line for each that is not there.

    Args:
        links: addresses by key, for videos and posters. Without an address, the key is shown.
        expires_at: when these addresses expire. None if there are none.
        posters: the poster's key by the video's key, if there is one.
        page: where the whole gallery is, such as `s3://bucket/batches/…/index.html` or `file:///…/index.html`.
        page_link: an address that opens that page in a browser, if there is one.
    """
    videos = [public_outcome(found) for found in summary.videos]
    lines = [f"## {plain(public_text(title), 200)}", "", f"{plain(summary.sentence, 400)}.", ""]
    there = [found for found in videos if found.state in GOOD and found.key]
    lines += _cells(there[:MOST_SHOWN], links, posters)
    if len(there) > MOST_SHOWN:
        lines += ["", f"{len(there) - MOST_SHOWN} more are on the gallery page."]
    missing = [found for found in videos if found.state not in GOOD]
    if missing:
        lines += ["", "### Not in the archive", ""]
        lines += [
            f"- **{found.state}** {plain(found.title_in(100), 100)}: {plain(found.error or '—', 300)}"
            for found in missing[:MOST_SHOWN]
        ]
    if len(missing) > MOST_SHOWN:
        lines += [f"- … and {len(missing) - MOST_SHOWN} more"]
    lines.append("")
    lines += links_line(expires_at)
    if page:
        lines += ["", _page(page, safe_link(page_link))]
    return "\n".join(lines) + "\n"


def links_line(expires_at: datetime | None) -> list[str]:
    """How long links work. Empty if there are none."""
    if expires_at is None:
        return []
    return [
        f"Links work until {expires_at:%Y-%m-%d %H:%M} UTC, or until the keys that signed them expire. "
        "Run together-video share for new ones."
    ]


def picture(address: str | None, width: int) -> str:
    """A poster as HTML, `width` pixels wide. Empty if it has no address."""
    return f'<img src="{escape(address)}" alt="poster" width="{width}">' if address else ""


def _page(page: str, link: str | None) -> str:
    if link is None:
        return f"Gallery page in the archive: `{plain(page, 1000)}`"
    return f"Gallery page in the archive: [{plain(page, 1000)}]({_address(link)})"


def _cells(videos: Sequence[VideoOutcome], links: Mapping[str, str], posters: Mapping[str, str]) -> list[str]:
    """One block of HTML: an empty line would end it."""
    if not videos:
        return []
    lines = ['<table cellpadding="6">']
    for start in range(0, len(videos), _COLUMNS):
        lines += [
            "<tr>",
            *(_cell(found, links, posters) for found in videos[start : start + _COLUMNS]),
            "</tr>",
        ]
    return [*lines, "</table>"]


def _cell(found: VideoOutcome, links: Mapping[str, str], posters: Mapping[str, str]) -> str:
    key = found.key or ""
    text = escape(plain(found.title_in(120), 120))
    video, poster = safe_link(links.get(key)), safe_link(links.get(posters.get(key, "")))
    instead = f" instead of {plain(found.asked_model, 60)}" if found.asked_model else ""
    facts = [plain(found.model, 60) + instead]
    if found.state is not VideoState.ARCHIVED:
        facts.append(found.state.value)
    if found.seconds is not None:
        facts.append(f"{found.seconds:.1f} s")
    if found.cost_usd is not None:
        facts.append(usd(found.cost_usd))
    parts = [
        linked(picture(poster, _POSTER), video),
        linked(f"▶ {text}" if video else text, video),
        # Break lines between two facts, not within one.
        escape(" · ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts)),
    ]
    return f'<td width="33%" valign="top">{"<br>".join(part for part in parts if part)}</td>'


def linked(what: str, video: str | None) -> str:
    """HTML as a link that opens in a new tab. Unchanged if there is no address."""
    return f'<a href="{escape(video)}" target="_blank" rel="noopener">{what}</a>' if what and video else what


def video_rows(summary: Summary) -> list[dict[str, Any]]:
    """A row for each video, for a table in Prefect's UI; at most `MOST_ROWS`. Long values are on the right.

    Videos that are not in the archive come first, because the second UI shows ten rows at a time.
    """
    return [
        {
            "state": found.state.value,
            "seconds": "" if found.seconds is None else f"{found.seconds:.1f}",
            "USD": "" if found.cost_usd is None else usd_cell(found.cost_usd),
            "model": plain(found.model, 60),
            "prompt": plain(found.title_in(60) if found.prompt else "—", 60),
            "job": plain(found.job_id or "", 200),
            "location or reason": plain(found.uri, 1000) if found.uri else plain(found.error or "", 300),
        }
        for found in map(
            public_outcome, sorted(summary.videos, key=lambda found: found.state in GOOD)[:MOST_ROWS]
        )
    ]


def cost_rows(summary: Summary) -> list[dict[str, Any]]:
    """What this run paid, by model, the most expensive first."""
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
