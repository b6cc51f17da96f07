"""Takes the pictures in `docs/screenshots/`: `make screenshots`. It needs Debian's chromium and chromium-driver.

It starts a Prefect server, an S3 server and the sandbox on this machine. `together-video serve` runs a batch of nine
videos by four models, and a browser takes pictures before, during and after it. To take only pictures whose names begin
with certain words, add the words: `python -m docs.make_screenshots gallery`.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from docs.film_picture import film_picture
from prefect_together_video.flows.cli.servers.local_servers import PrefectServer, S3Server, SandboxServer
from tests.browser.approval_form import ApprovalPage
from tests.browser.chromium import Browser, missing_browser
from tests.browser.prefect_form import Form
from together_video.ledger.summary import Summary

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "screenshots"
FILM = "film.png"
BUCKET = "videos"
#: Seconds to wait for what a page draws without a sign of its end: charts, posters that fade in.
SETTLE = 8.0
#: The part of a run's page that the graph of its tasks fills, in pixels, and the least share of it that is not white.
GRAPH, LEAST_DRAWN = (300, 160, 1350, 460), 0.02
#: Bytes of a picture. Above this, it is saved with fewer colours: the first of these counts that is small enough.
MOST_BYTES = 190_000
COLOURS = (256, 192, 128, 96, 64)

BRIEF = {
    "What the videos are about": "a lighthouse and a ship, from sunset to dawn",
    "How many": "8",
    "Style": "hand-drawn, warm light, gentle camera",
}
REQUESTS: list[dict[str, Any]] = [
    {"prompt": "Sunset over a calm sea, a lighthouse on its rock, the camera moves closer"},
    {"prompt": "Night, the beam of the lighthouse turns, close, the keeper lights his lantern"},
    {
        "prompt": "Night, a ship in high waves, the lighthouse on the horizon is lit",
        "model": "minimax/hailuo-02",
    },
    {"prompt": "Dusk, a ship in a storm, the far lighthouse goes out", "model": "vidu/vidu-q1"},
    {"prompt": "At dawn the ship is home, gulls circle the lighthouse", "model": "vidu/vidu-q1"},
    {
        "prompt": ["Day at the lighthouse, a small ship passes", "Night at the lighthouse, its lamp is lit"],
        "model": "pixverse/pixverse-v5",
        "width": 1280,
        "height": 720,
        "seed": [7, 8],
    },
]


class Studio:
    """The servers, their deployments and a browser. Pictures are chosen by the names of their files."""

    def __init__(self, folder: Path, stack: ExitStack, wanted: tuple[str, ...]) -> None:
        """`wanted` are beginnings of names. If there are none, all pictures are wanted."""
        self._folder = folder
        self._wanted = wanted or ("",)
        prefect = stack.enter_context(PrefectServer(folder / "prefect"))
        s3 = stack.enter_context(S3Server(folder / "s3"))
        settings = {
            "generation_seconds": [15, 60],
            "render_workers": 2,
            "catalogue_prices": True,
            "drawn_scenes": True,
        }
        sandbox = stack.enter_context(SandboxServer(folder / "sandbox", settings))
        self.url = prefect.url
        os.environ.update(
            {
                **s3.environment(),
                **prefect.environment(),
                "PREFECT_RUNNER_POLL_FREQUENCY": "1",
                **sandbox.environment(),
                "VIDEO_ARCHIVE_BUCKET": BUCKET,
                "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
            }
        )
        s3.wait_ready()
        sandbox.wait_ready()
        from prefect_together_video.flows.cli.galleries.gallery_export import make_bucket

        make_bucket(BUCKET)
        prefect.wait_ready(300)
        subprocess.run(
            [sys.executable, "-m", "prefect_together_video.flows", "save-blocks"], cwd=ROOT, check=True
        )
        program = Path(sys.executable).with_name("together-video")
        server = subprocess.Popen([program, "serve", "requested"], cwd=folder)  # noqa: S603
        stack.callback(server.wait)
        stack.callback(server.terminate)
        self.browser = Browser(charts=True)
        stack.callback(self.browser.quit)

    def api(self, path: str, body: dict[str, Any] | None = None) -> Any:
        method = "GET" if body is None else "POST"
        for pause in (1.0, 5.0, 20.0, 0.0):
            answer = httpx.request(method, f"{self.url}/api{path}", json=body, trust_env=False, timeout=60)
            if answer.status_code != 503:  # its database was locked for too long
                break
            time.sleep(pause)
        answer.raise_for_status()
        return answer.json()

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api(f"/flow_runs/{run}")
        return found

    def artifacts(self, run: str) -> dict[str, dict[str, Any]]:
        """By key; the progress artifact has none, so by type."""
        listed = self.api("/artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
        return {found["key"] or found["type"]: found for found in listed}

    def wants(self, name: str) -> bool:
        return name.startswith(self._wanted)

    def take(self, name: str, address: str | None = None, *, graph: bool = False) -> None:
        """Take a picture of the page that is open, or of another. With `graph`, wait until its graph is drawn."""
        if not self.wants(name):
            return
        if address is not None:
            self.browser.get(address if "://" in address else f"{self.url}/v2{address}")
        time.sleep(SETTLE)

        def picture() -> Image.Image | None:
            self.browser.picture(PICTURES / name)
            with Image.open(PICTURES / name) as shot:
                taken = shot.convert("RGB")
            return taken if not graph or drawn_share(taken.crop(GRAPH)) >= LEAST_DRAWN else None

        save(_until(picture), PICTURES / name)
        if graph:
            # Drawing it again and again would take the CPU from the run.
            self.browser.get("about:blank")
        print(f"{name}: {(PICTURES / name).stat().st_size / 1000:.0f} kB")  # noqa: T201


def drawn_share(picture: Image.Image) -> float:
    """The share of the pixels that are not nearly white."""
    counts = picture.convert("L").histogram()
    return sum(counts[:230]) / sum(counts)


def save(picture: Image.Image, file: Path) -> None:
    """Write a PNG of at most `MOST_BYTES`, with as many colours as fit, and dithered if that fits."""
    picture.save(file, optimize=True)
    for colours, dither in itertools.product(COLOURS, (Image.Dither.FLOYDSTEINBERG, Image.Dither.NONE)):
        if file.stat().st_size <= MOST_BYTES:
            return
        picture.quantize(palette=palette_of(picture, colours), dither=dither).save(file, optimize=True)


def palette_of(picture: Image.Image, colours: int) -> Image.Image:
    """A palette with the exact colours of surfaces and text, and for the rest those that posters need."""
    counted = sorted(picture.getcolors(picture.width * picture.height) or (), reverse=True)
    exact = [colour for _, colour in counted[: colours // 4]]
    fewer = picture.quantize(colours - len(exact), Image.Quantize.FASTOCTREE)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in exact for part in colour] + (fewer.getpalette() or []))
    return palette


def main() -> int:
    PICTURES.mkdir(exist_ok=True)
    wanted = tuple(sys.argv[1:])
    if FILM.startswith(wanted or ("",)):
        with tempfile.TemporaryDirectory(prefix="screenshots-") as place:
            picture = film_picture(Path(place))
        # Its skies are gradients: without dithering they would have bands.
        palette = picture.quantize(256, Image.Quantize.MAXCOVERAGE)
        dithered = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        dithered.save(PICTURES / FILM, optimize=True)
        print(f"{FILM}: {(PICTURES / FILM).stat().st_size / 1000:.0f} kB")  # noqa: T201
    return 0 if wanted == (FILM,) else _browse()


def _browse() -> int:
    """Take the pictures that need a browser."""
    if reason := missing_browser():
        print(reason, file=sys.stderr)  # noqa: T201
        return 1
    foreign = ("AWS_", "PREFECT_", "TOGETHER_", "VIDEO_ARCHIVE_")
    for name in [name for name in os.environ if name.startswith(foreign)]:
        del os.environ[name]
    os.environ["PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT"] = "false"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="screenshots-")))
        studio = Studio(folder, stack, tuple(sys.argv[1:]))
        wanted = {"deployments": {"name": {"any_": ["requested"]}}}
        deployment = _until(lambda: studio.api("/deployments/filter", wanted))[0]["id"]
        if studio.wants("form.png"):
            _form(studio, deployment)
        if studio.wants("approval-v1.png"):
            _approval(studio, deployment)
        _batch(studio, deployment, folder)
    return 0


def _form(studio: Studio, deployment: str) -> None:
    form = Form(studio.browser, f"{studio.url}/v2/deployments/deployment/{deployment}/run")
    for title, text in BRIEF.items():
        form.fill(title, text)
    studio.browser.run("document.activeElement.blur()")
    studio.take("form.png")


def _approval(studio: Studio, deployment: str) -> None:
    """Take the form of a batch that waits for approval, in both UIs, and decline it."""
    fields = {"width": 864, "height": 480}
    parameters = {"approve": True, "requests": [{**fields, **request} for request in REQUESTS[:3]]}
    run = studio.api(f"/deployments/{deployment}/create_flow_run", {"parameters": parameters})["id"]
    _until(lambda: studio.run(run)["state"]["name"] == "Suspended")
    studio.browser.screen(1400, 1600)
    for ui in ("v1", "v2"):
        ApprovalPage(studio.browser, studio.url, run, ui)
        studio.take(f"approval-{ui}.png")
    studio.browser.get("about:blank")
    studio.browser.screen()
    studio.api(f"/flow_runs/{run}/resume", {"run_input": {"decision": "decline"}})


def _batch(studio: Studio, deployment: str, folder: Path) -> None:
    file = folder / "lighthouse and ship.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in REQUESTS), encoding="utf-8")
    parameters = {
        "file": str(file),
        "local_files": True,
        "poll": {"first_seconds": 2, "interval_seconds": 1, "ceiling_seconds": 2},
    }
    run = studio.api(f"/deployments/{deployment}/create_flow_run", {"parameters": parameters})["id"]

    def half_done() -> bool:
        bar = studio.artifacts(run).get("progress")
        return bar is not None and float(bar["data"]) >= 25

    _until(half_done)
    studio.take("running.png", f"/runs/flow-run/{run}", graph=True)
    _until(lambda: studio.run(run)["state_type"] not in {"SCHEDULED", "PENDING", "RUNNING"})
    print(studio.run(run)["state"]["message"])  # noqa: T201
    for key, found in studio.artifacts(run).items():
        if key != "progress":
            studio.take(f"artifact-{key}.png", f"/artifacts/artifact/{found['id']}")
    gallery = studio.artifacts(run)["gallery"]["id"]
    studio.take("artifact-gallery-v1.png", f"{studio.url}/artifacts/artifact/{gallery}")
    _gallery(studio, run, folder)


def _gallery(studio: Studio, run: str, folder: Path) -> None:
    """Copy the batch's page from the bucket, and open it from disk."""
    from prefect_together_video.blocks.s3.client import make_client
    from prefect_together_video.flows.cli.galleries.gallery_export import copy_out

    named = re.search(r"batches/[^/]+/", str(studio.artifacts(run)["gallery"]["data"]))
    assert named is not None, "The gallery artifact does not name the page of its batch."  # noqa: S101
    stored = make_client(None, connections=1).get_object(Bucket=BUCKET, Key=f"{named[0]}batch.json")
    videos = json.load(stored["Body"])["videos"]
    summary = Summary.model_validate({"videos": videos, "page": f"{named[0]}index.html"})
    copied = copy_out(summary, BUCKET, folder / "gallery")
    assert copied is not None  # noqa: S101
    page = copied.as_uri()
    studio.browser.get(page)
    studio.browser.run(
        "marks.toggle(clips[0], 'star'); marks.toggle(clips[4], 'star'); marks.toggle(clips[3], 'reject')"
    )
    studio.browser.run("document.getElementById('as-compact').click()")
    studio.take("gallery.png")
    studio.browser.screen(dark=True)
    studio.browser.run("document.querySelector('.together').click()")
    studio.take("gallery-dark.png")
    studio.browser.screen(390, 844, phone=True)
    studio.take("gallery-phone.png", page)
    _contact_sheet(studio, named[0])


def _contact_sheet(studio: Studio, batch: str) -> None:
    """Draw the batch as one picture, with the command."""
    if not studio.wants("contact-sheet.jpg"):
        return
    file = PICTURES / "contact-sheet.jpg"
    program = Path(sys.executable).with_name("together-video")
    words = [program, "gallery", batch.strip("/").rpartition("/")[2], "--contact-sheet", file]
    subprocess.run(words, cwd=ROOT, check=True)  # noqa: S603
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")  # noqa: T201


def _until(met: Callable[[], Any], seconds: float = 600) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := met()):
        if time.monotonic() > deadline:
            raise TimeoutError("The batch did not reach its next picture.")
        time.sleep(0.5)
    return found


if __name__ == "__main__":
    sys.exit(main())
