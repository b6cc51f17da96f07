"""The deployments on a real Prefect server: a work pool and a worker, or one process that serves them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import get_client
from prefect.client.schemas.schedules import IntervalSchedule

from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers.serve import _pause

SMALL = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]


@pytest.mark.slow
async def test_a_worker_runs_what_is_scheduled_triggered_and_dropped(
    place: Any, start: Callable[..., tuple[subprocess.Popen[bytes], Path]], tmp_path: Path
) -> None:
    """Deployed to a process work pool: a schedule fires, an event starts a batch, another one an inbox run.

    The worker knows neither key nor bucket: they come from the blocks.
    """
    saved = place.run(sys.executable, "-m", "prefect_together_video.flows", "save-blocks")
    assert saved.split("\n")[:3] == [
        "saved aws-credentials/production",
        "saved together-credentials/production",
        "saved video-archive/production",
    ]
    place.run("prefect", "work-pool", "create", "together-video", "--type", "process", "--overwrite")
    place.run("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    async with get_client() as client:
        collect = await client.read_deployment_by_name("collect-videos/collect")
        assert [found.schedule.cron for found in collect.schedules] == ["*/10 * * * *"]
        in_a_moment = datetime.now(UTC) + timedelta(seconds=8)
        # Again and again: a scheduler that looks too late for the first time takes the next.
        soon = IntervalSchedule(interval=timedelta(seconds=40), anchor_date=in_a_moment)
        await client.create_deployment_schedules(collect.id, [(soon, True)])
        inbox = await client.read_deployment_by_name("watch-inbox/inbox")
        for schedule in inbox.schedules:
            await client.update_deployment_schedule(inbox.id, schedule.id, active=False)
    async with place.archive.open() as ledger:
        key = ledger.layout.key("inbox", "kites.jsonl")
        await ledger.store.put_once(key, (json.dumps({**SMALL, "prompt": "a red kite"}) + "\n").encode())
        bad = ledger.layout.key("inbox", "bad.csv")
        await ledger.store.put_once(bad, b"prompt,steps\na kite,900\n")
    process, log = start(
        "prefect",
        "worker",
        "start",
        "--pool",
        "together-video",
        without=("TOGETHER_API", "TOGETHER_BASE", "AWS_", "VIDEO_"),
    )
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "together-video.brief.requested",
        "resource": {"prefect.resource.id": "shop.order.7"},
        "payload": {"requests": [{**SMALL, "prompt": "a paper boat"}], "edition": "order 7"},
    }
    written = {
        **event,
        "id": str(uuid4()),
        "event": "together-video.inbox.written",
        "resource": {"prefect.resource.id": "shop.bucket"},
        "payload": {},
    }
    async with get_client() as client:
        (await client._client.post("/events", json=[event, written])).raise_for_status()
    # That of the event, and that of the file in the inbox.
    for made in place.ends("generate-batch", process, log, count=2):
        assert made["state_type"] == "COMPLETED", made["state"]["message"]
    collected = place.ends("collect-videos", process, log)[-1]
    assert (collected["state_type"], collected["auto_scheduled"]) == ("COMPLETED", True)
    assert collected["name"].startswith("collect 20")
    looked = place.ends("watch-inbox", process, log)[-1]
    assert looked["state"]["message"] == "2 files: 1 done, 1 refused"
    assert looked["created_by"]["type"] == "AUTOMATION"
    assert len(place.runs("watch-inbox")) == 1, "one event is one look"
    async with place.archive.open() as ledger:
        left = [found.key for found in await ledger.store.list(ledger.layout.key("inbox", ""))]
        reason = next(key for key in left if key.endswith("bad.csv.reason.txt"))
        stored = await ledger.store.get(reason)
        assert stored is not None
        assert b"line 2: steps: must be at most 50, is 900" in stored.data
        records = await ledger.store.list(ledger.layout.key("records", ""))
    names = sorted(key.rpartition("inbox/")[2].replace(key.rpartition("/")[2][:16], "") for key in left)
    assert names == [
        "done/kites.jsonl",
        "done/kites.jsonl.result.json",
        "refused/bad.csv",
        "refused/bad.csv.reason.txt",
    ]
    assert len(records) == 2
    (triggered,) = (run for run in place.runs("generate-batch") if run["parameters"].get("payload"))
    assert triggered["name"] == "1 video of an event"
    # One text: what the sender wrote was not taken for a template.
    assert json.loads(triggered["parameters"]["payload"])["edition"] == "order 7"


@pytest.mark.slow
async def test_one_process_serves_the_deployments(
    place: Any, start: Callable[..., tuple[subprocess.Popen[bytes], Path]]
) -> None:
    """`together-video serve` needs no work pool, and no blocks where the environment names key and bucket."""
    async with get_client() as client:
        for block in await client.read_block_documents():
            if block.name == "production":
                await client.delete_block_document(block.id)
    process, log = start("together-video", "serve", "generate-video/on-demand")
    deadline = time.monotonic() + 90
    async with get_client() as client:
        while True:
            try:
                found = await client.read_deployment_by_name("generate-video/on-demand")
                break
            except Exception:  # noqa: BLE001 - not there yet
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline
                await asyncio.sleep(0.3)
        parameters = {"request": {**SMALL, "prompt": "a fox"}}
        await client.create_flow_run_from_deployment(found.id, parameters=parameters)
    made = place.ends("generate-video", process, log)[-1]
    assert (made["state_type"], made["name"]) == ("COMPLETED", "video: a fox"), made["state"]["message"]
    process.terminate()
    assert process.wait(60) == 0
    said = log.read_text(errors="replace")
    assert "Not saved on this server: together-credentials/production, video-archive/production." in said
    assert "Traceback" not in said
    assert "RuntimeWarning" not in said
    async with get_client() as client:
        assert (await client.read_deployment(found.id)).paused


async def test_a_server_that_is_gone_does_not_hold_up_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Prefect would try for a minute to pause the schedules, and print tracebacks."""
    await _pause(["generate-batch/nightly"], "http://127.0.0.1:9/api", Terminal())
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(
        "The Prefect server at http://127.0.0.1:9/api does not answer, so the schedules are not paused"
    )


@pytest.mark.slow
async def test_a_batch_is_shared_by_workers(
    place: Any, start: Callable[..., tuple[subprocess.Popen[bytes], Path]], tmp_path: Path
) -> None:
    """Two parts, made by runs of generate-part with the blocks that the batch names; each video is bought once."""
    place.run(sys.executable, "-m", "prefect_together_video.flows", "save-blocks")
    process, log = start("together-video", "serve", "part of a batch")
    file = tmp_path / "four.jsonl"
    file.write_text("".join(json.dumps({**SMALL, "prompt": f"kite {n}"}) + "\n" for n in range(4)))
    async with get_client() as client, asyncio.timeout(90):
        while True:
            try:
                await client.read_deployment_by_name("generate-part/part of a batch")
                break
            except Exception:  # noqa: BLE001 - not there yet
                assert process.poll() is None, log.read_text(errors="replace")
                await asyncio.sleep(0.3)
    words = [
        "batch",
        str(file),
        "--workers",
        "2",
        "--together",
        "production",
        "--archive",
        "production",
        "--json",
    ]
    document = json.loads(place.run("together-video", *words))
    assert document["counts"]["archived"] == 4
    assert len(place.runs("generate-part")) == 2
    bill = httpx.get(f"{place.environment['TOGETHER_BASE_URL']}/sandbox/bill", trust_env=False).json()  # noqa: ASYNC210
    assert (bill["posts"], len(bill["jobs"])) == (4, 4)
