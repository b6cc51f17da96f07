"""The gallery page in Chromium, opened from disk: videos play, filters filter, nothing is complained about."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Browser
from together_video.gallery import GalleryRow, relative_link, render_gallery
from together_video.ledger.layout import Layout
from together_video.ledger.place import ArchivePlace
from together_video.ledger.records import StoredObject, Sweep, VideoPlan, VideoRecord
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.media.clips import ClipInfo, inspect_clip
from together_video.requests import VideoRequest
from together_video.sandbox.rendering.clip import Clip
from together_video.sandbox.rendering.render import render

# One browser and one page for all.
pytestmark = pytest.mark.xdist_group("gallery")

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
PAGE = Layout().batch("b1", "index.html")
#: Markup, an attribute's end, an override of the writing direction, and a word longer than a phone is wide.
HOSTILE = f"<script>document.title='taken'</script>\"><img src=x onerror=\"document.title='taken'\"> \u202e {'w' * 90}"


def made(folder: Path, prompt: str, *, sweep: Sweep | None = None, seed: int = 1) -> GalleryRow:
    """A row whose video and poster really lie in the folder, as in the bucket."""
    size = {"width": 256, "height": 144}
    request = VideoRequest.model_validate({"model": "acme/dream-1", "prompt": prompt, "seed": seed, **size})
    plan = VideoPlan(request=request, sweep=sweep)
    video, poster = Layout().media(plan, NOW)
    clip = Clip(prompt, request.model, **size, seconds=2, fps=12, container="MP4", seed=seed, settings="")
    data = render(clip)
    file = folder / video
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    (folder / poster).write_bytes(inspect_clip(file).poster or b"")
    record = VideoRecord(
        id=plan.id,
        state="archived",
        plan=plan,
        job_id="job-42",
        recorded_at=NOW,
        cost_usd=Decimal("0.14"),
        video=StoredObject(
            key=video, size=len(data), sha256=hashlib.sha256(data).hexdigest(), content_type="video/mp4"
        ),
        poster=StoredObject(key=poster, size=9, sha256="cd" * 32, content_type="image/jpeg"),
        clip=ClipInfo(seconds=2, fps=12, codec="h264", **size),
    )
    return GalleryRow(
        outcome=VideoOutcome.of_record(record, VideoState.ARCHIVED, place=ArchivePlace(bucket="b")),
        record=record,
        plan=plan,
    )


def not_made(state: VideoState, prompt: str, error: str) -> GalleryRow:
    plan = VideoPlan(request=VideoRequest(model="acme/dream-1", prompt=prompt))
    return GalleryRow(outcome=VideoOutcome.of_plan(plan, state, error=error), plan=plan)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page on disk: two single videos, a sweep of three, one failed, one ambiguous."""
    folder = tmp_path_factory.mktemp("bucket")
    sweep = [
        made(
            folder,
            "a heron lands",
            seed=seed,
            sweep=Sweep(label="line 3", values={"seed": str(seed)}, columns=3),
        )
        for seed in (1, 2, 3)
    ]
    rows = [
        made(folder, "a fox trots through fresh snow"),
        made(folder, HOSTILE),
        *sweep,
        not_made(VideoState.FAILED, "an owl at night", "moderation_blocked: " + HOSTILE),
        not_made(VideoState.AMBIGUOUS, "a bear wakes", "The create had no clear answer."),
    ]
    file = folder / PAGE
    file.parent.mkdir(parents=True)
    sentence = Summary.of(row.outcome for row in rows).sentence
    text = render_gallery(
        HOSTILE, rows, made_at=NOW, summary_sentence=sentence, link=partial(relative_link, PAGE)
    )
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def gallery(browser: Browser, page: str) -> Browser:
    browser.get(page)
    return browser


def prompts(gallery: Browser) -> list[str]:
    """The prompts of the cards that are seen."""
    return [heading.text for heading in gallery.shown(".card h2")]


def position(gallery: Browser, number: int = 0) -> float:
    return float(gallery.run("return document.querySelectorAll('video')[arguments[0]].currentTime", number))


