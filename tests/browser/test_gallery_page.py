"""The gallery page in Chromium, on a desktop and a phone: what a person does with it, without a complaint."""

from __future__ import annotations

import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Browser
from tests.browser.gallery_pages import BATCH, downloaded, made, not_made, sixty, write_page
from together_video.ledger.records import Sweep
from together_video.ledger.summary import VideoState

# One browser and one folder of pages for all.
pytestmark = pytest.mark.xdist_group("gallery")

#: Markup, an attribute's end, an override of the writing direction, and a word longer than a phone is wide.
HOSTILE = f"<script>document.title='taken'</script>\"><img src=x onerror=\"document.title='taken'\"> \u202e {'w' * 90}"
REDO = "http://127.0.0.1:9/deployments/deployment/1/run?parameters=%7B%7D"


class Pages(NamedTuple):
    """A page of sixty clips, one of sweeps and hostile text, and the addresses of both on a disk and on a server."""

    sixty: str
    sweeps: str
    served: str
    folder: Path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("bucket")
    rows = sixty(folder)
    rows[1] = rows[1].model_copy(update={"mark": "reject", "note": "Too dark."})
    many = write_page(folder, rows, name="sixty.html")
    both = [{"seed": str(seed), "guidance_scale": str(scale)} for seed in (1, 2) for scale in (6, 8, 10)]
    swept = [
        made(
            folder,
            "a heron lands",
            like="heron",
            seed=place,
            sweep=Sweep(label="line 3", values=values, columns=3),
        )
        for place, values in enumerate(both)
    ]
    one = [
        made(
            folder,
            "a heron flies",
            like="heron",
            seed=seed,
            sweep=Sweep(label="line 4", values={"seed": str(seed)}),
        )
        for seed in range(5)
    ]
    hostile = [made(folder, HOSTILE, like="fox"), not_made(VideoState.FAILED, HOSTILE, HOSTILE)]
    sweeps = write_page(folder, [*hostile, *swept, *one], title=HOSTILE, redo=lambda plan: REDO)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """The log of a test is not a server's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}/{many.relative_to(folder)}"
    yield Pages(many.as_uri(), sweeps.as_uri(), place, folder)
    server.shutdown()
    server.server_close()


@pytest.fixture
def gallery(browser: Browser, tmp_path: Path) -> Browser:
    """A desktop without marks of earlier tests, whose downloads go to `tmp_path`."""
    browser.screen(1400, 1000)
    browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    return browser


def opened(browser: Browser, address: str) -> Browser:
    browser.get(address)
    browser.run("localStorage.clear()")
    browser.refresh()
    browser.get_log("browser")
    return browser


def press(browser: Browser, *keys: str) -> None:
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def focus(browser: Browser, number: int) -> None:
    browser.run("document.querySelectorAll('article.card')[arguments[0]].focus()", number)


def choose(browser: Browser, name: str, value: str) -> None:
    script = (
        "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
        "s.dispatchEvent(new Event('change'))"
    )
    browser.run(script, name, value)


def headings(browser: Browser) -> list[str]:
    script = (
        "return [...document.querySelectorAll('article.card')].filter(c => c.checkVisibility())"
        ".map(c => c.querySelector('h2').textContent)"
    )
    return [str(text) for text in browser.run(script)]


def test_sixty_clips_fit_a_few_screens(gallery: Browser, pages: Pages) -> None:
    """By itself the page is compact, and the sheet and the large cards are a press away."""
    opened(gallery, pages.sixty)
    height = "return document.documentElement.scrollHeight"
    assert gallery.run(height) <= 3_500
    gallery.one("label:has(#as-sheet)").click()
    assert gallery.run(height) <= 1_800
    gallery.one("label:has(#as-large)").click()
    assert gallery.run(height) > 6_000
    gallery.screen(390, 844, phone=True)
    gallery.refresh()
    assert gallery.run(height) <= 9_000
    assert gallery.run("return document.documentElement.scrollWidth") == 390
    assert gallery.complaints == []


def test_marks_are_kept_and_saved_as_a_file(gallery: Browser, pages: Pages, tmp_path: Path) -> None:
    """One key each, at once and for the next visit; the file holds what the archive does not know yet."""
    opened(gallery, pages.sixty)
    counts = gallery.one("#mark-counts")
    assert counts.text == "1 rejected · 1 note"
    focus(gallery, 0)
    press(gallery, "s")
    assert counts.text == "1 starred · 1 rejected · 1 note"
    focus(gallery, 1)
    press(gallery, "x", "n")
    gallery.type_over(gallery.one("#noting textarea"), "")
    gallery.one("#noting [value=save]").click()
    assert counts.text == "1 starred"
    focus(gallery, 2)
    press(gallery, "n")
    gallery.type_over(gallery.one("#noting textarea"), 'slower,\n "please" <b> ')
    gallery.one("#noting [value=save]").click()
    focus(gallery, 3)
    press(gallery, "x", "x")
    gallery.refresh()
    assert gallery.one("#mark-counts").text == "1 starred · 1 note"
    gallery.one("#who").send_keys("Ada")
    gallery.one("#export").click()
    review = json.loads(downloaded(tmp_path, "marks-*.json").read_text(encoding="utf-8"))
    ids = gallery.run("return clips.slice(0, 3).map(c => c.id)")
    assert (review["review"], review["batch"], review["who"]) == (1, BATCH, "Ada")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", review["exported_at"])
    assert all(mark.pop("at").endswith("Z") for mark in review["marks"])
    assert review["marks"] == [
        {"id": ids[0], "mark": "star", "note": ""},
        {"id": ids[1], "mark": None, "note": ""},
        {"id": ids[2], "mark": None, "note": 'slower, "please" <b>'},
    ]
    assert gallery.complaints == []


def test_marks_without_a_place_for_them(gallery: Browser, pages: Pages) -> None:
    """Where the browser keeps nothing the page says so, and marks work until it is closed."""
    opened(gallery, pages.sixty)
    script = "Storage.prototype.setItem = () => { throw new Error('full'); }"
    gallery.run(script)
    focus(gallery, 0)
    press(gallery, "s")
    words = gallery.one("#mark-counts").text
    assert words.startswith("1 starred")
    assert "cannot keep marks" in words
    assert gallery.one("#export").is_displayed()


def test_filters_search_and_order(gallery: Browser, pages: Pages) -> None:
    """Choices narrow what is seen, with its totals; an order mixes the groups; problems are a key away."""
    opened(gallery, pages.sixty)
    assert gallery.one("#shown").text == "60 clips · 1:56 min · 22.33 USD paid"
    choose(gallery, "by-state", "Not made")
    assert headings(gallery) == ["an owl at night"]
    assert gallery.one("#shown").text == "1 clip of 60"
    choose(gallery, "by-state", "")
    choose(gallery, "by-label", "campaign=spring")
    gallery.one("#search").send_keys("GULLS number")
    assert len(headings(gallery)) == 10
    assert gallery.one("#shown").text.startswith("10 clips · 20 s")
    choose(gallery, "sort", "cost")
    assert headings(gallery)[0] == "Gulls rise, number 56"
    choose(gallery, "by-model", "beta/vision-2")
    assert headings(gallery) == []
    assert gallery.one("#none").text == "No clips match."
    for name in ("by-model", "by-label"):
        choose(gallery, name, "")
    gallery.one("#search").clear()
    press(gallery, Keys.SPACE, Keys.ESCAPE)
    choose(gallery, "sort", "newest")
    assert headings(gallery)[0].endswith("number 57")
    choose(gallery, "by-mark", "reject")
    assert [text[-8:] for text in headings(gallery)] == ["number 1"]
    choose(gallery, "by-mark", "")
    choose(gallery, "sort", "")
    assert headings(gallery)[0].endswith("number 0")
    found = []
    for _ in range(3):
        press(gallery, "p")
        found.append(gallery.switch_to.active_element.find_element("css selector", "h2").text)
    assert found == ["an owl at night", "a bear wakes", "an owl at night"]
    assert "--" not in gallery.text
    assert gallery.complaints == []


def test_the_lightbox_plays_and_turns_the_pages(gallery: Browser, pages: Pages) -> None:
    """Enter opens and plays, arrows lead on, marks work there, and Esc gives the focus back to the card."""
    opened(gallery, pages.sixty)
    focus(gallery, 0)
    press(gallery, Keys.ARROW_RIGHT, Keys.ENTER)
    video = "document.querySelector('#lightbox video')"
    gallery.until(lambda here: here.run(f"return {video}.currentTime") > 0.2)
    assert gallery.one("#lightbox .place").text == "2 of 60"
    assert "Too dark." in gallery.one("#lightbox .about-clip").text
    press(gallery, Keys.ARROW_RIGHT, "s")
    assert gallery.one("#lightbox .place").text == "3 of 60"
    assert gallery.one("#lightbox [data-do=star]").get_attribute("aria-pressed") == "true"
    gallery.one("#lightbox [data-turn='-1']").click()
    assert gallery.one("#lightbox .place").text == "2 of 60"
    press(gallery, Keys.ESCAPE)
    assert not gallery.one("#lightbox").is_displayed()
    assert gallery.switch_to.active_element.find_element("css selector", "h2").text.endswith("number 1")
    focus(gallery, 20)
    press(gallery, Keys.ENTER)
    assert gallery.one("#lightbox .lack").text == "The provider could not make this video."
    press(gallery, Keys.ESCAPE, "?")
    assert "star or unstar" in gallery.one("#help").text
    press(gallery, Keys.ESCAPE)
    assert gallery.complaints == []


def test_the_mouse_over_a_clip_plays_it_without_sound(gallery: Browser, pages: Pages) -> None:
    """Nothing is loaded before; when the mouse leaves, the poster is back."""
    opened(gallery, pages.sixty)
    assert gallery.run("return clips.every(c => !c.video || c.video.networkState !== 2 && c.video.paused)")
    ActionChains(gallery).move_to_element(gallery.one("article .frame")).perform()
    gallery.until(lambda here: here.run("return clips[0].video.currentTime > 0.1 && clips[0].video.muted"))
    ActionChains(gallery).move_to_element(gallery.one("h1")).perform()
    gallery.until(lambda here: here.run("return clips[0].video.paused && clips[0].video.currentTime === 0"))


def test_texts_and_commands_are_copied(gallery: Browser, pages: Pages) -> None:
    """From the menu, by mouse or keys, what is copied is what it says."""
    opened(gallery, pages.sixty)
    gallery.run("copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text); }")
    for which in ("link", "prompt", "request", "take", "seed", "edit"):
        focus(gallery, 2)
        press(gallery, "c")
        gallery.at(f"//*[@id='menu']//button[@data-copy='{which}']").click()
    gallery.until(lambda here: here.run("return copied.length") == 6)
    link, prompt, request, *commands = gallery.run("return copied")
    assert (pages.folder / link.removeprefix(pages.folder.as_uri() + "/")).is_file()
    assert prompt == "Gulls rise, number 2"
    assert json.loads(request)["prompt"] == prompt
    words = [shlex.split(command) for command in commands]
    assert all(found[:3] == ["together-video", "generate", prompt] for found in words)
    assert words[0][-4:-2] == ["--take", "2"]
    assert len({found[found.index("--seed") + 1] for found in words}) == 2
    assert gallery.one("#told").text == "Copied the command: edit its prompt before you run it."
    assert gallery.complaints == []


def test_a_selection_is_saved(gallery: Browser, pages: Pages, tmp_path: Path) -> None:
    """From a server as one zip file; from a disk, where none can be made, as a playlist, and the page says why."""
    opened(gallery, pages.served)
    for number in (0, 1, 2):
        focus(gallery, number)
        press(gallery, "v")
    assert gallery.one("#picked-what").text.startswith("3 clips · 6 s · 0.33 USD paid")
    gallery.one("#pick-zip").click()
    with zipfile.ZipFile(downloaded(tmp_path, "*.zip")) as made_zip:
        assert made_zip.testzip() is None
        names = made_zip.namelist()
        assert len(set(names)) == 3
        sources = {file.name: file.read_bytes() for file in pages.folder.rglob("*.mp4")}
        assert all(made_zip.read(name) == sources[name] for name in names)
    assert "Saved 3 clips" in gallery.one("#picked-why").text
    gallery.run("clips[0].size = 6e8; selection.toggle(clips[3])")
    assert not gallery.one("#pick-zip").is_enabled()
    assert "up to 500.0 MB" in gallery.one("#picked-why").text
    opened(gallery, pages.sixty)
    gallery.run("selection.toggle(clips[0])")
    assert not gallery.one("#pick-zip").is_displayed()
    assert "opened from a disk" in gallery.one("#picked-why").text
    gallery.one("#pick-m3u").click()
    lines = downloaded(tmp_path, "*.m3u").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[1].startswith("#EXTINF:2,A fox trots")
    assert (pages.folder / lines[2].removeprefix(pages.folder.as_uri() + "/")).is_file()
    gallery.one("#pick-none").click()
    assert not gallery.one("#picked").is_displayed()
    assert gallery.complaints == []


def test_a_clip_that_cannot_be_read_is_named(gallery: Browser, pages: Pages, tmp_path: Path) -> None:
    """The zip holds the others; where there are none, one sentence says why and what to do."""
    opened(gallery, pages.served)
    gallery.run("""const real = fetch; status = 403; bad = (url) => url === address(clips[1]);
        fetch = (url, how) => bad(url) ? Promise.resolve(new Response('', { status })) : real(url, how);
        sifting.shown().forEach((clip) => selection.toggle(clip));""")
    gallery.one("#pick-zip").click()
    with zipfile.ZipFile(downloaded(tmp_path, "*.zip")) as made_zip:
        assert len(set(made_zip.namelist())) == 57
    why = gallery.one("#picked-why")
    assert re.fullmatch(
        r"Saved 57 of 58 clips, 1\.\d MB; “The keeper climbs the spiral stairs, seen from above, lante…” could not be "
        r"read: its link has expired\.",
        why.text,
    )
    gallery.run("status = 404; bad = (url) => url !== address(clips[0])")
    gallery.one("#pick-zip").click()
    gallery.until(lambda here: "1 of 58" in why.text)
    assert "and 56 more could not be read: it no longer exists." in why.text
    gallery.run("bad = () => { throw new TypeError('network'); }")
    gallery.one("#pick-zip").click()
    gallery.until(lambda here: why.text.startswith("No zip"))
    assert why.text == (
        "No zip was made: “A fox trots along wet rocks at first light, the camera trac…” and 2 more could not be "
        "read: this browser cannot read it from here. Download the clips one by one, or ask for a page with new links."
    )
    assert gallery.one("#pick-zip").is_enabled()
    assert [said for said in gallery.complaints if "fetch" in said] == []


@pytest.mark.parametrize("density", ["large", "compact", "sheet"])
def test_fingers_mark_clips_in_every_density(gallery: Browser, pages: Pages, density: str) -> None:
    """Star and reject are on each card without a hover, large enough and apart, and cover no picture."""
    gallery.screen(390, 844, phone=True)
    opened(gallery, pages.sixty)
    gallery.run("document.getElementById('as-' + arguments[0]).click()", density)
    script = """return clips.flatMap(clip => ['star', 'reject'].map(mark => {
        const button = clip.handles.querySelector(`[data-do=${mark}]`);
        button.scrollIntoView({ block: 'center' });
        const { left, top, width, height } = button.getBoundingClientRect();
        const there = document.elementFromPoint(left + width / 2, top + height / 2);
        return [button.contains(there) && getComputedStyle(button).opacity === '1', Math.min(width, height),
            top - clip.frame.getBoundingClientRect().bottom]; }))"""
    found = gallery.run(script)
    assert len(found) == 120
    assert all(hit and size >= 40 and below >= 0 for hit, size, below in found)
    assert gallery.run("return document.documentElement.scrollWidth") == 390
    gallery.run("clips[0].handles.querySelector('[data-do=star]').click()")
    assert gallery.one("#mark-counts").text == "1 starred · 1 rejected · 1 note"


def test_the_toolbar_of_a_phone_is_small(gallery: Browser, pages: Pages) -> None:
    """Two rows, three with marks, and three more for all filters; the filter's button stays where it is."""
    gallery.screen(390, 844, phone=True)
    opened(gallery, pages.sixty)
    height = "return document.getElementById('bar').offsetHeight"
    summary = gallery.one("#options > summary")
    before = summary.rect
    assert gallery.run(height) <= 135
    summary.click()
    assert gallery.run(height) <= 265
    assert summary.rect == before
    assert all(found.is_displayed() for found in gallery.all("#options select, #options .chip"))
    gallery.run("marks.toggle(clips[0], 'star')")
    assert gallery.one("#export").is_displayed()
    assert gallery.run(height) <= 310


