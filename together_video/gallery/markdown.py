"""Outcomes as Markdown for Prefect's UI: posters with links, and what the videos cost by model.

The posters stand in a table of HTML. Prefect's first UI shows pictures of a Markdown table in their full size, in a box
that shows a corner of it, and the Markdown of a picture within a link; both UIs clean HTML and keep its pictures,
links and widths. All text that others wrote goes through `plain`, so that none of it becomes markup. Posters and videos
are linked by addresses that end, where there are any; the page in the archive is the lasting one.
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

#: How many videos the gallery shows: each brings two long links.
MOST_SHOWN = 48
#: How many rows a table of videos has.
MOST_ROWS = 500
_COLUMNS = 3
#: Width of a poster in pixels: three fit beside each other in the narrower UI.
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
    """The videos that are in the archive, side by side, and a line for each that is not.

    Args:
        links: addresses by key, for videos and posters; what has none is named by its key.
        expires_at: when these addresses end; None where there are none.
        posters: the poster's key by the video's, where there is one.
        page: where the whole gallery lies, such as `s3://bucket/batches/…/index.html` or `file:///…/index.html`.
        page_link: an address by which a browser opens that page, where there is one.
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
    """Until when links work; nothing where there are none."""
    if expires_at is None:
        return []
    return [
        f"Links work until {expires_at:%Y-%m-%d %H:%M} UTC, or as long as the keys that signed them; "
        "together-video share makes new ones."
    ]


def picture(address: str | None, width: int) -> str:
    """A poster as HTML, so many pixels wide; nothing where it has no address."""
    return f'<img src="{escape(address)}" alt="poster" width="{width}">' if address else ""


def _page(page: str, link: str | None) -> str:
    if link is None:
        return f"The lasting gallery: `{plain(page, 1000)}`"
    return f"The lasting gallery: [{plain(page, 1000)}]({_address(link)})"


def _cells(videos: Sequence[VideoOutcome], links: Mapping[str, str], posters: Mapping[str, str]) -> list[str]:
    """One block of HTML: an empty line in it would end it."""
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
        # A line ends between two facts, and not within one.
        escape(" · ".join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in facts)),
    ]
    return f'<td width="33%" valign="top">{"<br>".join(part for part in parts if part)}</td>'


def linked(what: str, video: str | None) -> str:
    """HTML as a link that opens beside Prefect's page; as it is where there is no address."""
    return f'<a href="{escape(video)}" target="_blank" rel="noopener">{what}</a>' if what and video else what


def video_rows(summary: Summary) -> list[dict[str, Any]]:
    """A row a video, for a table in Prefect's UI; at most `MOST_ROWS`. What is long stands at the right.

    What is not in the archive stands first: the second UI shows ten rows at a time.
    """
    return [
        {
            "state": found.state.value,
            "seconds": "" if found.seconds is None else f"{found.seconds:.1f}",
            "USD": "" if found.cost_usd is None else usd_cell(found.cost_usd),
            "model": plain(found.model, 60),
            "prompt": plain(found.title_in(60) if found.prompt else "—", 60),
            "job": plain(found.job_id or "", 200),
            "where, or why not": plain(found.uri, 1000) if found.uri else plain(found.error or "", 300),
        }
        for found in map(
            public_outcome, sorted(summary.videos, key=lambda found: found.state in GOOD)[:MOST_ROWS]
        )
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
