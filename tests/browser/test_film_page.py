"""The gallery of a film in Chromium, on a desktop and a phone: hostile text, captions, the strip, marks."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.browser.gallery_pages import NOW, downloaded, made, not_made, write_page
from together_video.film.record import FilmRecord, FilmShot
from together_video.gallery import GalleryRow
from together_video.gallery.film import FilmView, InFilm
from together_video.ledger.records import StoredObject
from together_video.ledger.summary import VideoState

pytestmark = pytest.mark.xdist_group("gallery")

HOSTILE = (
    f"<script>document.title='taken'</script>\"><img src=x onerror=\"document.title='taken'\"> {'w' * 90}"
)
FILM = "0123456789abcdef01234567"
#: Of each card, the pixels to the left of the window's right edge, and its width.
PEEKING = """
return [...document.querySelectorAll('.reel .card')].map(card => {
  const place = card.getBoundingClientRect();
  return [document.documentElement.clientWidth - place.left, place.width];
})"""


def film_page(folder: Path) -> Path:
    """Three shots: the second one has three takes, one of which failed, and the film is cut from the second of them."""
    takes = [(1, 1), (2, 2), (2, 1), (2, 3), (3, 1)]
    rows: list[GalleryRow] = []
    for shot, take in takes:
        row = made(folder, f"{HOSTILE} {shot}", like="fox", seed=10 * shot + take, cost="0.25")
        if (shot, take) == (2, 3):
            row = not_made(VideoState.FAILED, HOSTILE, HOSTILE)
        place = InFilm(shot=shot, take=take, is_used=(shot, take) != (2, 1) and take < 3)
        rows.append(row.model_copy(update={"in_film": place}))
    used = [row for row in rows if row.in_film and row.in_film.is_used]

    def stored(ending: str, source: Path | str) -> StoredObject:
        key = f"films/{FILM}/fox.{ending}"
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copy(source, folder / key)
        else:
            (folder / key).write_text(source)
        return StoredObject(key=key, size=1, sha256="ab" * 32, content_type="text/plain")

    captions = f"WEBVTT\n\n00:00.000 --> 00:02.000\n{HOSTILE}\n"
    clip = folder / str(used[0].outcome.key)
    record = FilmRecord(
        id=FILM,
        title=HOSTILE[:200],
        made_at=NOW + timedelta(minutes=9),
        video=stored("mp4", clip),
        poster=stored("jpg", clip.with_suffix(".jpg")),
        captions=stored("vtt", captions),
        contact_sheet=stored("contact-sheet.jpg", clip.with_suffix(".jpg")),
        storyboard=stored("storyboard.json", "{}"),
        seconds=2,
        frames=24,
        rate="12/1",
        width=256,
        height=144,
        codec="h264",
        shots=tuple(
            FilmShot(
                number=number,
                title=HOSTILE[:200],
                id=row.outcome.id,
                take=row.in_film.take if row.in_film else 1,
                key=str(row.outcome.key),
                sha256=str(row.outcome.sha256),
                start=0.5 * (number - 1),
                seconds=0.5,
                encoded=0,
            )
            for number, row in enumerate(used, 1)
        ),
        cut={"shots": [{}, {"continues": True}, {"transition": {"kind": "crossfade", "seconds": 0.5}}]},
        notes=(HOSTILE,),
    )
    numbers = {1: [1], 2: [2, 1, 3], 3: [1]}
    view = FilmView(record, numbers, captions.encode(), "my story.yaml")
    return write_page(folder, rows, title=record.title, film=view)


def test_a_film_and_its_shots(browser: Browser, tmp_path: Path) -> None:
    """The film plays with its captions from the shot that is pressed; a starred take goes into the file of marks, with
    the command that makes the next cut; on a phone only the strip is wider than the window, and its
    next card peeks in."""
    page = film_page(tmp_path / "bucket")
    browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.screen(1280, 900)
    browser.get(page.as_uri())
    heads = [" ".join(one.text.split()) for one in browser.all("section.shot .line .short")]
    assert heads == ["0.5 s take 1", "0.5 s continues 1 take 2 of 3", "0.5 s crossfade 0.5 s take 1"]
    assert [one.text.lower() for one in browser.shown(".which")] == ["take 2 in the film", "take 1", "take 3"]
    figures = " ".join(browser.one(".figures").text.split())
    assert "Paid for the film 0.75 USD" in figures
    assert "Paid for unused takes 0.25 USD" in figures
    # Side by side in one row.
    tops = browser.run(
        "return [...document.querySelectorAll('.shot')].map(s => s.getBoundingClientRect().top)"
    )
    assert len(set(tops)) == 1
    browser.all("section.shot .seek")[2].click()
    browser.until(lambda here: here.run("return document.getElementById('film').currentTime >= 1"), 20)
    cues = browser.run("return [...document.getElementById('film').textTracks[0].cues].map(cue => cue.text)")
    assert cues == [HOSTILE]
    # Of the takes that there are, the next one; the file's name is quoted.
    assert browser.run("return page.sweeps[1].retake") == "together-video film 'my story.yaml' --retake 2:4"
    assert not browser.all("section.shot")[0].find_elements("css selector", ".together:not([hidden])")
    browser.run("document.querySelectorAll('[data-do=star]')[2].click()")
    browser.run("lightbox.open(clips[1])")
    assert browser.one("#lightbox .which").text.lower() == "shot 2, take 2 in the film"
    browser.run("document.getElementById('lightbox').close(); document.getElementById('export').click()")
    marks = json.loads(downloaded(tmp_path, "marks-*.json").read_text())
    starred = browser.run("return clips[2].id")
    assert [(one["id"], one["mark"]) for one in marks["marks"]] == [(starred, "star")]
    assert marks["batch"] == FILM
    said = browser.one("#told").text
    assert said.endswith(f"together-video film 'my story.yaml' --from-review marks-{FILM}.json")
    for dark in (False, True):
        browser.screen(390, 844, phone=True, dark=dark)
        browser.refresh()
        assert browser.run("return document.documentElement.scrollWidth") == 390
        assert browser.run("const r = document.getElementById('reel'); return r.scrollWidth > r.clientWidth")
    for density in ("large", "compact", "sheet"):
        browser.run(f"document.getElementById('as-{density}').click()")
        for width in (320, 360, 390, 430):
            browser.screen(width, 844, phone=True)
            assert any(16 < seen < whole - 16 for seen, whole in browser.run(PEEKING)), (density, width)
    assert browser.title.startswith("<script>")
    assert browser.complaints == []