def test_sweeps_are_compared_on_a_phone(gallery: Browser, pages: Pages) -> None:
    """The headings are whole, each row has its own above it, and a clip alone says which it is."""
    gallery.screen(390, 844, phone=True)
    opened(gallery, pages.sweeps)
    compare, one = gallery.all(".together")
    gallery.run("arguments[0].click()", compare)
    assert [found.text for found in gallery.all("#compare-table .side")] == ["seed 1", "seed 2"]
    whole = """return [...document.querySelectorAll('#compare-table .top, #compare-table .side')].every(e =>
        e.scrollWidth <= e.clientWidth + 1 && e.scrollHeight <= e.clientHeight + 1
        && e.getBoundingClientRect().right <= 390 && parseFloat(getComputedStyle(e).fontSize) >= 13)"""
    assert gallery.run(whole)
    assert (
        gallery.run("return Math.min(...[...document.querySelectorAll('.tile')].map(e => e.offsetWidth))")
        >= 112
    )
    assert gallery.run("return document.querySelector('#compare').scrollWidth") <= 390
    gallery.run("document.querySelectorAll('.tile .zoom')[1].click()")
    assert gallery.one("#compare-title").text == "seed 1, guidance scale 8"
    assert gallery.run("return document.querySelector('.tile.chosen').offsetWidth") > 350
    gallery.one("#compare-all").click()
    assert gallery.one("#compare-title").text == "Sweep of line 3: seed × guidance scale"
    press(gallery, Keys.ESCAPE)
    gallery.run("arguments[0].click()", one)
    assert [found.text for found in gallery.all(".tile .caption")] == [f"seed {seed}" for seed in range(5)]
    assert gallery.complaints == []


