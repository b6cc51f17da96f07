"""Stopping `together-video serve`: a quiet end at any moment, and no run that stays half started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.states import Scheduled

from prefect_together_video.flows.cli.servers.served_runs import GOING_ON, NOT_BEGUN
from prefect_together_video.flows.server.served_deployments import read

SMALL = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}
NIGHTLY = "generate-batch/nightly"
FAREWELL = "Paused until they are served again."

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

Start = Callable[..., tuple[subprocess.Popen[bytes], Path]]


async def until(holds: Callable[[], Awaitable[Any]], log: Path, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        await asyncio.sleep(0.02)


async def says(log: Path, text: str) -> None:
    async def said() -> bool:
        return text in log.read_text(errors="replace")

    await until(said, log)


async def make_run(
    client: PrefectClient, deployment: str, *, prompt: str, due: datetime | None = None
) -> UUID:
    request = {**SMALL, "prompt": prompt}
    parameters: dict[str, Any] = {"request": request}
    if deployment == NIGHTLY:
        parameters = {"subject": "", "more": None, "requests": [request], "edition": "once"}
    found = await client.read_deployment_by_name(deployment)
    state = Scheduled(scheduled_time=due) if due else None
    run = await client.create_flow_run_from_deployment(found.id, parameters=parameters, state=state)
    return run.id


async def is_in(client: PrefectClient, run: UUID, *types: str) -> bool:
    state = (await client.read_flow_run(run)).state
    return state is not None and state.type.value in types


async def active_slots(client: PrefectClient, deployment: str) -> int:
    found = await client.read_deployment_by_name(deployment)
    assert found.global_concurrency_limit is not None
    return found.global_concurrency_limit.active_slots


def ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """As a terminal does it: to the program and to what it has started in the same session."""
    os.killpg(process.pid, signal.SIGINT)


def ended(process: subprocess.Popen[bytes], log: Path, *, code: int) -> str:
    """What the program printed, once it has ended quietly with this exit code."""
    assert process.wait(60) == code, log.read_text(errors="replace")
    said = log.read_text(errors="replace")
    assert "Traceback" not in said
    assert "never awaited" not in said
    # Before the end Prefect may note such as "1 scheduled runs skipped (at capacity)".
    if "Stopping" in said:
        assert "prefect" not in said[said.index("Stopping") :]
    return said


@pytest.mark.parametrize(
    ("ending", "code", "wait"),
    [
        pytest.param(ctrl_c, 130, 0.0, id="Ctrl-C while it is claimed"),
        pytest.param(ctrl_c, 130, 0.7, id="Ctrl-C during its imports"),
        pytest.param(subprocess.Popen.terminate, 0, 0.7, id="SIGTERM during its imports"),
    ],
)
async def test_a_run_that_is_starting_is_cancelled(
    place: Any, start: Start, ending: Callable[[Any], None], code: int, wait: float
) -> None:
    """It says that nothing was bought, and its slot of one is free for the next run at once."""
    process, log = start("together-video", "serve", "nightly")
    await says(log, "Serving these for")
    async with get_client() as client:
        run = await make_run(client, NIGHTLY, prompt=f"a fox, {code} {wait}")
        await until(lambda: is_in(client, run, "PENDING"), log)
        await asyncio.sleep(wait)
        ending(process)
        said = ended(process, log, code=code)
        assert said.splitlines()[-2:] == ["Stopping 1 run after storing what is paid for.", FAREWELL]
        state = (await client.read_flow_run(run)).state
        assert state is not None
        assert (state.name, state.message) == ("Cancelled", NOT_BEGUN)
        assert await active_slots(client, NIGHTLY) == 0
        # The second time Prefect keeps back a run for which there is no slot, for half a minute.
        process, log = start("together-video", "serve", "nightly")
        await says(log, "Serving these for")
        again = await make_run(client, NIGHTLY, prompt="a hare")
        await until(lambda: is_in(client, again, "RUNNING", "COMPLETED"), log)
        names = [found.name for found in await client.read_flow_run_states(again)]
        assert names[:4] == ["Scheduled", "Pending", "Submitting", "Running"]
    bill = httpx.get(f"{place.environment['TOGETHER_BASE_URL']}/sandbox/bill", trust_env=False).json()  # noqa: ASYNC210
    assert all("fox" not in json.dumps(job) for job in bill["jobs"])


async def test_runs_that_start_at_once_are_cancelled_and_the_queue_waits(place: Any, start: Start) -> None:
    """With --limit 2 two of three runs are being started; the third was never claimed and stays scheduled."""
    process, log = start("together-video", "serve", "on-demand", "--limit", "2")
    await says(log, "Serving these for")
    async with get_client() as client:
        # Known to the server before any of them can be claimed.
        due = datetime.now(UTC) + timedelta(seconds=20)
        runs = [
            await make_run(client, "generate-video/on-demand", prompt=f"kite {n}", due=due) for n in range(3)
        ]

        async def two_are_claimed() -> bool:
            return sum([await is_in(client, run, "PENDING") for run in runs]) == 2

        await until(two_are_claimed, log)
        ctrl_c(process)
        ctrl_c(process)
        ended(process, log, code=130)
        states = [(await client.read_flow_run(run)).state for run in runs]
        assert sorted(state.type.value for state in states if state) == [
            "CANCELLED",
            "CANCELLED",
            "SCHEDULED",
        ]
        assert {state.message for state in states if state and state.is_cancelled()} == {NOT_BEGUN}
        assert await active_slots(client, "generate-video/on-demand") == 0


@pytest.mark.parametrize("ending", [ctrl_c, subprocess.Popen.terminate], ids=["Ctrl-C", "SIGTERM"])
async def test_a_run_that_waits_for_its_create_stores_the_job_id(
    place: Any, start: Start, new_unruly: Callable[[str], Any], ending: Callable[[Any], None]
) -> None:
    """The POST is answered after the second signal: its job id is stored, and the run says what keeps running."""
    way = new_unruly(place.environment["TOGETHER_BASE_URL"])
    asked, go_on = threading.Event(), threading.Event()

    def hold_creates(method: str, path: str, _: dict[str, str]) -> None:
        if method == "POST" and "/videos" in path:
            asked.set()
            go_on.wait(30)

    way.strike = hold_creates
    place.environment["TOGETHER_BASE_URL"] = way.url
    process, log = start("together-video", "serve", "nightly")
    await says(log, "Serving these for")
    async with get_client() as client:
        run = await make_run(client, NIGHTLY, prompt="an owl")
        await until(lambda: asyncio.to_thread(asked.is_set), log)
        ending(process)
        await says(log, "Stopping 1 run")
        # What the run prints is not shown any more; it has its signal soon after.
        await asyncio.sleep(1)
        ending(process)
        await says(log, "Still waiting for 1 run to store what is paid for.")
        go_on.set()
        ended(process, log, code=130 if ending is ctrl_c else 0)
        state = (await client.read_flow_run(run)).state
        assert state is not None
        assert (state.name, state.message) == ("Cancelled", GOING_ON)
        assert await active_slots(client, NIGHTLY) == 0
    async with place.archive.open() as ledger:
        kept = [found.key.rpartition("/")[2] for found in await ledger.store.list(ledger.layout.inflight)]
    assert sorted(kept) == ["claim.json", "job.json"]


async def test_ctrl_c_while_the_deployments_are_made(place: Any, start: Start) -> None:
    """It makes no more of them, and those that it has made are paused."""
    process, log = start("together-video", "serve")
    await says(log, "  generate-batch/nightly")
    ctrl_c(process)
    ctrl_c(process)
    said = ended(process, log, code=130)
    assert "Serving these for" not in said
    assert said.splitlines()[-1] == FAREWELL
    async with get_client() as client:
        made = await client.read_deployments()
    assert 1 <= len(made) < len(read())
    assert all(found.paused for found in made)
