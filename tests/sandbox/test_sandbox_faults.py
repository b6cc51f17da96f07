"""Faults: which strikes when, and how each of them looks to a caller."""

import time
from typing import Any

import httpx
import pytest

from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import FaultPlan, FaultRule
from together_video.sandbox.server import running_sandbox

TINY: dict[str, Any] = {"model": "m", "prompt": "A fox", "width": 64, "height": 48, "seconds": "1", "fps": 8}


def rule(on: str, kind: str, **more: Any) -> FaultRule:
    return FaultRule.model_validate({"on": on, "kind": kind, **more})


def strikes(plan: FaultPlan, calls: int, **call: Any) -> list[bool]:
    return [plan.draw("retrieve", **{"prompt": "A fox", **call}) is not None for _ in range(calls)]


def test_times_and_skip():
    """A rule lets `skip` calls pass and then strikes `times` times."""
    plan = FaultPlan([rule("retrieve", "status", skip=1, times=2)])
    assert strikes(plan, 5) == [False, True, True, False, False]


def test_per_job_and_match():
    """Counts may be kept for each job, and a rule may be for some prompts only."""
    plan = FaultPlan([rule("retrieve", "status", times=1, per_job=True, match="fox")])
    assert strikes(plan, 2, job_id="a") == [True, False]
    assert strikes(plan, 2, job_id="b") == [True, False]
    assert strikes(plan, 1, job_id="c", prompt="A cat") == [False]


def test_probability_follows_from_the_seed():
    """Chance strikes about as often as told, and in the same places for the same seed."""
    plans = [FaultPlan([rule("retrieve", "status", probability=0.3)], seed=seed) for seed in (1, 1, 2)]
    first, second, third = (strikes(plan, 200) for plan in plans)
    assert 30 < sum(first) < 90
    assert first == second != third


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "status", "billed"),
    [
        (rule("create", "status", status=502, body="<h1>Bad gateway</h1>"), 502, 0),
        (rule("create", "status", status=500, created=True), 500, 1),
        (rule("create", "status", status=402), 402, 0),
        (rule("create", "rate_limit", seconds=7), 429, 0),
        (rule("create", "moderation"), 400, 0),
        (rule("create", "garbage"), 200, 1),
        (rule("create", "no_id"), 200, 1),
        (rule("create", "slow", seconds=3), 200, 1),
    ],
)
async def test_create(sandbox, slept, fault, status, billed):
    """Each fault of a create gives its status, and bills the job or does not."""
    async with sandbox(faults=(fault,)) as api:
        answer = await api.post("/v2/videos", json=TINY)
        assert answer.status_code == status
        assert len((await api.get("/sandbox/bill")).json()["jobs"]) == billed
        match fault.kind:
            case "rate_limit":
                assert answer.headers["x-ratelimit-reset"] == "7"
            case "slow":
                assert slept == [3]
                assert answer.json()["id"]
            case "garbage":
                with pytest.raises(ValueError, match="line 1"):
                    answer.json()
            case "no_id":
                assert "id" not in answer.json()


@pytest.mark.anyio
@pytest.mark.parametrize("generation", ["2025", "2026"])
@pytest.mark.parametrize("shape", ["list", "dict", "text"])
async def test_failed_jobs(sandbox, clock, generation, shape):
    """A failed job carries its error in every form that has been seen, and our client reads it."""
    fault = rule("create", "job_failed", code="invalidDuration", message="Too long", shape=shape)
    async with sandbox(generation=generation, faults=(fault,)) as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        clock.advance(10)
        failed = VideoJob.from_json((await api.get(f"/v2/videos/{job['id']}")).json())
        assert failed.status is JobStatus.FAILED
        assert "Too long" in failed.fault_text
        assert failed.video_url is None


@pytest.mark.anyio
async def test_jobs_that_do_not_end(sandbox, clock):
    """Stuck jobs never complete; unknown states, missing links and costs last as long as told."""
    async with sandbox(faults=(rule("create", "stuck", match="cat"),)) as api:
        stuck = (await api.post("/v2/videos", json={**TINY, "prompt": "A cat"})).json()["id"]
        other = (await api.post("/v2/videos", json=TINY)).json()["id"]
        clock.advance(100_000)
        assert (await api.get(f"/v2/videos/{stuck}")).json()["status"] == "in_progress"
        rules = [rule("retrieve", "unknown_status", times=1), rule("retrieve", "no_url", times=2)]
        payload = [fault.model_dump() for fault in [*rules, rule("retrieve", "no_cost")]]
        assert (await api.post("/sandbox/faults", json=payload)).json() == {"faults": 3}
        seen = [(await api.get(f"/v2/videos/{other}")).json() for _ in range(4)]
        assert [job["status"] for job in seen] == ["paused", *["completed"] * 3]
        assert ["video_url" in job.get("outputs", {}) for job in seen] == [False, False, False, True]
        assert ["cost" in job.get("outputs", {}) for job in seen] == [False, True, True, False]
        wrong = await api.post("/sandbox/faults", json=[{"on": "link", "kind": "stuck"}])
        assert wrong.status_code == 422


@pytest.mark.anyio
async def test_links_and_files(sandbox, clock):
    """Links expire on demand with the given status, and files turn into pages."""
    rules = (rule("link", "link_expired", times=1, status=410), rule("download", "wrong_content", times=1))
    async with sandbox(faults=rules) as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        clock.advance(10)
        url = (await api.get(f"/v2/videos/{job['id']}")).json()["outputs"]["video_url"]
        assert (await api.get(url)).status_code == 410
        page = await api.get(url, follow_redirects=True)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await api.get(url, follow_redirects=True)).headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(("created", "billed"), [(None, 1), (True, 1), (False, 0)])
def test_reset_on_the_wire(created, billed):
    """A reset connection is an error of reading to the caller, with the job made or not."""
    faults = (rule("create", "reset", created=created, times=1),)
    with running_sandbox(SandboxConfig(generation_seconds=0, model_rules=False, faults=faults)) as base:
        headers = {"authorization": "Bearer key"}
        with httpx.Client(base_url=base, headers=headers) as api:
            with pytest.raises(httpx.ReadError):
                api.post("/v2/videos", json=TINY)
            assert len(api.get("/sandbox/bill").json()["jobs"]) == billed
            assert api.post("/v2/videos", json=TINY).status_code == 200


def test_cut_short_on_the_wire():
    """A truncated file announces its whole length and ends early."""
    faults = (rule("download", "truncated", times=1),)
    with (
        running_sandbox(SandboxConfig(generation_seconds=0, model_rules=False, faults=faults)) as base,
        httpx.Client(base_url=base, headers={"authorization": "Bearer key"}) as api,
    ):
        job = api.post("/v2/videos", json=TINY).json()
        url = api.get(f"/v2/videos/{job['id']}").json()["outputs"]["video_url"]
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            api.get(url, follow_redirects=True)
        assert api.get(url, follow_redirects=True).status_code == 200


def test_hanging_on_the_wire():
    """A hanging answer outlasts the caller's patience, and does not keep the sandbox from stopping."""
    faults = (rule("create", "hang"),)
    began = time.monotonic()
    with (
        running_sandbox(SandboxConfig(generation_seconds=0, model_rules=False, faults=faults)) as base,
        httpx.Client(base_url=base, headers={"authorization": "Bearer key"}) as api,
    ):
        with pytest.raises(httpx.ReadTimeout):
            api.post("/v2/videos", json=TINY, timeout=httpx.Timeout(10, read=1))
        assert len(api.get("/sandbox/bill").json()["jobs"]) == 1
    assert time.monotonic() - began < 10
