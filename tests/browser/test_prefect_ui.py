"""Prefect's UI in Chromium: a run is started from the form that the parameters make, and told by its page."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.keys import Keys

from prefect_together_video.blocks import VideoArchive
from tests.browser.chromium import Browser
from tests.browser.prefect_form import FirstForm, Form
from together_video.ledger.records import VideoRecord
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
KEY = "a-key-that-nobody-may-see"


class Studio:
    """Deployments that are served, with their blocks; `api` asks the Prefect server."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path, archive: VideoArchive) -> None:
        self.url, self._process, self._log, self.archive = url, process, log, archive

    def api(self, method: str, path: str, body: Any = None) -> Any:
        for pause in (1.0, 5.0, 20.0, 0.0):
            answer = httpx.request(method, f"{self.url}/api{path}", json=body, trust_env=False, timeout=60)
            if answer.status_code != 503:  # its database is locked by others for too long
                break
            time.sleep(pause)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def form(self, browser: Browser, deployment: str) -> Form:
        """The form of a deployment, as soon as it is served."""
        wanted = {"deployments": {"name": {"any_": [deployment]}}}

        def served(_: Browser) -> Any:
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            return self.api("POST", "/deployments/filter", wanted)

        found = browser.until(served, 180)[0]
        self._deployment = found["id"]
        # What no form shows is kept: this sandbox is asked at once.
        parameters = {**found["parameters"], "poll": {"first_seconds": 0}}
        self.api("PATCH", f"/deployments/{self._deployment}", {"parameters": parameters})
        return Form(browser, f"{self.url}/v2/deployments/deployment/{self._deployment}/run")

    def filled_form(self, browser: Browser, deployment: str, link: str) -> Form:
        """The form that a link to it leads to, in the second UI; the link itself leads to the first."""
        self.form(browser, deployment)
        assert link.startswith(f"{self.url}/deployments/deployment/{self._deployment}/run?parameters=")
        return Form(browser, link.replace(self.url, f"{self.url}/v2", 1))

    async def records(self) -> list[VideoRecord]:
        async with self.archive.open() as ledger:
            listed = await ledger.store.list(ledger.layout.key("records", ""))
            ids = [one.key.rpartition("/")[2].removesuffix(".json") for one in listed]
            return [found for one in ids if (found := await ledger.record(one)) is not None]

    async def page(self) -> str:
        """A link to the newest gallery page."""
        async with self.archive.open() as ledger:
            listed = await ledger.store.list(ledger.layout.key("batches", ""))
            *_, page = sorted(one.key for one in listed if one.key.endswith("index.html"))
            return (await ledger.store.links([page], seconds=600))[page]

    def submit(self, browser: Browser, form: Form | FirstForm) -> dict[str, Any]:
        """The run that the form starts, once it has ended."""
        before = {run["id"] for run in self.runs(self._deployment)}
        form.submit()

        def ended(_: Browser) -> dict[str, Any] | None:
            new = [run for run in self.runs(self._deployment) if run["id"] not in before]
            return new[0] if new and new[0]["state_type"] in _ENDED else None

        try:
            found = browser.until(ended, 180)
        except TimeoutException:
            told = self._log.read_text(errors="replace")
            raise AssertionError(f"no run of the form ended: {self.runs(self._deployment)}\n{told}") from None
        assert found is not None
        return found

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        wanted = {"deployments": {"id": {"any_": [deployment]}}}
        found: list[dict[str, Any]] = self.api("POST", "/flow_runs/filter", wanted)
        return found


