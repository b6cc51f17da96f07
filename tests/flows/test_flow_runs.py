"""The flows in a real Prefect server: states, names and retries as its API shows them."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prefect import flow, get_client
from prefect.context import FlowRunContext
from prefect.flow_engine import run_flow_async
from prefect.states import Scheduled

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.engine import pipeline
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import step
from prefect_together_video.tasks.session import buying
from tests.flows.seen_runs import Seen, follow, look
from together_video.polling.policy import PollPolicy

pytestmark = [
    pytest.mark.usefixtures("prefect_api"),
    # Prefect leaves connections to its own server to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

Make = Callable[..., Any]


@pytest.fixture
def batch(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> Callable[..., Seen]:
    def run(*prompts: str, **parameters: Any) -> Seen:
        usual: dict[str, Any] = {
            "requests": [small(prompt) for prompt in prompts],
            "poll": poll,
            "together": api.credentials(),
            "archive": archive,
        }
        return follow(generate_batch(**{**usual, **parameters}, return_state=True))

    return run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The create task as it is, but with hardly a pause before it is retried."""
    quick = buying.buy_video.with_options(retry_delay_seconds=0.05, retry_jitter_factor=0)
    monkeypatch.setattr(buying, "buy_video", quick)


def test_a_good_batch_is_completed(batch: Callable[..., Seen]) -> None:
    """The server shows names that a person can read, four tasks a video, and how it ended."""
    seen = batch("a fox", "an owl")
    assert seen.flow_run.name == "2 videos"
    assert seen.flow_run.state is not None
    assert seen.flow_run.state.is_completed()
    assert seen.flow_run.state.message == "2 videos: 2 archived; 0.56 USD paid in this run"
    steps = ("create", "wait", "download", "archive")
    assert set(seen.tasks) == {f"{step}: {title}" for step in steps for title in ("a fox", "an owl")}
    assert {found.state_name for found in seen.tasks.values()} == {"Completed"}
    assert {found.run_count for found in seen.tasks.values()} == {1}


def test_a_create_is_repeated_only_where_nothing_was_created(
    api: Any, batch: Callable[..., Seen], impatient: None
) -> None:
    """503 is tried again and succeeds; 500, a reset and a silence are not: one POST, at most one charge."""
    api.faults(
        {"on": "create", "kind": "status", "status": 503, "times": 2, "match": "busy"},
        {"on": "create", "kind": "status", "status": 500, "created": True, "match": "broken"},
        {"on": "create", "kind": "reset", "created": True, "match": "cut off"},
        {"on": "create", "kind": "hang", "seconds": 5, "created": True, "match": "silent"},
        {"on": "create", "kind": "status", "status": 422, "match": "refused"},
    )
    seen = batch(
        "busy fox",
        "broken fox",
        "cut off fox",
        "silent fox",
        "refused fox",
        together=api.credentials(create_seconds=1.5),
    )
    tries = {name: seen.attempts(f"create: {name} fox") for name in ("busy", "broken", "cut off", "silent")}
    assert tries == {"busy": 3, "broken": 1, "cut off": 1, "silent": 1}
    assert seen.attempts("create: refused fox") == 1
    assert [found.state.value for found in seen.summary.videos] == [
        "archived",
        "ambiguous",
        "ambiguous",
        "ambiguous",
        "refused",
    ]
    assert seen.flow_run.state is not None
    assert seen.flow_run.state.is_failed()
    assert seen.flow_run.state.message == (
        "5 videos: 1 archived, 1 refused, 3 ambiguous; 0.28 USD paid in this run, 0.90 USD perhaps paid"
    )
    assert api.posts == 7
    bill = api.bill()
    assert bill["duplicates"] == 0
    assert len(bill["jobs"]) == 4


def test_a_refused_connection_is_tried_again(batch: Callable[..., Seen], impatient: None, api: Any) -> None:
    """Nothing was sent, so all five retries are made; then the video is not started, and nothing is claimed."""
    nowhere = api.credentials().model_copy(update={"base_url": "http://127.0.0.1:9"})
    seen = batch("a fox", together=nowhere)
    assert seen.attempts("create: a fox") == 6
    assert seen.summary.counts["skipped"] == 1
    assert "nothing was sent" in (seen.summary.videos[0].error or "")


def test_one_trouble_stops_no_other_video(api: Any, batch: Callable[..., Seen], archive: Any) -> None:
    """A failed job is recorded as such, the others are archived, and the tasks tell which is which."""
    api.faults({"on": "create", "kind": "job_failed", "match": "fox", "message": "too dark"})
    seen = batch("a fox", "an owl")
    assert [found.state.value for found in seen.summary.videos] == ["failed", "archived"]
    assert seen.tasks["wait: a fox"].state_name == "Failed"
    assert seen.attempts("wait: a fox") == 1

    async def record() -> Any:
        async with archive.open() as ledger:
            return await ledger.record(seen.summary.videos[0].id)

    found = asyncio.run(record())
    assert (found.state, found.run.flow_run_id) == ("failed", str(seen.flow_run.id))
    assert found.run.flow_run_name == seen.flow_run.name


