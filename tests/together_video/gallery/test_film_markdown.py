"""A film as Markdown: its shots in order, links only where they are safe, and no markup of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from together_video.film.summary import FilmOutcome, FilmSummary, Retake, ShownShot
from together_video.gallery.film_markdown import film_markdown
from together_video.gallery.markdown import MOST_SHOWN
from together_video.ledger.summary import VideoOutcome, VideoState

EVIL = "<img src=x> [click](javascript:alert(1)) | `"


def summary_of(count: int, **more: Any) -> FilmSummary:
    videos = [
        VideoOutcome(
            id=f"{number:024}",
            state=VideoState.ARCHIVED,
            prompt=EVIL,
            model="minimax/hailuo-02",
            key=f"videos/{number}.mp4",
            cost_usd=Decimal("0.28"),
            seconds=6,
        )
        for number in range(count)
    ]
    shots = [ShownShot(shot=n, title=EVIL, take=1, id=one.id) for n, one in enumerate(videos, 1)]
    film = FilmOutcome(
        id="f" * 24, title=EVIL, key="films/f/film.mp4", uri="s3://b/films/f/film.mp4", poster="films/f/film.jpg",
        sha256="0" * 64, size=1, seconds=12, width=64, height=48, is_new=True, words="12 s", notes=(EVIL,),
    )  # fmt: skip
    return FilmSummary(**{"videos": tuple(videos), "shots": tuple(shots), "film": film, **more})


def test_a_film_and_its_shots() -> None:
    """Each shot has a row with its price; a clip that is shown twice has two. All links are to what was signed."""
    summary = summary_of(2)
    twice = (*summary.shots, ShownShot(shot=3, title="again", take=2, id=summary.shots[0].id))
    retake = Retake(shot=2, take=2, id="2" * 24, uri="s3://b/videos/take.mp4")
    keys = ("videos/0.mp4", "films/f/film.mp4", "films/f/film.jpg")
    links = {key: f"https://s3.test/{key}?sig=1" for key in keys} | {"videos/1.mp4": "javascript:alert(1)"}
    text = film_markdown(
        EVIL,
        summary.model_copy(update={"shots": twice, "retakes": (retake,)}),
        links,
        expires_at=datetime(2026, 11, 28, tzinfo=UTC),
        posters={"films/f/film.mp4": "films/f/film.jpg"},
    )
    assert re.findall(r'<tr><td valign="top">(\d+)</td>', text) == ["1", "2", "3"]
    assert "again (take 2)" in text
    assert "- Take 2 of shot 2: `s3://b/videos/take.mp4`".replace("://", "：//") in text.replace(
        "://", "：//"
    )
    assert set(re.findall(r'(?:href|src)="([^"]+)"', text)) == {links[key] for key in keys}
    assert "Links work until 2026-11-28" in text
    assert "\n\n" not in text[text.index('<table cellpadding="6">') : text.rindex("</table>")]
    assert not {"<img src=x>", "[click]", "javascript"} & set(
        re.findall(r"<img src=x>|\[click\]|href=.javascript", text)
    )


def test_a_long_film_has_links_to_its_first_shots() -> None:
    """Each link is long, and Prefect keeps three copies of an artifact."""
    summary = summary_of(200)
    links = {one.key: f"https://s3.test/{one.key}" for one in summary.videos if one.key}
    text = film_markdown("Long", summary, links, expires_at=None, posters={})
    assert text.count("<tr>") == 201
    assert text.count("href=") == MOST_SHOWN


def test_without_a_film_it_says_why() -> None:
    """The shots that are not there tell their reason."""
    summary = summary_of(1, film=None, problem="shot 1 is not in the archive")
    lost = summary.videos[0].model_copy(update={"state": VideoState.FAILED, "error": EVIL, "key": None})
    text = film_markdown(
        "Lost", summary.model_copy(update={"videos": (lost,)}), {}, expires_at=None, posters={}
    )
    assert "no film: shot 1 is not in the archive" in text
    assert "failed: " in text
    assert "The film:" not in text
    assert "<img" not in text
