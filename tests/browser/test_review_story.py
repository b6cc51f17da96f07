"""From a page to the next one: marks made by keys and by fingers, exported, taken into an archive and shown again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions import interaction
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chromium import Browser
from tests.browser.gallery_pages import BATCH, NOW, downloaded, made, write_page
from together_video.gallery import About
from together_video.ledger.layout import Layout
from together_video.ledger.summary import Summary

pytestmark = pytest.mark.xdist_group("gallery")

PROMPTS = ("a fox trots along wet rocks", "an owl turns its head", "a hare in the snow", "a heron lands")


def archive_in(folder: Path) -> Path:
    """An archive in a folder with a batch of four clips; gives its page."""
    rows = [made(folder, prompt, seed=seed) for seed, prompt in enumerate(PROMPTS)]
    for row in rows:
        assert row.record is not None
        file = folder / Layout().record(row.record.id)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row.record.model_dump_json())
    page = write_page(folder, rows, title="Animals")
    about = About(batch_id=BATCH, title="Animals", made_at=NOW).as_json()
    summary = Summary.of(row.outcome for row in rows).as_json()
    (page.parent / "batch.json").write_text(json.dumps({**about, **summary}))
    return page


def tap(browser: Browser, element: WebElement) -> None:
    """A finger presses it where it is on the screen."""
    browser.run("arguments[0].scrollIntoView({block: 'center'})", element)
    actions = ActionBuilder(browser, mouse=PointerInput(interaction.POINTER_TOUCH, "finger"))
    actions.pointer_action.move_to(element).pointer_down().pointer_up()
    actions.perform()


def marks_on(browser: Browser) -> list[tuple[str, bool, bool, str]]:
    """What each card shows: its prompt, whether its star and its cross are pressed, and its note."""
    script = """return [...document.querySelectorAll('article.card')].map(card => [
        card.querySelector('h2').textContent,
        ...['star', 'reject'].map(mark => card.querySelector(`[data-do=${mark}]`).ariaPressed === 'true'),
        card.querySelector('.said').checkVisibility() ? card.querySelector('.said').textContent : ''])"""
    return [tuple(found) for found in browser.run(script)]


def test_marks_come_back_on_the_next_page(browser: Browser, shell: Any, tmp_path: Path) -> None:
    """Two marks by keys on a desktop and two by taps on a phone; nobody opens a clip for them."""
    archive = tmp_path / "archive"
    page = archive_in(archive)
    browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.get(page.as_uri())
    browser.run("localStorage.clear()")
    browser.refresh()
    cards = browser.all("article.card")
    browser.run("arguments[0].focus()", cards[0])
    ActionChains(browser).send_keys("s").perform()
    browser.run("arguments[0].focus()", cards[1])
    ActionChains(browser).send_keys("n").perform()
    browser.type_over(browser.one("#noting textarea"), "Use it for the opener: 'slow'")
    browser.one("#noting [value=save]").click()

    browser.screen(390, 844, phone=True)
    browser.refresh()
    cards = browser.all("article.card")
    tap(browser, cards[2].find_element("css selector", "[data-do=reject]"))
    tap(browser, cards[3].find_element("css selector", "[data-do=star]"))
    tap(browser, cards[2].find_element("css selector", "[data-do=note]"))
    browser.type_over(browser.one("#noting textarea"), "Too dark.")
    tap(browser, browser.one("#noting [value=save]"))
    assert not browser.one("#lightbox").is_displayed()
    expected = [
        (PROMPTS[0], True, False, ""),
        (PROMPTS[1], False, False, "Use it for the opener: 'slow'"),
        (PROMPTS[2], False, True, "Too dark."),
        (PROMPTS[3], True, False, ""),
    ]
    assert marks_on(browser) == expected
    browser.type_over(browser.one("#who"), "Ada")
    tap(browser, browser.one("#export"))
    file = downloaded(tmp_path, "marks-*.json")

    here = ("--archive-folder", str(archive))
    done = shell.run("review", str(file), *here)
    assert done.returncode == 0, done.stderr
    assert "2 starred, 1 rejected, 2 notes" in done.stdout
    done = shell.run("gallery", BATCH, "--folder", str(tmp_path / "next"), *here)
    assert done.returncode == 0, done.stderr

    browser.run("localStorage.clear()")
    browser.get((tmp_path / "next" / f"{BATCH}.html").as_uri())
    assert browser.run("return localStorage.length") == 0
    assert browser.one("h1").text == "Animals"
    assert marks_on(browser) == expected
    assert browser.one("#mark-counts").text == "2 starred · 1 rejected · 2 notes"
    assert not browser.one("#export").is_displayed()
    listed = json.loads(shell.run("list", "--mark", "star", "--json", *here).stdout)
    videos = listed["videos"] if isinstance(listed, dict) else listed
    assert {found["prompt"] for found in videos} == {PROMPTS[0], PROMPTS[3]}
    assert browser.complaints == []
