"""Jobs from their creation to the downloaded file, links, bill and journal."""

from pathlib import Path
from typing import Any

import pytest

from together_video.errors import ConfigurationError
from together_video.job_status import JobStatus
from together_video.jobs import VideoJob
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.jobs import JobStore

pytestmark = pytest.mark.anyio

TINY: dict[str, Any] = {"model": "m", "prompt": "A fox", "width": 64, "height": 48, "seconds": "1", "fps": 8}


async def test_older_generation(sandbox, clock):
    """In the format of 2025 a job goes queued, in_progress, completed, with ISO times and no early outputs."""
    async with sandbox(generation="2025") as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        assert (job["status"], job["outputs"], job["info"]["errors"]) == ("queued", None, None)
        assert job["created_at"] == "2025-10-20T06:57:18.154804Z"
        assert job["claimed_at"] == job["done_at"] == "0001-01-01T00:00:00Z"
        assert (job["inputs"]["seconds"], job["inputs"]["steps"]) == (1, None)
        states = []
        for _ in range(3):
            states.append((await api.get(f"/v2/videos/{job['id']}")).json()["status"])
            clock.advance(5)
        assert states == ["queued", "in_progress", "completed"]
        done = (await api.get(f"/v2/videos/{job['id']}")).json()
        assert done["done_at"] == "2025-10-20T06:57:28.154804Z"
        assert done["outputs"]["cost"] == 0.28


async def test_newer_generation(sandbox, clock):
    """In the format of 2026 times are unix seconds, and a job is in progress from its beginning."""
    async with sandbox(generation="2026") as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        expected = {"object": "video", "status": "in_progress", "size": "64x48", "seconds": "1"}
        assert expected.items() <= job.items()
        assert "outputs" not in job
        clock.advance(10)
        done = (await api.get(f"/v2/videos/{job['id']}")).json()
        assert (done["status"], done["completed_at"] - done["created_at"]) == ("completed", 10)


@pytest.mark.parametrize("generation", ["2025", "2026"])
async def test_our_client_reads_both(sandbox, clock, generation):
    """Both generations decode to the same completed VideoJob."""
    async with sandbox(generation=generation) as api:
        job = VideoJob.from_json((await api.post("/v2/videos", json=TINY)).json())
        clock.advance(10)
        done = VideoJob.from_json((await api.get(f"/v2/videos/{job.id}")).json())
        assert done.status is JobStatus.COMPLETED
        assert str(done.cost_usd) == "0.28"
        assert (done.video_url or "").startswith("http://sandbox/shrt/")
        assert done.finished_at
        assert done.created_at


async def test_download_through_the_link(sandbox, clock):
    """The link redirects to the file, and the bill tells whether a key was sent there."""
    async with sandbox() as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        clock.advance(10)
        url = (await api.get(f"/v2/videos/{job['id']}")).json()["outputs"]["video_url"]
        redirect = await api.get(url)
        assert redirect.status_code == 302
        file = await api.get(redirect.headers["location"])
        assert file.headers["content-type"] == "video/mp4"
        assert int(file.headers["content-length"]) == len(file.content)
        assert file.content[4:8] == b"ftyp"
        bill = (await api.get("/sandbox/bill")).json()
        assert (bill["downloads"], bill["keys_sent_to_links"]) == (1, 2)


async def test_link_expires_and_is_renewed(sandbox, clock):
    """A link ends after its time, on both of its addresses; a retrieve gives another."""
    async with sandbox(link_seconds=60) as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        clock.advance(10)
        first = (await api.get(f"/v2/videos/{job['id']}")).json()["outputs"]["video_url"]
        location = (await api.get(first)).headers["location"]
        clock.advance(60)
        assert (await api.get(first)).status_code == 403
        assert (await api.get(location)).status_code == 403
        fresh = (await api.get(f"/v2/videos/{job['id']}")).json()["outputs"]["video_url"]
        assert fresh != first
        assert (await api.get(fresh, follow_redirects=True)).status_code == 200
        assert (await api.get("/shrt/nothing")).status_code == 404


