"""The sandbox as a server: the official SDK drives it, it starts and stops, it survives a kill."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from together import AsyncTogether, Together

from together_video.errors import ConfigurationError
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox, serve

FIELDS: dict[str, Any] = {
    "model": "m",
    "prompt": "A fox",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}
NOW = SandboxConfig(generation_seconds=0, model_rules=False)
MEDIA: Any = {
    "frame_images": [{"input_image": "aac49721-1964-481a-ae78-8a4e29b91402", "frame": "first"}],
    "reference_images": [
        "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    ],
}


@pytest.mark.parametrize("ending", ["", "/v1", "/v2"])
def test_official_sdk(ending):
    """The SDK creates, retrieves, chats and lists, with a bare base URL and with one that ends in a version."""
    with running_sandbox(NOW) as base, Together(api_key="key", base_url=base + ending, max_retries=0) as sdk:
        created = sdk.videos.create(**FIELDS, media=MEDIA, guidance_scale=8)
        assert (created.status, created.size, created.seconds) == ("in_progress", "64x48", "1")
        deadline = time.monotonic() + 60
        while (done := sdk.videos.retrieve(created.id)).status == "in_progress":
            # It is due at once, and rendered as soon as the machine has the time.
            assert time.monotonic() < deadline
        assert done.status == "completed"
        assert done.outputs is not None
        assert httpx.get(done.outputs.video_url, follow_redirects=True).content[4:8] == b"ftyp"
        said = sdk.chat.completions.create(
            model="chat",
            messages=[{"role": "user", "content": "Write 3 prompts.\nSubject: a fox"}],
            response_format={"type": "json_object"},
        )
        assert said.choices[0].message is not None
        assert len(json.loads(str(said.choices[0].message.content))["prompts"]) == 3
        supported = sdk.models.list_supported(product="PRODUCT_SERVERLESS", modality="MODALITY_VIDEO").data
        assert "minimax/hailuo-02" in {model.name for model in supported}
        assert sdk.whoami().api_key.id.startswith("key_")


@pytest.mark.anyio
@pytest.mark.parametrize("base", ["", "/v1", "/v2"])
@pytest.mark.parametrize("version", ["", "/v1", "/v2"])
async def test_every_path_answers_with_and_without_a_version(sandbox, base, version):
    """The TypeScript SDK and the Python SDK 2 put /videos behind their base URL, SDK 3 puts /v2/videos there."""
    async with sandbox() as api:
        start = base + version
        made = await api.post(f"{start}/videos", json=FIELDS)
        assert made.status_code == 200
        assert (await api.get(f"{start}/videos/{made.json()['id']}")).json()["id"] == made.json()["id"]
        asked = {"model": "c", "messages": [{"role": "user", "content": "hi"}]}
        said = await api.post(f"{start}/chat/completions", json=asked)
        assert said.json()["object"] == "chat.completion"
        assert "video" in {model["type"] for model in (await api.get(f"{start}/models")).json()}
        assert (await api.get(f"{start}/supported-models")).json()["data"]
        assert (await api.get(f"{start}/whoami")).json()["type"] == "project_api_key"
        assert (await api.get(f"{start}/nothing")).status_code == 404


@pytest.mark.anyio
async def test_the_lists_of_models_follow_the_configuration(sandbox):
    """Hidden models are in no list and are refused, deprecated ones are marked, prices can be changed."""
    changed = {
        "hidden_models": ["vidu/vidu-q1"],
        "deprecated_models": ["pixverse/pixverse-v5"],
        "listed_prices": {"minimax/hailuo-02": 0.5, "acme/new": 0.1},
    }
    async with sandbox(**changed) as api:
        models = (await api.get("/v1/models")).json()
        listed = {model["id"]: model["pricing"].get("video") for model in models}
        assert "vidu/vidu-q1" not in listed
        assert (listed["minimax/hailuo-02"]["example_price"], listed["acme/new"]["example_price"]) == (
            0.5,
            0.1,
        )
        assert listed["pixverse/pixverse-v5"]["example_price"] == 0.3
        supported = (await api.get("/v2/supported-models")).json()["data"]
        statuses = {row["name"]: row["status"] for row in supported}
        assert statuses["vidu/vidu-q1"].endswith("_HIDDEN")
        assert statuses["pixverse/pixverse-v5"].endswith("_DEPRECATED")
        refused = await api.post("/v2/videos", json={"model": "vidu/vidu-q1", "prompt": "a fox"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_available")


@pytest.mark.anyio
async def test_fifty_at_a_time():
    """Fifty creates at once are all billed, and all are there."""
    with running_sandbox(NOW) as base:
        async with (
            AsyncTogether(api_key="key", base_url=base, max_retries=0) as sdk,
            httpx.AsyncClient(base_url=base) as web,
        ):
            jobs = await asyncio.gather(*(sdk.videos.create(**FIELDS, seed=n % 2) for n in range(50)))
            done = await asyncio.gather(*(sdk.videos.retrieve(job.id) for job in jobs))
            bill = (await web.get("/sandbox/bill")).json()
        assert {job.status for job in done} == {"completed"}
        assert len(bill["jobs"]) == 50


def test_clean_end():
    """After the block no thread is left and the port is free again."""
    before = set(threading.enumerate())
    with running_sandbox(NOW) as base:
        httpx.post(f"{base}/v2/videos", json=FIELDS, headers={"authorization": "Bearer key"})
        assert set(threading.enumerate()) - before
        port = int(base.rpartition(":")[2])
        assert httpx.get(base).status_code == 200
    assert set(threading.enumerate()) <= before
    with running_sandbox(NOW, port=port) as again:
        assert again == base


def test_port_that_is_taken():
    """A port in use is one clear sentence."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve(NOW, port=port)


def start(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    command = [sys.executable, "-m", "together_video.sandbox", "--port", "0", "--state-dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline()
    assert ready.startswith("Sandbox ready at http://127.0.0.1:"), ready + process.stdout.read()
    return process, ready.split()[-1]


def test_killed_and_started_again(tmp_path):
    """As a process it prints one line, keeps its bill over SIGKILL, and ends quietly on Ctrl-C."""
    process, base = start(tmp_path)
    with process:
        body = {"model": "ByteDance/Seedance-1.0-lite", "prompt": "A fox"}
        made = httpx.post(f"{base}/v2/videos", json=body, headers={"authorization": "Bearer key"}).json()
        process.kill()
    process, base = start(tmp_path)
    with process:
        bill = httpx.get(f"{base}/sandbox/bill").json()
        assert [job["id"] for job in bill["jobs"]] == [made["id"]]
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert (process.wait(20), process.stdout.read()) == (0, "")


def test_links_may_be_slow_to_render_but_never_block(monkeypatch):
    """While a clip is being rendered, other requests are answered, and the job stays in progress."""
    go_on = threading.Event()

    def slow(clip: object) -> bytes:
        go_on.wait(20)
        return b"file"

    monkeypatch.setattr("together_video.sandbox.rendering.render.render", slow)
    monkeypatch.setattr("together_video.sandbox.app._RENDER_GRACE", 0.05)
    headers = {"authorization": "Bearer key"}
    with running_sandbox(NOW) as base, httpx.Client(base_url=base, headers=headers) as api:
        job = api.post("/v2/videos", json=FIELDS).json()
        assert api.get(f"/v2/videos/{job['id']}").json()["status"] == "in_progress"
        go_on.set()
        for _ in range(200):
            if (done := api.get(f"/v2/videos/{job['id']}").json())["status"] == "completed":
                break
            time.sleep(0.01)
        assert api.get(done["outputs"]["video_url"], follow_redirects=True).content == b"file"
