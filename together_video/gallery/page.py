"""Outcomes and records as self-contained HTML pages.

A page contains its style and its script, and a policy that lets the browser load only the videos and posters that it
names. Jinja2 escapes all text.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from together_video.gallery.about import About
from together_video.gallery.cards import Card, card_of, file_size, sweep_of
from together_video.gallery.film import FilmView, ShotHead, film_figures, head_of, shot_head
from together_video.gallery.links import content_policy, relative_link
from together_video.gallery.prices import price_figures
from together_video.gallery.public_text import public_text
from together_video.gallery.rendering import asset, template
from together_video.gallery.rows import GalleryRow
from together_video.gallery.shapes import SHAPES, shape_of
from together_video.gallery.takes import next_takes
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary

#: The parts of the page's script, in order.
SCRIPTS = tuple(
    f"gallery/{name}.js"
    for name in (
        "clips", "marks", "actions", "sifting", "lightbox", "compare", "zip", "selection", "preview", "keys",
    )
)  # fmt: skip
#: With up to this many cards, they are large by default.
MOST_LARGE = 12
#: How many videos one page shows. Thousands would keep a browser busy for minutes.
ROWS_A_PAGE = 200

__all__ = ["ROWS_A_PAGE", "GalleryRow", "relative_link", "render_gallery", "render_pages"]


@dataclass(frozen=True)
class Group:
    """Cards that belong together: those of one sweep and what varies in it, those between sweeps, or the takes of a
    film's shot.
    """

    title: str
    fields: list[str]
    cards: list[tuple[int, Card]]
    shot: ShotHead | None = None


@dataclass(frozen=True)
class Pager:
    """The number of this page, the number of pages, and the links to the previous and next page."""

    number: int
    count: int
    before: str | None
    after: str | None


def page_names(first: str, rows: int, rows_a_page: int = ROWS_A_PAGE) -> list[str]:
    """The names of the pages for this many rows: `index.html`, `index-2.html`, …"""
    stem, _, ending = first.rpartition(".")
    count = max(1, math.ceil(rows / rows_a_page))
    return [first, *(f"{stem}-{number}.{ending}" for number in range(2, count + 1))]


def render_pages(
    title: str,
    rows: Sequence[GalleryRow],
    *,
    first: str,
    made_at: datetime,
    summary: Summary,
    summary_sentence: str,
    link: Callable[[str], str | None],
    redo: Callable[[VideoPlan], str | None] | None = None,
    about: About | None = None,
    film: FilmView | None = None,
    page_link: Callable[[str], str] = quote,
    rows_a_page: int = ROWS_A_PAGE,
) -> Iterator[tuple[str, str]]:
    """Names and texts of pages in one folder, the last page first, so no link leads to a page that does not exist yet.

    The first page is called `first`, such as `index.html`. The others are `index-2.html`, … `summary` is that of all
    rows. Each row is read once. `page_link` turns a page's name into its address for the neighbouring pages. The other
    arguments are those of `render_gallery`.
    """
    names = page_names(first, len(rows), rows_a_page)
    count = len(names)
    for number in range(count, 0, -1):
        pager = Pager(
            number=number,
            count=count,
            before=page_link(names[number - 2]) if number > 1 else None,
            after=page_link(names[number]) if number < count else None,
        )
        text = render_gallery(
            title,
            rows[(number - 1) * rows_a_page : number * rows_a_page],
            made_at=made_at,
            summary_sentence=summary_sentence,
            link=link,
            redo=redo,
            about=about,
            film=film,
            whole=summary,
            pager=pager if count > 1 else None,
        )
        yield names[number - 1], text


def render_gallery(
    title: str,
    rows: Sequence[GalleryRow],
    *,
    made_at: datetime,
    summary_sentence: str,
    link: Callable[[str], str | None],
    redo: Callable[[VideoPlan], str | None] | None = None,
    about: About | None = None,
    film: FilmView | None = None,
    whole: Summary | None = None,
    pager: Pager | None = None,
) -> str:
    """The page as text, to be stored as UTF-8. Rows keep their order. Those of one sweep are grouped.

    `link` turns the key of an object into its address, relative or http(s). For the page in the bucket that is
    `partial(relative_link, key_of_the_page)`. Any other address is left out, and the card says so. `about` is the rest
    of the heading. `summary_sentence` describes the page to sites that link to it. `redo` gives the address of a form,
    filled in for another take of a video; the card links to it. `made_at` without a time zone counts as UTC. If this is
    one page of several, `whole` is the summary of all, with the figures at the top, and `pager` links to the
    neighbouring pages. `film` is the film that the rows are takes of, in the order of its shots. It is at the top of
    the first page.
    """
    about = about or About()
    styles, scripts = ["gallery.css"], [*SCRIPTS]
    if film is not None:
        styles.append("film.css")
        # Before keys.js, which starts the page.
        scripts.insert(-1, "gallery/film.js")
    style, script = "".join(map(asset, styles)), "\n".join(map(asset, scripts))
    summary = whole or Summary.of(row.outcome for row in rows)
    made_at = made_at.astimezone(UTC) if made_at.tzinfo else made_at.replace(tzinfo=UTC)
    shape = shape_of((row.outcome.width, row.outcome.height) for row in rows)
    next_take = next_takes(plan for row in rows if (plan := row.made_by))
    cards = [
        card_of(
            row,
            link,
            redo,
            next_take=next_take,
            shape=SHAPES[shape],
            retake=film.retake if film and film.storyboard else None,
        )
        for row in rows
    ]
    groups = _groups(rows, cards, film)
    head = head_of(film, link) if film is not None and (pager is None or pager.number == 1) else None
    urls = [url for card in cards for url in (card.video, card.poster) if url]
    from markupsafe import Markup

    return template("gallery.html.j2").render(
        title=public_text(title),
        about=about,
        summary_sentence=summary_sentence,
        made_at=made_at,
        models=list(dict.fromkeys(found.model for found in summary.videos)),
        cards=cards,
        groups=groups,
        density="large" if film is None and len(cards) <= MOST_LARGE else "compact",
        film=head,
        is_film=film is not None,
        figures=_figures(summary) if film is None else _figures_of(film, summary),
        pager=pager,
        shape=shape,
        policy=content_policy(
            [*urls, *(head.urls if head else [])], style, script, captions=bool(head and head.captions)
        ),
        data=Markup(_data(about, made_at, groups, film)),  # noqa: S704 -- JSON in which no tag can begin or end
        style=Markup(style),  # noqa: S704 -- our own file, and its hash is in the policy
        script=Markup(script),  # noqa: S704 -- our own files, and their hash is in the policy
    )


def _data(about: About, made_at: datetime, groups: Sequence[Group], film: FilmView | None) -> str:
    """What the script reads, as JSON for a script element, with every `<`, `>` and `&` escaped."""
    document = {
        "batch": about.batch_id,
        "made_at": made_at.isoformat(),
        "sweeps": [
            {"title": group.title, "fields": group.fields}
            | ({"start": group.shot.start, "retake": group.shot.retake} if group.shot else {})
            for group in groups
        ],
        "clips": [card.data for group in groups for _, card in group.cards],
    }
    if film is not None:
        document["cut"] = film.next_cut
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _groups(rows: Sequence[GalleryRow], cards: Sequence[Card], film: FilmView | None) -> list[Group]:
    groups = []
    for label, part in itertools.groupby(
        zip(itertools.count(1), cards, rows, strict=False), key=lambda entry: _stands_with(entry[2])
    ):
        members = list(part)
        first = members[0][2]
        sweep = sweep_of(first)
        fields = (
            ["take"] if first.in_film else [name.replace("_", " ") for name in sweep.values] if sweep else []
        )
        shot = shot_head(film, first.in_film.shot) if film and first.in_film else None
        groups.append(
            Group(
                title=f"Shot {shot.number}" if shot else f"Sweep of {label}" if label else "",
                fields=fields,
                cards=[(number, card) for number, card, _ in members],
                shot=shot,
            )
        )
    return groups


def _stands_with(row: GalleryRow) -> int | str | None:
    """What grouped cards have in common: the number of a shot, or the name of a sweep."""
    if row.in_film is not None:
        return row.in_film.shot
    sweep = sweep_of(row)
    return sweep.label if sweep else None


def _figures_of(film: FilmView, whole: Summary) -> list[tuple[str, str, str]]:
    used = {one.id for one in film.record.shots}
    return film_figures(
        film,
        (one for one in whole.videos if one.id in used),
        (one for one in whole.videos if one.id not in used),
    )


def _figures(summary: Summary) -> list[tuple[str, str, str]]:
    """The numbers below the title, as term, value and unit. Only files count towards length and size."""
    seconds = sum(s for found in summary.videos if (s := found.seconds) is not None and math.isfinite(s))
    size = sum(found.size or 0 for found in summary.videos)
    figures = [("Videos", str(len(summary.videos)), "")]
    if seconds:
        length = f"{seconds:.0f}" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"
        figures.append(("Length", length, "s" if seconds < 60 else "min"))
    if size:
        figures.append(("Files", *file_size(size).split()))  # type: ignore[arg-type]
    return [*figures, *price_figures(summary)]
