"""A film as Markdown for Prefect's UI: the film, a row for each shot with its price, and the other takes.

As in `markdown`, pictures are in an HTML table, and all text that others wrote goes through `plain`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape

from together_video.film.summary import FilmSummary, ShownShot
from together_video.gallery.links import safe_link
from together_video.gallery.markdown import MOST_SHOWN, linked, links_line, picture
from together_video.gallery.plain_text import plain
from together_video.gallery.public import public_outcome
from together_video.gallery.public_text import public_text
from together_video.ledger.summary import GOOD, VideoOutcome
from together_video.money import usd

#: Width of the film's poster and of a shot's, in pixels.
_FILM, _SHOT = 480, 160
_COLUMNS = ("#", "Shot", "State", "Model", "Seconds", "Price")


def film_markdown(
    title: str,
    summary: FilmSummary,
    links: Mapping[str, str],
    *,
    expires_at: datetime | None,
    posters: Mapping[str, str],
) -> str:
    """The film, then its shots in order, then further takes.

    Args:
        links: addresses by key, for videos and posters. Without an address, the key is shown.
        expires_at: when these addresses expire. None if there are none.
        posters: the poster's key by the video's key, for videos and the film that have one.
    """
    lines = [f"## {plain(public_text(title), 200)}", "", f"{plain(summary.sentence, 600)}.", ""]
    lines += _film(summary, links, posters)
    outcomes = {one.id: public_outcome(one) for one in summary.videos}
    if summary.shots:
        lines += ["", *_shots(summary, outcomes, links, posters)]
    if summary.retakes:
        lines += ["", "### Further takes", ""]
    for one in summary.retakes:
        where = one.uri or "not in the archive"
        lines.append(f"- Take {one.take} of shot {one.shot}: `{plain(where, 1000)}`")
    lines += ["", *links_line(expires_at)]
    return "\n".join(lines) + "\n"


def _film(summary: FilmSummary, links: Mapping[str, str], posters: Mapping[str, str]) -> list[str]:
    film = summary.film
    if film is None:
        return []
    lines = [f"The film: `{plain(film.uri, 1000)}`"]
    if link := safe_link(links.get(film.key)):
        shown = linked(picture(safe_link(links.get(posters.get(film.key, ""))), _FILM), link)
        words = linked(escape(f"▶ {plain(public_text(film.title), 120)}"), link)
        cell = "<br>".join(part for part in (shown, words) if part)
        # One block of HTML: an empty line would end it.
        lines = [f"<table><tr><td>{cell}</td></tr></table>", "", *lines]
    notes = [f"- {plain(public_text(note), 300)}" for note in film.notes]
    return [*lines, *([""] if notes else []), *notes]


def _shots(
    summary: FilmSummary,
    outcomes: Mapping[str, VideoOutcome],
    links: Mapping[str, str],
    posters: Mapping[str, str],
) -> Iterator[str]:
    yield '<table cellpadding="6">'
    yield "".join(("<tr>", *(f"<th>{name}</th>" for name in _COLUMNS), "</tr>"))
    for number, shot in enumerate(summary.shots):
        shows_links = number < MOST_SHOWN
        yield _row(shot, outcomes[shot.id], links if shows_links else {}, posters)
    yield "</table>"


def _row(shot: ShownShot, outcome: VideoOutcome, links: Mapping[str, str], posters: Mapping[str, str]) -> str:
    key = outcome.key or ""
    link = safe_link(links.get(key)) if outcome.state in GOOD else None
    text = plain(public_text(shot.title), 80)
    if shot.take > 1:
        text += f" (take {shot.take})"
    shown = picture(safe_link(links.get(posters.get(key, ""))), _SHOT)
    cell = "<br>".join(part for part in (linked(shown, link), linked(escape(text), link)) if part)
    state = outcome.state.value
    if outcome.state not in GOOD and outcome.error:
        state += f": {plain(outcome.error, 300)}"
    cells = (
        str(shot.shot),
        cell,
        escape(state),
        escape(plain(outcome.model, 60)),
        "" if outcome.seconds is None else f"{outcome.seconds:.1f}",
        "" if outcome.cost_usd is None else usd(outcome.cost_usd).replace(" ", "\N{NO-BREAK SPACE}"),
    )
    return "".join(("<tr>", *(f'<td valign="top">{one}</td>' for one in cells), "</tr>"))
