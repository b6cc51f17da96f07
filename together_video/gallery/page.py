"""Outcomes and records as one HTML page that needs nothing but itself.

The page holds its style and its script, and a policy that lets the browser load nothing but the
videos and posters that it names. Jinja2 escapes all text.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from together_video.gallery.cards import Card, GalleryRow, card_of, file_size, sweep_of
from together_video.gallery.links import content_policy, relative_link
from together_video.summary import Summary, VideoState

if TYPE_CHECKING:
    from jinja2 import Template

#: Control characters except tab and line ends, and halves of surrogate pairs.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

__all__ = ["GalleryRow", "relative_link", "render_gallery"]


@dataclass(frozen=True)
class Group:
    """Cards that stand together: those of one sweep with what varies in it, or what is between sweeps.

    `columns` is how many cards make a row of the sweep, up to six.
    """

    title: str
    varied: str
    columns: int
    cards: list[tuple[int, Card]]


def render_gallery(
    title: str,
    rows: Sequence[GalleryRow],
    *,
    made_at: datetime,
    summary_sentence: str,
    link: Callable[[str], str | None],
) -> str:
    """The page as text, to be stored as UTF-8. Rows keep their order; those of one sweep stand side by side.

    `link` turns the key of an object into its address, relative or http(s); for the page in the
    bucket that is `partial(relative_link, key_of_the_page)`. Any other address is left out, and the card says so.
    `made_at` without a time zone counts as UTC.
    """
    cards = [card_of(row, link) for row in rows]
    style, script = _asset("gallery.css"), _asset("gallery.js")
    summary = Summary.of(row.outcome for row in rows)
    made_at = made_at.astimezone(UTC) if made_at.tzinfo else made_at.replace(tzinfo=UTC)
    from markupsafe import Markup

    return _template().render(
        title=title,
        summary_sentence=summary_sentence,
        made_at=made_at,
        cards=cards,
        groups=_groups(rows, cards),
        counts=summary.counts,
        figures=_figures(rows, summary),
        shape=_shape(rows),
        policy=content_policy(
            [url for card in cards for url in (card.video, card.poster) if url], style, script
        ),
        style=Markup(style),  # noqa: S704 -- our own file, and its hash is in the policy
        script=Markup(script),  # noqa: S704 -- our own file, and its hash is in the policy
    )


def _groups(rows: Sequence[GalleryRow], cards: Sequence[Card]) -> list[Group]:
    groups = []
    numbered = zip(itertools.count(1), cards, map(sweep_of, rows), strict=False)
    for label, part in itertools.groupby(numbered, key=lambda entry: entry[2].label if entry[2] else None):
        members = list(part)
        sweep = members[0][2]
        fields = sweep.values if sweep else {}
        groups.append(
            Group(
                title=f"Sweep of {label}" if label else "",
                varied=" × ".join(name.replace("_", " ") for name in fields),
                columns=min(sweep.columns, 6) if sweep else 0,
                cards=[(number, card) for number, card, _ in members],
            )
        )
    return groups


def _figures(rows: Sequence[GalleryRow], summary: Summary) -> list[tuple[str, str, str]]:
    """The numbers below the title, as term, value and unit. Only files count for length and size."""
    seconds = sum(s for row in rows if (s := row.outcome.seconds) is not None and math.isfinite(s))
    size = sum(row.record.video.size for row in rows if row.record and row.record.video)
    earlier = sum(
        (row.outcome.cost_usd or Decimal(0) for row in rows if row.outcome.state is VideoState.REUSED),
        Decimal(0),
    )
    figures = [("Videos", str(len(rows)), "")]
    if seconds:
        length = f"{seconds:.0f}" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"
        figures.append(("Length", length, "s" if seconds < 60 else "min"))
    if size:
        figures.append(("Files", *file_size(size).split()))  # type: ignore[arg-type]
    figures.append(("Paid in this run", f"{summary.cost_usd:,.2f}", "USD"))
    if earlier:
        figures.append(("Paid earlier", f"{earlier:,.2f}", "USD"))
    return figures


def _shape(rows: Sequence[GalleryRow]) -> str:
    """The shape of all frames: that of the middle video, so that most of them fill theirs."""
    shapes = [
        row.outcome.width / row.outcome.height for row in rows if row.outcome.width and row.outcome.height
    ]
    middle = median(shapes) if shapes else 16 / 9
    return "wide" if middle > 1.2 else "square" if middle > 0.8 else "tall"


def _printable(value: Any) -> Any:
    """Characters that HTML does not allow, and halves of surrogate pairs, become U+FFFD."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _FORBIDDEN.sub("\ufffd", value)


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        keep_trailing_newline=True,
    ).get_template("gallery.html.j2")