def test_sweeps_are_compared_in_one_window(gallery: Browser, pages: Pages) -> None:
    """Rows and columns with headings, all of it in sight; they play, stop and are wound in step, and one fills it."""
    opened(gallery, pages.sweeps)
    compare, one = gallery.all(".together")
    compare.click()
    tops = [found.text for found in gallery.all("#compare-table .top")]
    assert tops == ["guidance scale 6", "guidance scale 8", "guidance scale 10"]
    assert [found.text for found in gallery.all("#compare-table .side")] == ["seed 1", "seed 2"]
    fits = """return [...document.querySelectorAll('#compare-table > *')].every(e => {
        const r = e.getBoundingClientRect();
        return r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth; })"""
    assert gallery.run(fits)
    assert gallery.run("return document.querySelector('.tile').getBoundingClientRect().width") > 380
    gallery.one("#compare-play").click()
    times = "return [...document.querySelectorAll('.tile video')].map(v => v.currentTime)"
    gallery.until(lambda here: min(here.run(times)) > 0.3)
    gallery.one("#compare-play").click()
    assert max(gallery.run(times)) - min(gallery.run(times)) < 0.3
    script = (
        "const r = document.getElementById('compare-at'); r.value = 1; r.dispatchEvent(new Event('input'))"
    )
    gallery.run(script)
    gallery.until(lambda here: here.run(times) == [1] * 6)
    gallery.all(".tile .zoom")[1].click()
    assert len(gallery.shown(".tile")) == 1
    assert gallery.run("return document.querySelector('.tile.chosen').getBoundingClientRect().width") > 1_000
    gallery.one("#compare-all").click()
    assert len(gallery.shown(".tile")) == 6
    press(gallery, Keys.ESCAPE)
    one.click()
    assert [found.text for found in gallery.all(".tile .caption")] == [f"seed {seed}" for seed in range(5)]
    assert gallery.run(fits)
    press(gallery, Keys.ESCAPE)
    assert gallery.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone_and_text_of_others_is_text(gallery: Browser, pages: Pages, dark: bool) -> None:
    """Nothing is wider than the screen, fingers find what they press, and markup stays text wherever it is shown."""
    gallery.screen(390, 844, phone=True, dark=dark)
    opened(gallery, pages.sweeps)
    assert gallery.title.startswith("<script>")
    assert gallery.all("img") == []
    gallery.run("document.getElementById('options').open = true")
    widths = gallery.run(
        "return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility())"
        ".filter(e => !e.closest('.unseen, .icons')).map(e => Math.round(e.getBoundingClientRect().right))"
    )
    assert max(widths) <= 390
    assert gallery.run("return document.documentElement.scrollWidth") == 390
    page = gallery.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(page) < 64) is dark
    assert [a.get_attribute("href") for a in gallery.all("article a.redo")] == [REDO] * 13
    menu = gallery.one("article [data-do=menu]")
    assert menu.is_displayed()
    assert min(menu.size.values()) >= 40
    assert menu.accessible_name == "Copy"
    menu.click()
    assert gallery.one("#menu-redo").get_attribute("href") == REDO
    press(gallery, Keys.ESCAPE)
    gallery.run("document.querySelector('article video').click()")
    gallery.until(lambda here: here.one("#lightbox").is_displayed())
    assert HOSTILE.split(" \u202e")[0] in gallery.one("#lightbox .about-clip").text
    assert gallery.all("img") == []
    rect: dict[str, float] = gallery.run(
        "return document.querySelector('#lightbox aside').getBoundingClientRect()"
    )
    assert rect["right"] <= 390
    press(gallery, Keys.ESCAPE)
    assert gallery.title.startswith("<script>")
    assert gallery.complaints == []