def test_a_video_plays_where_it_is_clicked(gallery: Browser) -> None:
    """Posters are there before, the video really runs after, and starting another one stops the first."""
    gallery.until(
        lambda here: all(here.run("return [...document.querySelectorAll('video')].map(v => !!v.poster)"))
    )
    for poster in gallery.run("return [...document.querySelectorAll('video')].map(v => v.poster)"):
        shape = gallery.execute_async_script(
            "const done = arguments[1], i = new Image(); i.onload = () => done([i.naturalWidth, i.naturalHeight]);"
            "i.onerror = () => done(null); i.src = arguments[0]",
            poster,
        )
        assert shape == [256, 144]
    first, second = gallery.shown(".play")[:2]
    first.click()
    gallery.until(lambda here: position(here) > 0.2)
    assert gallery.run("return document.querySelector('video').videoWidth") == 256
    assert not first.is_displayed()
    second.click()
    gallery.until(lambda here: position(here, 1) > 0.2)
    assert gallery.run("return document.querySelector('video').paused")
    assert gallery.complaints == []


def test_filters_and_search_work_together(gallery: Browser) -> None:
    """A state and words narrow what is seen, it says how much that is, and says so if it is nothing."""
    assert len(prompts(gallery)) == 7
    gallery.one("label:has(#show-archived)").click()
    assert len(prompts(gallery)) == 5
    search = gallery.one("#search")
    search.send_keys("HERON seed")
    assert prompts(gallery) == ["a heron lands"] * 3
    assert gallery.one("#shown").text == "3 of 7 shown"
    gallery.one("label:has(#show-failed)").click()
    assert prompts(gallery) == []
    assert gallery.one("#none").text == "No video fits this search."
    assert gallery.shown(".sweep") == []
    search.clear()
    search.send_keys(Keys.SPACE)
    assert prompts(gallery) == ["an owl at night"]
    assert gallery.complaints == []


def test_videos_of_a_sweep_stand_and_play_side_by_side(gallery: Browser) -> None:
    """They form one row, each with what varies above it, and one button starts them together."""
    cards = gallery.all(".sweep .card")
    assert len({card.rect["y"] for card in cards}) == 1
    assert len({card.rect["x"] for card in cards}) == 3
    assert [card.find_element("css selector", ".varied").text.split() for card in cards] == [
        ["seed", seed] for seed in "123"
    ]
    gallery.one(".together").click()
    script = "return [...document.querySelectorAll('.sweep video')].map(v => v.currentTime)"
    gallery.until(lambda here: min(here.run(script)) > 0.2)
    assert gallery.complaints == []


def test_the_keyboard_is_enough(gallery: Browser) -> None:
    """Tab reaches filter, search, video and details; arrows choose a state, Enter plays and opens."""
    keys = gallery.switch_to.active_element
    keys.send_keys(Keys.TAB)
    assert gallery.switch_to.active_element.get_attribute("id") == "show-all"
    gallery.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert len(prompts(gallery)) == 5
    gallery.switch_to.active_element.send_keys(Keys.TAB)
    assert gallery.switch_to.active_element.get_attribute("id") == "search"
    gallery.switch_to.active_element.send_keys("fox", Keys.TAB)
    play = gallery.switch_to.active_element
    assert play.accessible_name == "Play: a fox trots through fresh snow"
    play.send_keys(Keys.ENTER)
    gallery.until(lambda here: position(here) > 0.2)
    assert gallery.switch_to.active_element.tag_name == "video"
    for _ in range(20):
        gallery.switch_to.active_element.send_keys(Keys.TAB)
        if gallery.switch_to.active_element.tag_name == "summary":
            break
    gallery.switch_to.active_element.send_keys(Keys.ENTER)
    assert gallery.shown(".card .more[open] pre")
    assert gallery.complaints == []


def test_text_of_others_is_shown_as_text(gallery: Browser) -> None:
    """Markup in a title, a prompt or an error stays text, and a turned direction stays within its line."""
    assert HOSTILE.split(" \u202e")[0] in gallery.text
    assert gallery.all("img") == []
    assert gallery.title.startswith("<script>")
    heading = next(found for found in gallery.all(".card h2") if "<script>" in found.text)
    assert gallery.run("return getComputedStyle(arguments[0]).unicodeBidi", heading) in {
        "isolate",
        "plaintext",
    }
    assert gallery.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone(gallery: Browser, dark: bool) -> None:
    """Nothing is wider than the screen, and what fingers press is large enough for them."""
    gallery.screen(375, 700, phone=True, dark=dark)
    gallery.refresh()
    widths = gallery.run(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.filter, .unseen, .icons'))"
        ".map(e => Math.round(e.getBoundingClientRect().right))"
    )
    assert max(widths) <= 375
    assert gallery.run("return document.documentElement.scrollWidth") == 375
    assert len({card.rect["x"] for card in gallery.all(".card")}) == 1
    assert min(chip.size["height"] for chip in gallery.all(".chip")) >= 32
    page = gallery.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(page) < 64) is dark
    assert (min(page) > 192) is not dark
    assert gallery.complaints == []
