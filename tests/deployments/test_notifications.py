"""The example automations on a real Prefect server: what an event says arrives at a webhook."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow, get_client
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient
from prefect.events.schemas.automations import AutomationCore

from prefect_together_video.flows.reporting import events
from prefect_together_video.flows.server.saved_notifications import Thresholds, described, save_notifications
from together_video.errors import ConfigurationError, InputError
from together_video.ledger.alerts import MonthReached, percents_above
from together_video.ledger.summary import Summary, VideoOutcome, VideoState

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("prefect_api"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes messages, and the list of those that came."""
    came: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_batch_summary_arrives(webhook: tuple[str, list[dict[str, Any]]]) -> None:
    """By a notification block; saving twice leaves one automation of each name."""
    url, came = webhook
    block = CustomWebhookNotificationBlock(
        name="videos", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"}
    )
    await block.save("videos", overwrite=True)
    await save_notifications("custom-webhook/videos")
    names = await save_notifications("custom-webhook/videos")
    async with get_client() as client:
        found = [automation for name in names for automation in await client.read_automations_by_name(name)]
        assert [automation.name for automation in found] == names
        payload = {
            "title": "four <foxes> [x](https://evil.example) @all",
            "sentence": "4 videos: 4 archived; 0.572 USD paid in this run",
            "is_good": True,
            "bucket": "videos",
            "page": "batches/1/index.html",
            "page_uri": "s3://videos/batches/1/index.html",
        }
        event = {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": "together-video.batch.finished",
            "resource": {"prefect.resource.id": "together-video.batch.1"},
            "payload": payload,
        }
        async with asyncio.timeout(60):
            while not came:
                # An automation is in force a moment after it was made.
                event["id"], event["occurred"] = str(uuid4()), datetime.now(UTC).isoformat()
                (await client._client.post("/events", json=[event])).raise_for_status()
                await asyncio.sleep(1)
        for automation in found:
            await client.delete_automation(automation.id)
    # What a chat program would read as a link or a mention is written in another way.
    assert came[0]["subject"] == "four ＜foxes> ［x](https：//evil.example) ＠all: done"
    assert "4 videos: 4 archived; 0.572 USD paid in this run." in came[0]["body"]
    assert "s3://videos/batches/1/index.html" in came[0]["body"]


async def test_a_block_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match="has no block 'slack-webhook/nobody'"):
        await save_notifications("slack-webhook/nobody")


@pytest.fixture
async def block(webhook: tuple[str, list[dict[str, Any]]]) -> AsyncIterator[str]:
    """A saved block that sends to the webhook; automations that a test saved are removed after it."""
    made = CustomWebhookNotificationBlock(
        name="alerts", url=webhook[0], json_data={"subject": "{{subject}}", "body": "{{body}}"}
    )
    await made.save("alerts", overwrite=True)
    yield "custom-webhook/alerts"
    async with get_client() as client:
        for automation in described(uuid4(), Thresholds()):
            for found in await client.read_automations_by_name(automation.name):
                await client.delete_automation(found.id)


async def send(client: PrefectClient, name: str, resource: dict[str, str], **more: Any) -> None:
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": name,
        "resource": resource,
        **more,
    }
    (await client._client.post("/events", json=[event])).raise_for_status()


async def test_saving_again_keeps_what_was_paused_and_takes_new_thresholds(block: str) -> None:
    """Each has one automation of its name, whose id stays; two of a name become one."""
    names = await save_notifications(block)
    assert len(names) == len(set(names)) == 8
    async with get_client() as client:
        before = {name: (await client.read_automations_by_name(name))[0].id for name in names}
        await client.pause_automation(before["together-video nightly missing"])
        doubled = (await client.read_automations_by_name("together-video old doubt"))[0]
        await client.create_automation(AutomationCore.model_validate(doubled.model_dump(exclude={"id"})))
        await save_notifications(block, Thresholds.of(failed_above=50, month_percent=90, nightly_hours=30))
        after = {name: await client.read_automations_by_name(name) for name in names}
    assert all(len(found) == 1 for found in after.values())
    kept = {name: found[0].id for name, found in after.items()}
    assert {name: kept[name] == before[name] for name in names if name != "together-video old doubt"} == {
        name: True for name in names if name != "together-video old doubt"
    }
    assert {name for name, found in after.items() if not found[0].enabled} == {
        "together-video nightly missing"
    }
    triggers = {name: found[0].trigger.model_dump(mode="json") for name, found in after.items()}
    assert triggers["together-video monthly limit"]["match"] == {"together-video.percent": ["090"]}
    assert triggers["together-video nightly missing"]["within"] == 30 * 3600
    above = triggers["together-video many failed"]["match"]["together-video.failed-percent"]
    assert above == percents_above(50)


