"""A batch is approved and declined in Chromium, in both of Prefect's UIs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.approval_form import ApprovalPage
from tests.browser.chromium import Browser
from tests.deployments.test_approval import SMALL, Served, served

__all__ = ["served"]

pytestmark = pytest.mark.slow

HOSTILE = "![x](https://evil.example/p.png) <img src=x onerror='document.title=1'> **a cat**"


def _requests(*prompts: str) -> list[dict[str, Any]]:
    return [{**SMALL, "prompt": prompt} for prompt in prompts]


@pytest.mark.parametrize("ui", ["v1", "v2"])
def test_a_batch_is_edited_and_approved(browser: Browser, served: Served, ui: str) -> None:
    """The plan stands above the form; one prompt is edited, one removed, the budget is changed: that is made."""
    before = served.provider.posts
    run = served.begin(requests=_requests(f"a fox for {ui}", f"an owl for {ui}", HOSTILE + ui))
    page = ApprovalPage(browser, served.url, run, ui)
    browser.until(lambda _: page.text.count("3 videos: 3 to buy, ") >= 1)
    assert "approve: the videos are made and paid for." in page.text
    assert "Edit a prompt after its number" in page.text
    prompts = [f"1. a fox for {ui}", f"2. an owl for {ui}", f"3. {HOSTILE}{ui}"]
    assert page.entries[:3] == prompts
    assert float(page.amount) > 0
    assert browser.run("return document.querySelectorAll('[role=dialog] img').length") == 0
    assert browser.title != "1"
    page.edit(prompts[0], f"1. a red fox for {ui}")
    page.remove(prompts[2])
    page.set_amount("3")
    page.choose("approve")
    page.send()
    state = served.end(run)
    assert state["message"].startswith("2 videos: 2 archived"), (state, served.said)
    assert served.provider.posts == before + 2
    shown = served.artifact(run, "videos")
    assert f"a red fox for {ui}" in shown
    assert "a cat" not in shown


def test_a_batch_is_declined(browser: Browser, served: Served) -> None:
    """The run ends as Cancelled, and nothing is bought."""
    before = served.provider.posts
    run = served.begin(requests=_requests("a heron"))
    page = ApprovalPage(browser, served.url, run, "v2")
    page.choose("decline")
    page.send()
    state = served.end(run)
    assert (state["type"], state["message"]) == ("CANCELLED", "Not approved: declined. Nothing was bought.")
    assert served.provider.posts == before