@pytest.fixture(scope="module")
def studio(
    prefect_server: Any,
    seaweed: Any,
    new_archive: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """`together-video serve` on the session's Prefect server, with a sandbox and a bucket behind blocks."""
    folder = tmp_path_factory.mktemp("studio")
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key))
    usual = {"generation_seconds": 0.5, "render_workers": 1, "model_rules": False}
    with running_sandbox(SandboxConfig.model_validate(usual)) as sandbox:
        environment = {
            **os.environ,
            **prefect_server.environment(),
            **seaweed.environment(),
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "TOGETHER_API_KEY": KEY,
            "TOGETHER_BASE_URL": sandbox,
            "VIDEO_ARCHIVE_BUCKET": archive.bucket,
            "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
        }
        subprocess.run(
            [sys.executable, "-m", "prefect_together_video.flows", "save-blocks"],
            env=environment,
            cwd=ROOT,
            check=True,
        )
        command = [Path(sys.executable).with_name("together-video"), "serve", "on-demand", "requested"]
        with (folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        served = Studio(prefect_server.url, process, folder / "serve.log", archive)
        yield served
        process.terminate()
        process.wait(60)
        # Other tests look for the first run of a flow on this server.
        for found in served.api("POST", "/deployments/filter", {}):
            for run in served.runs(found["id"]):
                served.api("DELETE", f"/flow_runs/{run['id']}")
            served.api("DELETE", f"/deployments/{found['id']}")


def test_a_video_is_made_from_its_form(browser: Browser, studio: Studio) -> None:
    """The form explains each field, offers the saved blocks, and starts a run whose page shows the video."""
    form = studio.form(browser, "on-demand")
    assert form.words("request")[:2] == ["request", "What to make, as the API takes it."]
    assert form.words("Model") == [
        "Model (Optional)",
        "The model's API name, such as minimax/hailuo-02. The default is the catalogue's default model.",
    ]
    height = browser.run("return document.querySelector('form').scrollHeight")
    assert height <= 1_700, height
    assert form.value("Take") == "1"
    form.press("More", "More")
    assert form.value("Edition") == "once"
    assert [found.text for found in form.options("On Ambiguous", "hold")] == ["hold", "resolve", "resubmit"]
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert form.words("Output Format")[:4] == [
        "Output Format (Optional)",
        "MP4 (default) or WEBM.",
        "choose",
        "None",
    ]

    form.fill("Prompt", "a fox trots through fresh snow")
    _make_it_small(form)
    run = studio.submit(browser, form)
    assert run["state_type"] == "COMPLETED", run["state"]
    assert run["name"] == "video: a fox trots through fresh snow"
    _is_told(browser, studio, run, "1 archived")


def test_a_batch_is_made_from_its_form(browser: Browser, studio: Studio) -> None:
    """What people need first fits a page and a half; the run that it starts makes its videos, named by its subject."""
    form = studio.form(browser, "requested")
    form.words("What the videos are about")
    height = browser.run("return document.querySelector('form').scrollHeight")
    assert height <= 1_700, height
    assert form.words("Budget (USD)") == [
        "Budget (USD) (Optional)",
        "The most that this run may spend, in US dollars. Videos that do not fit are skipped.",
    ]
    browser.until(lambda _: form.words("archive")[-2:] == ["production", "Add"])
    assert form.words("archive")[:2] == [
        "archive (Optional)",
        "Where to keep the videos. Empty for the archive that the environment names.",
    ]
    offered = form.options("Model", "default")
    assert {"default", "minimax/hailuo-02"} <= {found.text for found in offered}
    next(found for found in offered if found.text == "pixverse/pixverse-v5").click()
    form.fill("What the videos are about", "herons at dawn")
    form.fill("How many", "2")
    form.fill("Length", "1")
    form.press("More", "More")
    form.press("Settings", "Settings")
    for title, value in {"Width": "64", "Height": "48", "FPS": "8"}.items():
        form.fill(title, value)
    form.fill("Share Days", "1")
    form.press("Quality", "default")
    browser.at("//*[@role='option'][normalize-space()='preview']").click()
    run = studio.submit(browser, form)
    assert run["state_type"] == "COMPLETED", run["state"]
    assert run["name"] == "2 videos: herons at dawn"
    assert run["parameters"]["more"]["quality"] == "preview"
    assert run["parameters"]["local_files"] is False, "what the form does not show is kept"
    assert any(tag.startswith("batch:") for tag in run["tags"])
    _is_told(browser, studio, run, "2 archived")
    _is_shared(browser, studio, run)
    _is_made_again(browser, studio)


def _is_shared(browser: Browser, studio: Studio, run: dict[str, Any]) -> None:
    """Both UIs show the link to a page whose videos play without access to the bucket."""
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}, "artifacts": {"key": {"any_": ["shared-page"]}}}
    (shared,) = studio.api("POST", "/artifacts/filter", wanted)
    addresses = set()
    for ui in ("", "/v2"):
        browser.get(f"{studio.url}{ui}/artifacts/artifact/{shared['id']}")
        link = browser.at("//a[contains(@href, '/shared/')]")
        assert link.text.startswith("2 videos, for anyone with this link until ")
        addresses.add(link.get_property("href"))
    (address,) = addresses
    browser.get(str(address))
    play = (
        "const video = document.querySelector('video[src]'); video.preload = 'auto'; return video.videoWidth"
    )
    assert browser.until(lambda here: here.run(play)) == 64
    assert not [line for line in browser.complaints if "Content Security Policy" in line]