@pytest.mark.slow
async def test_the_file_works_with_prefects_own_command(block: str, prefect_api: str, tmp_path: Path) -> None:
    """With the id of a block in place of the zeros, as its first lines say."""
    async with get_client() as client:
        document = await client.read_block_document_by_name("alerts", "custom-webhook")
    text = (Path(__file__).parents[2] / "deployments" / "automations.yaml").read_text()
    file = tmp_path / "automations.yaml"
    file.write_text(text.replace("00000000-0000-0000-0000-000000000000", str(document.id)))
    words = ["prefect", "automation", "create", "--from-file", str(file)]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: ASYNC221 - nothing else is to be done meanwhile
        words,
        env={**os.environ, "PREFECT_API_URL": prefect_api, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("together-video ") == 8


@pytest.mark.parametrize(
    "given", [{"failed_above": 100}, {"failed_above": -1}, {"month_percent": 60}, {"nightly_hours": 0.5}]
)
def test_thresholds_out_of_bounds_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(InputError, match="must be"):
        Thresholds.of(**given)


async def test_alerts_fire_above_their_thresholds_and_not_below(
    webhook: tuple[str, list[dict[str, Any]]], block: str
) -> None:
    """What our own flows emit reaches the webhook; a batch of which little failed does not."""
    came = webhook[1]
    await save_notifications(block)
    bad, good = (
        VideoOutcome(id="v", model="m", state=state) for state in (VideoState.FAILED, VideoState.ARCHIVED)
    )

    @flow
    async def emits() -> None:
        events.batch_finished("1", "one in four", Summary.of([bad, good, good, good]), None)
        events.batch_finished("2", "two in four", Summary.of([bad, bad, good, good]), None)
        for percent in (50, 80):
            events.month_reached(MonthReached("2026-11", percent, Decimal("16.4"), Decimal(20)))
        events.ambiguous_for_days(
            VideoOutcome(id="v", model="m", state=VideoState.AMBIGUOUS, error="no answer"), 2
        )

    wanted = {
        "50 % of a batch failed: two in four",
        "80 % of the monthly limit is reached",
        "A video has been ambiguous for 2 days",
    }
    async with asyncio.timeout(90):
        while not wanted <= {message["subject"] for message in came}:
            # An automation is in force a moment after it was made.
            await emits()
            await asyncio.sleep(2)
    subjects = {message["subject"] for message in came}
    assert not [subject for subject in subjects if "of a batch failed: one" in subject]
    assert "50 % of the monthly limit is reached" not in subjects
    body = next(message["body"] for message in came if message["subject"].startswith("80 %"))
    assert body.startswith("80 % of the monthly limit of 20.00 USD is reached in 2026-11: 16.40 USD paid,")
    assert "3.60 USD left" in body


@pytest.mark.slow
async def test_a_nightly_run_that_does_not_come_is_missed(
    webhook: tuple[str, list[dict[str, Any]]], block: str
) -> None:
    """Silent until a first run has begun, or is late; then it fires once when no other begins in time."""
    came = webhook[1]
    await save_notifications(block)
    async with get_client() as client:
        (automation,) = await client.read_automations_by_name("together-video nightly missing")
        quick = automation.trigger.model_copy(update={"within": timedelta(seconds=20)})
        core = AutomationCore.model_validate(
            {**automation.model_dump(exclude={"id", "owner_resource"}), "trigger": quick}
        )
        await client.update_automation(automation.id, core)

        async def begins(name: str, deployment: str = "nightly") -> None:
            related = [
                {
                    "prefect.resource.id": f"prefect.{role}.x",
                    "prefect.resource.role": role,
                    "prefect.resource.name": of,
                }
                for role, of in (("flow", "generate-batch"), ("deployment", deployment))
            ]
            await send(client, name, {"prefect.resource.id": f"prefect.flow-run.{uuid4()}"}, related=related)

        # Of another deployment, and of none: neither arms it. Longer than it waits.
        await asyncio.sleep(3)
        await begins("prefect.flow-run.Running", deployment="requested")
        await asyncio.sleep(28)
        assert came == []
        # Run after run in time: nothing is missing.
        for _ in range(6):
            await begins("prefect.flow-run.Running")
            await asyncio.sleep(5)
        assert came == []
        async with asyncio.timeout(90):
            while not came:  # noqa: ASYNC110 - the server of the webhook is a thread
                await asyncio.sleep(1)
        assert came[0]["subject"] == "The nightly batch did not run"
        await asyncio.sleep(10)
        assert len(came) == 1
