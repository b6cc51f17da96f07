"""Artifacts of hostile prompts, errors, names and titles in both of Prefect's UIs: they are read, and no more."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.states import Completed
from selenium.common.exceptions import TimeoutException

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.reporting import artifacts
from prefect_together_video.flows.reporting.progress import Progress, tell
from prefect_together_video.flows.reporting.progress_artifact import progress_shown
from tests.browser.chromium import Browser
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.requests import VideoRequest

pytestmark = [
    pytest.mark.slow,
    # A sync test that runs an async flow leaves connections to the event loop, which is gone.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

#: What others wrote and would fetch, lead to or run something: `TRACKER` is an address that is listened at.
HOSTILE = (
    "![x](TRACKER/picture.png) [click](https://evil.example)",
    '<img src=TRACKER/tag.png onerror="document.title=1"><script>document.title=1</script><b>bold</b>',
    "https://evil.example HTTP://evil.example ftp://evil.example www.evil.example WWW.evil.example a@b.example",
    "<https://evil.example> <javascript:alert(1)> [run](javascript:alert(1)) [x]: https://evil.example",
    "| pipe | `code` | $$\\evil$$ ~~gone~~ *starred* __lined__ \\[x\\](https://evil.example) &lt;b&gt;",
    "```mermaid\ngraph TD; a-->evil\n``` \n\n# heading\n\n---\n\n1. item\n\n> quote",
    "![x][r]\n\n[r]: TRACKER/reference.png",
    "fox \u202egnp.4pm \u2066x\u2069 \x1b[31m <img src=TRACKER/" + "long" * 20_000,
    "1. [click](https://evil.example)",
    "# [click](https://evil.example)",
    "- ![x](TRACKER/list.png)",
    "> www.evil.example",
    "`![x](TRACKER/code.png)` `` ` ``",
)
#: What a page has that leads, loads or runs, by what it names.
_ALIVE = """
const named = /evil|b\\.example|javascript:|mailto:|picture|tag\\.png|reference|list\\.png|code\\.png/i;
return [...document.querySelectorAll('a, img, script, iframe, main :is(b, del, svg[id^=mermaid])')]
  .filter(e => named.test(`${e.getAttribute('href')} ${e.getAttribute('src')}`) || !e.matches('a, img, script, iframe'))
  .map(e => e.outerHTML.slice(0, 300));
"""
#: Emphasis, lists, headings, quotes and code of cells.
_MARKED = "return document.querySelectorAll('td :is(em, [class*=--em], li, h1, blockquote, code)').length"


@pytest.fixture
def tracker() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and the paths that were asked for there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def _outcomes(texts: list[str]) -> list[VideoOutcome]:
    """For each text one that is archived and one that failed, with the text wherever others can write."""
    found = []
    for number, text in enumerate(texts):
        words = {"prompt": text, "job_id": text[:300], "model": text[:300]}
        place = {"bucket": "studio", "key": f"videos/{number}.mp4", "uri": f"s3://studio/{text[:300]}"}
        there = VideoOutcome(id=f"a{number}", state=VideoState.ARCHIVED, **words, **place)
        found += [there, VideoOutcome(id=f"f{number}", state=VideoState.FAILED, error=text, **words)]
    return found


@pytest.fixture
def made(
    prefect_api: str,
    seaweed: Any,
    new_archive: Callable[..., VideoArchive],
    tracker: tuple[str, list[str]],
) -> dict[str, str]:
    """A run with its four artifacts: their ids by key, and the run's."""
    texts = [text.replace("TRACKER", tracker[0]) for text in HOSTILE]
    summary = Summary.of(_outcomes(texts)).model_copy(update={"page_uri": f"s3://studio/{texts[-1]}"})
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key))
    title = " ".join(text[:300] for text in texts[:3])

    @flow(name="hostile", flow_run_name=title[:200])
    async def hostile() -> Any:
        plan = VideoPlan(request=VideoRequest(model="acme/dream-1", prompt=texts[0], labels={"a": "b"}))
        async with progress_shown():
            tell(Progress(plan=plan, stage="created", done=0, total=1))
            async with archive.open() as ledger:
                await artifacts.show(ledger, {}, title, summary)
        return Completed(message=title)

    state = asyncio.run(hostile(return_state=True))
    run = str(state.state_details.flow_run_id)
    answer = httpx.post(
        f"{prefect_api}/artifacts/filter", json={"flow_runs": {"id": {"any_": [run]}}}, trust_env=False
    ).json()
    return {"run": run, **{found["key"] or found["type"]: found["id"] for found in answer}}


def test_nothing_of_hostile_texts_lives_in_either_ui(
    browser: Browser, prefect_api: str, made: dict[str, str], tracker: tuple[str, list[str]]
) -> None:
    """No picture is fetched, no link and no markup is there, and the words can be read."""
    assert set(made) == {"run", "gallery", "videos", "cost-by-model", "progress"}
    server = prefect_api.removesuffix("/api")
    words = {"gallery": "click", "videos": "click", "cost-by-model": "click", "progress": "0 of 1 video"}
    pages = [(f"/artifacts/artifact/{made[key]}", text) for key, text in words.items()]
    pages += [(f"/artifacts/key/{key}", key) for key in ("gallery", "videos", "cost-by-model")]
    pages += [
        (f"/runs/flow-run/{made['run']}?tab=Artifacts", "cost-by-model"),
        ("/artifacts", "cost-by-model"),
    ]
    for ui in ("", "/v2"):
        for path, text in pages:
            browser.get(f"{server}{ui}{path}")
            if "flow-run" in path and not ui:
                browser.at("//*[contains(@class, 'tab')][normalize-space()='Artifacts']").click()
            _await_words(browser, f"{ui}{path}", text)
            assert browser.run(_ALIVE) == [], f"{ui}{path}"
            assert browser.run(_MARKED) == 0, f"{ui}{path}"
            assert browser.title != "1", f"{ui}{path}"
    assert tracker[1] == []


def test_the_tracker_is_reached_where_text_is_not_made_plain(
    browser: Browser, prefect_api: str, tracker: tuple[str, list[str]]
) -> None:
    """What these tests look for is found in a table whose cells are as others wrote them."""
    rows = [{"prompt": text.replace("TRACKER", tracker[0])} for text in HOSTILE[:3]]
    table = {"type": "table", "data": json.dumps(rows), "description": rows[0]["prompt"]}
    made = httpx.post(f"{prefect_api}/artifacts/", json=table, trust_env=False).json()["id"]
    browser.get(f"{prefect_api.removesuffix('/api')}/artifacts/artifact/{made}")
    browser.until(lambda _: tracker[1])
    assert browser.run(_ALIVE)


def _await_words(browser: Browser, page: str, text: str) -> None:
    """Wait for words, then until the page no longer changes: Markdown is drawn later than the rest."""
    try:
        browser.until(lambda here: text in here.text)
    except TimeoutException:
        raise AssertionError(f"{page} has no {text!r}:\n{browser.text}") from None
    browser.until(_calm)


def _calm(browser: Browser) -> bool:
    before = browser.text
    return bool(
        browser.execute_async_script(
            "const done = arguments[1]; setTimeout(() => done(document.body.innerText === arguments[0]), 700)",
            before,
        )
    )