def test_a_video_of_a_large_batch_is_one_task_run(
    api: Any, batch: Callable[..., Seen], impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its steps are retried as ever, and the run of each video says what became of it."""
    monkeypatch.setattr(pipeline, "STEPS_SHOWN", 2)
    api.faults(
        {"on": "create", "kind": "job_failed", "match": "fox", "message": "too dark"},
        {"on": "create", "kind": "status", "status": 503, "times": 2, "match": "owl"},
    )
    seen = batch("a fox", "an owl", "a bear")
    assert [found.state.value for found in seen.summary.videos] == ["failed", "archived", "archived"]
    assert (api.posts, api.bill()["duplicates"]) == (5, 0)
    states = {name: found.state for name, found in seen.tasks.items() if found.state is not None}
    assert {name: (state.name, state.message) for name, state in states.items() if "fox" not in name} == {
        "make: an owl": ("Completed", "archived"),
        "make: a bear": ("Completed", "archived"),
    }
    assert states["make: a fox"].name == "Failed"
    assert "too dark" in (states["make: a fox"].message or "")


def test_an_account_without_credit_skips_the_rest(api: Any, batch: Callable[..., Seen]) -> None:
    """402 once, and no other create task is even started."""
    api.faults({"on": "create", "kind": "status", "status": 402})
    seen = batch("a fox", "an owl", "a cat", in_flight=1)
    assert [found.state.value for found in seen.summary.videos] == ["refused", "skipped", "skipped"]
    assert set(seen.tasks) == {"create: a fox"}
    assert api.posts == 1


def test_a_run_goes_on_after_a_deadline(start_api: Make, batch: Callable[..., Seen]) -> None:
    """The first run ends Failed with the job in flight; the second archives it without a POST."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    first = batch("a fox", together=api.credentials(), poll=PollPolicy.fixed(0.1, deadline=0.3))
    assert first.flow_run.state is not None
    assert (
        first.flow_run.state.message == "1 video: 1 submitted; 0.00 USD paid in this run, 0.30 USD in flight"
    )
    # A passed deadline is no reason to wait all over again.
    assert first.attempts("wait: a fox") == 1
    now[0] += 61
    second = batch("a fox", together=api.credentials())
    assert second.summary.counts["archived"] == 1
    third = batch("a fox", together=api.credentials())
    assert (third.summary.counts["reused"], third.tasks) == (1, {})
    assert api.posts == 1


def test_one_video_and_its_take(api: Any, archive: VideoArchive, poll: PollPolicy, small: Make) -> None:
    """generate_video is named after its prompt; another take makes another video."""

    def run(take: int) -> Seen:
        return follow(
            generate_video(
                small("a fox"),
                take=take,
                poll=poll,
                together=api.credentials(),
                archive=archive,
                return_state=True,
            )
        )

    first, again, other = run(1), run(1), run(2)
    assert first.flow_run.name == "video: a fox"
    assert [seen.state.message.split(";")[0] for seen in (first, again, other)] == [  # type: ignore[union-attr]
        "1 video: 1 archived",
        "1 video: 1 reused",
        "1 video: 1 archived",
    ]
    assert api.charges == 2


def test_a_late_run_belongs_to_the_day_of_its_schedule(
    api: Any, archive: VideoArchive, poll: PollPolicy, small: Make
) -> None:
    """edition=daily follows the scheduled time, so a run that starts two days late is of its own day."""
    day = datetime.now(UTC) - timedelta(days=2)
    parameters = {
        "request": small("a fox"),
        "edition": "daily",
        "poll": poll,
        "together": api.credentials(),
        "archive": archive,
    }

    async def run() -> Seen:
        async with get_client() as client:
            flow_run = await client.create_flow_run(generate_video, state=Scheduled(scheduled_time=day))
        state = await run_flow_async(
            generate_video, flow_run=flow_run, parameters=parameters, return_type="state"
        )
        return await look(state)

    seen = asyncio.run(run())
    assert seen.state.is_completed(), seen.state.message

    async def edition() -> str:
        async with archive.open() as ledger:
            record = await ledger.record(seen.summary.videos[0].id)
            assert record is not None
            return record.plan.edition

    assert asyncio.run(edition()) == f"{day:%Y-%m-%d}"


def test_bad_input_ends_the_run_as_failed(api: Any, batch: Callable[..., Seen], small: Make) -> None:
    """The message is the sentence itself; no task is started and nothing is sent."""
    seen = batch(requests=[small("a fox", model="pixverse/pixverse-5")])
    assert seen.flow_run.state is not None
    assert seen.flow_run.state.is_failed()
    assert "pixverse/pixverse-v5" in (seen.flow_run.state.message or "")
    assert (seen.tasks, api.posts) == ({}, 0)


def test_no_secret_is_stored_with_the_run(
    prefect_server: Any, api: Any, moto_url: str, new_archive: Make, batch: Callable[..., Seen]
) -> None:
    """Neither the parameters nor any file of the server holds the API key or the AWS secret in clear text."""
    key, secret = f"key-{uuid4().hex}", f"secret-{uuid4().hex}"
    api.faults({"on": "create", "kind": "status", "status": 401, "match": "owl"})
    archive = new_archive(moto_url, ("access", secret))
    seen = batch("a fox", "an owl", together=api.credentials(key), archive=archive)
    stored = json.dumps(seen.flow_run.parameters)
    assert "***" in stored
    assert archive.bucket in stored
    files = [path for path in prefect_server.home.rglob("*") if path.is_file()]
    assert files
    everything = stored.encode() + b"".join(path.read_bytes() for path in files)
    assert archive.bucket.encode() in everything
    assert key.encode() not in everything
    assert secret.encode() not in everything


def test_a_run_keeps_no_state_of_its_steps() -> None:
    """Prefect keeps a state for every field of every result until the run ends: of thousands of steps too many."""
    kept: list[int] = []

    @retried_task("double", "Doubles a number.", run_name="double: {number}")
    async def double(number: int) -> dict[str, int]:
        return {"is": 2 * number}

    @flow
    async def doubling() -> list[dict[str, int]]:
        found = [await step(double, number) for number in range(3)]
        context = FlowRunContext.get()
        assert context is not None
        kept.extend((len(context.run_results), len(context.task_run_assets)))
        return found

    assert asyncio.run(doubling()) == [{"is": 0}, {"is": 2}, {"is": 4}]
    gc.collect()
    assert kept == [0, 0]
