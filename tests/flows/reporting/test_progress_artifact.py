"""What a real Prefect server has of a batch: its artifacts and its events, without a secret in them."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.reporting.progress import Progress, tell
from together_video.polling.policy import PollPolicy

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

KEY = "a-key-that-nobody-may-see"


class Told:
    """The artifacts of a run by key (the progress has none) and its events by name."""

    def __init__(self, api: str, flow_run: str, last: str) -> None:
        self._api = api
        artifacts = self._ask("/artifacts/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})
        self.artifacts = {found["key"] or found["type"]: found for found in artifacts}
        self.events = self._events(flow_run, last)
        self.everything = json.dumps([artifacts, self.events])

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self._api}{path}", json=body, trust_env=False, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _events(self, flow_run: str, last: str) -> dict[str, list[dict[str, Any]]]:
        """Events travel in the background: wait for the last one."""
        related = {"id": [f"prefect.flow-run.{flow_run}"]}
        wanted = {"event": {"prefix": ["together-video."]}, "related": related}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = self._ask("/events/filter", {"filter": wanted, "limit": 50})["events"]
            if any(event["event"] == last for event in found):
                break
            time.sleep(0.2)
        by_name: dict[str, list[dict[str, Any]]] = {}
        for event in found:
            by_name.setdefault(event["event"].removeprefix("together-video."), []).append(event)
        return by_name


@pytest.fixture
def told(
    prefect_api: str, api: Any, archive: VideoArchive, small: Callable[..., Any], poll: PollPolicy
) -> Callable[..., Told]:
    """Runs a batch of these prompts and reads back what the server has of it."""

    def run(*prompts: str, **parameters: Any) -> Told:
        usual = {
            "requests": [small(prompt) for prompt in prompts],
            "poll": poll,
            "together": api.credentials(KEY),
            "archive": archive,
        }
        state = asyncio.run(generate_batch(**{**usual, **parameters}, return_state=True))
        gc.collect()
        return Told(prefect_api, str(state.state_details.flow_run_id), "together-video.batch.finished")

    return run


def test_a_batch_is_told_to_the_ui_and_to_automations(
    told: Callable[..., Told], api: Any, archive: VideoArchive
) -> None:
    """One archived, one failed, one in doubt: each an event with its payload, and each in the artifacts."""
    api.faults(
        {"on": "create", "kind": "job_failed", "match": "owl", "message": "moderation"},
        {"on": "create", "kind": "reset", "match": "bear"},
    )
    run = told("a fox", "an owl", "a bear")

    assert set(run.artifacts) == {"gallery", "videos", "cost-by-model", "progress"}
    assert run.artifacts["progress"]["data"] == 100
    assert run.artifacts["progress"]["description"] == (
        "3 of 3 videos: 1 archived, 1 failed, 1 ambiguous; 0.28 USD paid, 0.60 USD perhaps paid"
    )
    gallery = run.artifacts["gallery"]
    assert gallery["type"] == "markdown"
    assert "▶ a fox" in gallery["data"]
    assert "- **failed** an owl" in gallery["data"]
    assert "Links work until" in gallery["data"]
    rows = {row["prompt"]: row for row in json.loads(run.artifacts["videos"]["data"])}
    assert {prompt: row["state"] for prompt, row in rows.items()} == {
        "a fox": "archived",
        "an owl": "failed",
        "a bear": "ambiguous",
    }
    (cost,) = json.loads(run.artifacts["cost-by-model"]["data"])
    assert (cost["videos"], cost["archived"]) == (3, 1)

    assert set(run.events) == {"video.archived", "video.failed", "video.ambiguous", "batch.finished"}
    (archived,) = run.events["video.archived"]
    payload = archived["payload"]
    assert archived["resource"]["prefect.resource.id"] == f"together-video.video.{payload['id']}"
    assert archived["resource"]["together-video.model"] == "pixverse/pixverse-v5"
    assert payload["prompt"] == "a fox"
    assert payload["job_id"] in api.jobs
    assert payload["bucket"] == archive.bucket
    assert rows["a fox"]["location or reason"] == f"s3://{archive.bucket}/{payload['key']}"
    assert "moderation" in run.events["video.failed"][0]["payload"]["error"]
    assert "may have been charged" in run.events["video.ambiguous"][0]["payload"]["error"]
    (finished,) = run.events["batch.finished"]
    batch = finished["payload"]
    assert finished["resource"]["prefect.resource.id"] == f"together-video.batch.{batch['batch_id']}"
    assert {name: count for name, count in batch["counts"].items() if count} == {
        "archived": 1,
        "failed": 1,
        "ambiguous": 1,
    }
    assert batch["is_good"] is False
    assert batch["page"] == f"batches/{batch['batch_id']}/index.html"
    assert payload["batch_id"] == batch["batch_id"]
    assert KEY not in run.everything
    assert "aws_secret" not in run.everything


def test_a_budget_that_is_reached_is_told_once(told: Callable[..., Told], api: Any) -> None:
    """However many videos it stops. They cause no events, because nothing happened to them."""
    run = told("a fox", "an owl", "a bear", budget_usd=Decimal("0.01"))
    assert api.posts == 0
    assert set(run.events) == {"budget.reached", "batch.finished"}
    (reached,) = run.events["budget.reached"]
    assert "the budget of 0.01 USD" in reached["payload"]["reason"]
    (finished,) = run.events["batch.finished"]
    assert reached["payload"]["batch_id"] == finished["payload"]["batch_id"]
    assert finished["payload"]["counts"]["skipped"] == 3
    assert run.artifacts["progress"]["data"] == 100


def test_a_run_ends_at_the_very_moment_of_some_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio.wait_for of Python 3.11 loses a cancellation then: the bar would be kept, and the run would never end."""
    from prefect_together_video.flows.reporting import progress_artifact
    from together_video.ledger.plans import plan_videos
    from together_video.requests import VideoRequest

    shown: list[float] = []

    async def note(share: float, **_: Any) -> None:
        shown.append(share)

    monkeypatch.setattr(progress_artifact.FlowRunContext, "get", lambda: object())
    monkeypatch.setattr(progress_artifact, "acreate_progress_artifact", note)
    (plan,) = plan_videos([VideoRequest(model="m", prompt="a fox")])

    async def run(steps: int) -> None:
        async with progress_artifact.progress_shown():
            await asyncio.sleep(0.01)
            tell(Progress(plan=plan, stage="created", total=1, done=1))
            for _ in range(steps):
                await asyncio.sleep(0)

    for steps in range(6):
        asyncio.run(asyncio.wait_for(run(steps), 20))
    assert shown
    assert set(shown) == {0}


def test_without_a_server_nothing_is_told(
    api: Any,
    archive: VideoArchive,
    small: Callable[..., Any],
    poll: PollPolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Outside of a flow run there is nobody to tell: the same steps make no artifact and no event."""
    from prefect_together_video.flows.engine.pipeline import open_pipeline
    from prefect_together_video.flows.reporting import artifacts, events, progress_artifact
    from prefect_together_video.tasks.session.run_policy import RunPolicy
    from together_video.ledger.plans import plan_videos
    from together_video.ledger.summary import Summary

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("something was told")

    monkeypatch.setattr(events, "emit_event", never)
    monkeypatch.setattr(progress_artifact, "acreate_progress_artifact", never)
    monkeypatch.setattr(artifacts, "acreate_markdown_artifact", never)

    async def make() -> Summary:
        async with open_pipeline(api.credentials(), archive, RunPolicy(poll)) as pipeline:
            plans = plan_videos([small("a fox")], "once", "b1")
            summary = await pipeline.produce(plans)
            await artifacts.show(pipeline.ledger, pipeline.records, "a title", summary)
            events.batch_finished("b1", "a title", summary, archive.bucket)
            return summary

    assert asyncio.run(make()).is_good