def _is_made_again(browser: Browser, studio: Studio) -> None:
    """A card of the batch's gallery leads to the form of both UIs, filled in; the run that it starts makes a take."""
    browser.get(asyncio.run(studio.page()))
    link = str(browser.one("a[href*='/run?parameters=']").get_property("href"))
    request = json.loads(parse_qs(urlsplit(link).query)["parameters"][0])["request"]
    form = studio.filled_form(browser, "on-demand", link)
    assert form.value("Prompt") == request["prompt"]
    assert (form.value("Model"), form.value("Width"), form.value("Take")) == (
        "pixverse/pixverse-v5",
        "64",
        "2",
    )
    run = studio.submit(browser, form)
    assert run["state_type"] == "COMPLETED", run["state"]
    _is_as_linked(run, request)
    made = [one for one in asyncio.run(studio.records()) if one.plan.request.prompt == request["prompt"]]
    assert sorted((one.plan.take, one.state) for one in made) == [(1, "archived"), (2, "archived")]
    logs = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    said = [one["message"] for one in studio.api("POST", "/logs/filter", logs)]
    assert any("pixverse/pixverse-v5 costs up to 0." in line for line in said), said
    # The first UI makes the same of it, which is in the archive by now.
    browser.get(link)
    browser.until(
        lambda here: request["prompt"] in [one.get_property("value") for one in here.all("textarea")]
    )
    assert browser.run("return document.querySelector('form').scrollHeight") <= 1_707
    run = studio.submit(browser, FirstForm(browser))
    assert run["state_type"] == "COMPLETED", run["state"]
    _is_as_linked(run, request)
    assert "1 reused" in run["state"]["message"]


def _is_as_linked(run: dict[str, Any], request: dict[str, Any]) -> None:
    """What the form shows, what it does not show of the request, and the deployment's blocks."""
    given = run["parameters"]
    assert {name: said for name, said in given["request"].items() if said is not None} == request
    assert {"fps", "labels"} <= request.keys()
    assert (given["take"], bool(given["together"]), bool(given["archive"])) == (2, True, True)


def _make_it_small(form: Form) -> None:
    fields = {"Model": "pixverse/pixverse-v5", "Width": "64", "Height": "48", "FPS": "8"}
    for title, value in fields.items():
        form.fill(title, value)
    form.press("Seconds", "float")
    form.fill("Seconds", "1")


def _is_told(browser: Browser, studio: Studio, run: dict[str, Any], counts: str) -> None:
    """The run's page leads to its artifacts; the gallery shows posters that load and links that play."""
    browser.get(f"{studio.url}/v2/runs/flow-run/{run['id']}?tab=Artifacts")
    shown = browser.until(lambda here: "cost-by-model" in here.text and here.text)
    assert run["name"] in shown
    assert "Completed" in shown
    assert {"gallery", "videos", "cost-by-model", "PROGRESS"} <= set(shown.split("\n"))
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}, "artifacts": {"key": {"any_": ["gallery"]}}}
    (gallery,) = studio.api("POST", "/artifacts/filter", wanted)
    images = "[...document.querySelectorAll('td img')]"
    for ui in ("", "/v2"):
        browser.get(f"{studio.url}{ui}/artifacts/artifact/{gallery['id']}")
        browser.at("//a[starts-with(normalize-space(), '▶')]")
        assert counts in browser.text
        sizes = browser.until(
            lambda here: here.run(
                f"return {images}.every(i => i.complete) && {images}.map(i => i.naturalWidth)"
            )
        )
        assert sizes == [64] * int(counts[0]), ui
        # All of each is on the screen, from left to right.
        edges = browser.run(f"return {images}.map(i => i.getBoundingClientRect().right <= innerWidth)")
        assert all(edges), ui
        assert not re.search(r"!\[|\]\(|X-Amz|<td|<img", browser.text), (ui, browser.text)
        pages = browser.run(
            "return [...document.querySelectorAll('a[href*=\"index.html\"]')].map(a => a.href)"
        )
        # One video has no page of its own.
        assert len(pages) == (not run["name"].startswith("video:")), pages
        for page in pages:
            assert httpx.get(page, trust_env=False).text.lower().startswith("<!doctype html>")
    for address in browser.run("return [...document.querySelectorAll('a[href*=\".mp4\"]')].map(a => a.href)"):
        video = httpx.get(address, trust_env=False)
        assert video.headers["content-type"] == "video/mp4"
        assert video.content[4:8] == b"ftyp"
    assert KEY not in browser.page_source