async def test_bill(sandbox):
    """The bill has a row for each accepted job, prices by model, and counts what repeats an earlier request."""
    async with sandbox(prices={"dear": 2.5}) as api:
        await api.post("/v2/videos", json=TINY)
        await api.post("/v2/videos", json=dict(reversed(TINY.items())))
        await api.post("/v2/videos", json={**TINY, "model": "dear"})
        await api.post("/v2/videos", json={**TINY, "width": -1})
        bill = (await api.get("/sandbox/bill")).json()
        assert (len(bill["jobs"]), bill["posts"], bill["duplicates"], bill["total"]) == (3, 4, 1, 3.06)
        row = bill["jobs"][2]
        assert (row["model"], row["cost"], row["status"]) == ("dear", 2.5, "queued")
        assert row["request_sha256"] == VideoRequest(**{**TINY, "model": "dear"}).fingerprint()


async def test_journal_outlives_a_restart(sandbox, clock, tmp_path):
    """A sandbox that starts on the folder of another one knows its jobs, their times and its bill."""
    async with sandbox(state_dir=tmp_path) as api:
        job = (await api.post("/v2/videos", json=TINY)).json()
        before = (await api.get("/sandbox/bill")).json()["jobs"]
    clock.advance(10)
    async with sandbox(state_dir=tmp_path) as api:
        after = (await api.get("/sandbox/bill")).json()["jobs"]
        assert after == [{**before[0], "status": "completed"}]
        url = (await api.get(f"/v2/videos/{job['id']}")).json()["outputs"]["video_url"]
        assert (await api.get(url, follow_redirects=True)).content[4:8] == b"ftyp"


def test_torn_journal(tmp_path: Path):
    """A last line that a kill cut short is dropped, and the next job starts on a line of its own."""
    store = JobStore(config := SandboxConfig(state_dir=tmp_path))
    kept = store.accept(TINY, now=1.0, fate=None)
    journal = tmp_path / "jobs.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"id": "half')
    added = JobStore(config).accept(TINY, now=2.0, fate=None)
    again = JobStore(config)
    assert (again.get(kept.id), again.get(added.id), len(again)) == (kept, added, 2)


def test_journal_that_is_none(tmp_path: Path):
    """A journal with a whole line that is no job is refused, not forgotten."""
    (tmp_path / "jobs.jsonl").write_text("hello\n")
    with pytest.raises(ConfigurationError, match="Line 1"):
        JobStore(SandboxConfig(state_dir=tmp_path))


def test_durations_follow_from_the_seed(tmp_path: Path):
    """Durations lie in their range, differ, and are the same for the same seed, a restart included."""

    def durations(config: SandboxConfig, count: int) -> list[float]:
        store = JobStore(config)
        jobs = [store.accept(TINY, now=0.0, fate=None) for _ in range(count)]
        return [job.due_at for job in jobs]

    whole = durations(SandboxConfig(generation_seconds=(2, 9), seed=4), 4)
    assert all(2 <= seconds <= 9 for seconds in whole)
    assert len(set(whole)) == 4
    parted = SandboxConfig(generation_seconds=(2, 9), seed=4, state_dir=tmp_path)
    assert durations(parted, 2) + durations(parted, 2) == whole
    assert durations(SandboxConfig(generation_seconds=(2, 9), seed=5), 4) != whole


def test_configuration_file(tmp_path: Path):
    """A configuration is read from JSON; what is wrong in it is said with its place."""
    file = tmp_path / "sandbox.json"
    file.write_text('{"generation_seconds": [1, 2], "faults": [{"on": "create", "kind": "rate_limit"}]}')
    assert SandboxConfig.load(file).generation_range == (1, 2)
    file.write_text('{"faults": [{"on": "link", "kind": "stuck"}]}')
    with pytest.raises(ConfigurationError, match=r"faults\.0.*stuck cannot happen on link"):
        SandboxConfig.load(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        SandboxConfig.load(tmp_path / "none.json")
    with pytest.raises(ValueError, match="low end"):
        SandboxConfig(generation_seconds=(3, 1))
