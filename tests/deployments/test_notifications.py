"""The example automations on a real Prefect server: what an event says arrives at a webhook."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from prefect import get_client
from prefect.blocks.notifications import CustomWebhookNotificationBlock

from prefect_together_video.flows.server.saved_notifications import save_notifications
from together_video.errors import ConfigurationError

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
