"""Batches that wait for approval on a real Prefect server: answered, edited, declined, forgotten, interrupted."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SMALL = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}
_ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Provider:
    """The sandbox, and how many creates it was sent."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def posts(self) -> int:
        return int(httpx.get(f"{self.url}/sandbox/bill", trust_env=False).json()["posts"])


class Served:
    """Deployments that one process serves; `api` asks the Prefect server."""

    def __init__(self, url: str, log: Path, environment: dict[str, str], archive: Any, provider: Any) -> None:
        self.url, self._log, self.environment, self.archive = url, log, environment, archive
        self.provider = provider

    def api(self, method: str, path: str, body: Any = None) -> Any:
        for pause in (1.0, 5.0, 20.0, 0.0):
            answer = httpx.request(method, f"{self.url}/api{path}", json=body, trust_env=False, timeout=60)
            if answer.status_code != 503:
                break
            time.sleep(pause)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> str:
        wanted = {"deployments": {"name": {"any_": [name]}}}
        found = self.until(lambda: self.api("POST", "/deployments/filter", wanted))
        return str(found[0]["id"])

    def begin(self, deployment: str = "requested", **parameters: Any) -> str:
        """A run of a deployment that asks for approval, once it is suspended."""
        body = {"parameters": {"approve": True, "poll": {"first_seconds": 0}, **parameters}}
        run = self.api("POST", f"/deployments/{self.deployment(deployment)}/create_flow_run", body)["id"]
        self.state(run, {"Suspended"})
        return str(run)

    def state(self, run: str, names: set[str]) -> dict[str, Any]:
        """The run's state, once it has one of these names."""

        def there() -> dict[str, Any] | None:
            state = self.api("GET", f"/flow_runs/{run}")["state"]
            assert state["name"] in names or state["type"] not in _ENDED, (state, self.said)
            return state if state["name"] in names else None

        found: dict[str, Any] = self.until(there)
        return found

    def end(self, run: str) -> dict[str, Any]:
        return self.state(run, {"Completed", "Failed", "Crashed", "Cancelled"})

    def resume(self, run: str, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.api("POST", f"/flow_runs/{run}/resume", {"run_input": given})
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).with_name("together-video")
        return subprocess.run(
            [program, *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def artifact(self, run: str, key: str) -> str:
        wanted = {"flow_runs": {"id": {"any_": [run]}}, "artifacts": {"key": {"any_": [key]}}}
        return str(self.api("POST", "/artifacts/filter", wanted)[0]["data"])

    def stored(self, folder: str) -> list[str]:
        async def listed() -> list[str]:
            async with self.archive.open() as ledger:
                return [one.key for one in await ledger.store.list(ledger.layout.key(folder, ""))]

        return asyncio.run(listed())

    def read(self, key: str) -> Any:
        async def got() -> Any:
            async with self.archive.open() as ledger:
                return await ledger.store.get(key)

        return json.loads(asyncio.run(got()).data)

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def until(self, met: Callable[[], Any], seconds: float = 120) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := met()):
            assert time.monotonic() < deadline, self.said
            time.sleep(0.3)
        return found


@pytest.fixture(scope="module")
def served(
    prefect_server: Any,
    seaweed: Any,
    new_archive: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """`together-video serve requested film collect` with a sandbox and a bucket behind the environment."""
    folder = tmp_path_factory.mktemp("approval")
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key), prefix="approval")
    usual = {"generation_seconds": 0.3, "render_workers": 1, "model_rules": False}
    with running_sandbox(SandboxConfig.model_validate(usual)) as sandbox:
        provider = Provider(sandbox)
        environment = {
            **os.environ,
            **prefect_server.environment(),
            **seaweed.environment(),
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
            "TOGETHER_API_KEY": "key",
            "TOGETHER_BASE_URL": provider.url,
            "VIDEO_ARCHIVE_BUCKET": archive.bucket,
            "VIDEO_ARCHIVE_PREFIX": archive.prefix,
            "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
        }
        command = [Path(sys.executable).with_name("together-video"), "serve", "requested", "film", "collect"]
        found = Served(prefect_server.url, folder / "serve.log", environment, archive, provider)
        # Blocks that other tests have saved on this server lead to sandboxes that are gone.
        for block in found.api("POST", "/block_documents/filter", {}):
            if block["name"] == "production":
                found.api("DELETE", f"/block_documents/{block['id']}")
        with (folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        yield found
        process.terminate()
        process.wait(60)
        for one in found.api("POST", "/deployments/filter", {}):
            for run in found.api("POST", "/flow_runs/filter", {"deployments": {"id": {"any_": [one["id"]]}}}):
                found.api("DELETE", f"/flow_runs/{run['id']}")
            found.api("DELETE", f"/deployments/{one['id']}")


def _requests(*prompts: str) -> list[dict[str, Any]]:
    return [{**SMALL, "prompt": prompt} for prompt in prompts]


def test_exactly_what_was_approved_is_made(served: Served) -> None:
    """Nothing is claimed while the run waits; edits, dropped prompts and the budget hold; a retry buys nothing more."""
    before = served.provider.posts
    run = served.begin(requests=_requests("a fox [x](https://evil.example)", "an owl", "a cat"))
    assert served.provider.posts == before
    assert served.stored("inflight") == []
    plan = served.artifact(run, "approval")
    assert "**3 videos: 3 to buy, " in plan
    assert "［x］(https：//evil.example)" in plan
    listed = served.command("approve")
    assert run in listed.stdout, listed.stderr
    assert served.resume(run)["status"] == "REJECT", "without a decision nothing is approved"
    answer = {"decision": "approve", "prompts": ["1. a red fox", "3. a cat"], "budget_usd": 2}
    assert served.resume(run, **answer)["status"] == "ACCEPT"
    state = served.end(run)
    assert state["type"] == "COMPLETED", (state, served.said)
    assert state["message"].startswith("2 videos: 2 archived")
    assert served.provider.posts == before + 2
    served.api(
        "POST",
        f"/flow_runs/{run}/set_state",
        {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True},
    )
    time.sleep(2)
    state = served.end(run)
    assert state["type"] == "COMPLETED", (state, served.said)
    assert served.provider.posts == before + 2, "asked again, or bought again"


def test_an_answer_that_cannot_be_used_shows_the_form_again(served: Served) -> None:
    """With what was wrong; then another model is approved from the command line."""
    before = served.provider.posts
    run = served.begin(requests=_requests("a red kite", "a blue kite"))
    assert served.resume(run, decision="approve", model="acme/nobody-knows")["status"] == "ACCEPT"
    served.until(lambda: "acme/nobody-knows" in served.said and "cannot be used" in served.said)
    served.state(run, {"Suspended"})
    served.until(lambda: len(served.command("approve").stdout.split()) > 0)
    keys = served.api("GET", f"/flow_runs/{run}")["state"]["state_details"]["run_input_keyset"]
    assert keys["schema"].startswith("suspended-approval-2")
    text = served.api("GET", f"/flow_runs/{run}/input/{keys['description']}")
    assert "Please answer again." in text
    assert "acme/nobody-knows" in text
    assert served.provider.posts == before
    done = served.command("approve", run, "--leave-out", "2", "--budget-usd", "1")
    assert done.returncode == 0, done.stderr
    state = served.end(run)
    assert state["message"].startswith("1 video: 1 archived"), (state, served.said)
    assert served.provider.posts == before + 1


def test_declined_is_cancelled_and_buys_nothing(served: Served) -> None:
    """A brief's prompts are written before; the run's message says that nothing was bought."""
    before = served.provider.posts
    run = served.begin(brief={"subject": "herons at dawn", "count": 2}, settings=SMALL)
    assert "**2 videos: 2 to buy, " in served.artifact(run, "approval")
    done = served.command("approve", f"{served.url}/runs/flow-run/{run}", "--decline")
    assert done.returncode == 0, done.stderr
    state = served.end(run)
    assert (state["type"], state["message"]) == ("CANCELLED", "Not approved: declined. Nothing was bought.")
    assert served.provider.posts == before
    again = served.command("approve", run)
    assert again.returncode == 2
    assert "is not waiting for approval: it is Cancelled" in again.stderr


def test_nobody_answers(served: Served) -> None:
    """The collector ends the run as Cancelled once its time is over."""
    before = served.provider.posts
    run = served.begin(requests=_requests("a paper boat"), approve_hours=0.0005)
    time.sleep(2)
    collect = served.deployment("collect")
    served.api("POST", f"/deployments/{collect}/create_flow_run", {})
    state = served.end(run)
    assert state["type"] == "CANCELLED"
    assert state["message"] == "Not approved: nobody answered in time. Nothing was bought."
    assert served.provider.posts == before


def test_exactly_the_film_that_was_approved_is_made(served: Served) -> None:
    """A chat model writes the storyboard, whose shots and price are shown; nothing is bought before the answer, and no
    shot twice. A form that is answered with what a film does not have is refused."""
    before = served.provider.posts
    brief = {"subject": "a lamp that goes out in a storm", "shots": 3, "model": SMALL["model"]}
    size = {"width": 64, "height": 48, "fps": 8}
    run = served.begin("film", brief=brief, settings=size)
    assert served.provider.posts == before
    plan = served.artifact(run, "approval")
    assert "A film of 3 shots, about " in plan
    assert "**3 videos: 3 to buy, " in plan
    kept = [served.read(key) for key in served.stored("batches") if key.endswith("/proposal.json")]
    (proposal,) = (one for one in kept if one["run"] == run)
    assert proposal["storyboard"]["defaults"]["width"] == 64
    assert run in served.command("approve").stdout
    assert served.resume(run, decision="approve", leave_out="2")["status"] == "REJECT"
    done = served.command("approve", run, "--budget-usd", "5")
    assert done.returncode == 0, done.stderr
    state = served.end(run)
    assert state["message"].startswith("3 videos: 3 archived"), (state, served.said)
    assert "the film was joined" in state["message"]
    assert served.provider.posts == before + 3
    again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
    served.api("POST", f"/flow_runs/{run}/set_state", again)
    time.sleep(2)
    state = served.end(run)
    assert "the film existed already" in state["message"], (state, served.said)
    assert served.provider.posts == before + 3, "asked again, or bought again"


def test_a_film_that_is_declined_buys_nothing(served: Served) -> None:
    """The run is Cancelled. Of a shot that is made from another one the plan says so."""
    before = served.provider.posts
    shots = [{"prompt": "a red kite"}, {"prompt": "its shadow", "continue": True}]
    run = served.begin("film", title="Kites", shots=shots, defaults=SMALL)
    assert "as it continues shot 1" in served.artifact(run, "approval")
    assert served.command("approve", run, "--decline").returncode == 0
    state = served.end(run)
    assert (state["type"], state["message"]) == ("CANCELLED", "Not approved: declined. Nothing was bought.")
    assert served.provider.posts == before


def test_a_run_that_no_deployment_began_cannot_wait(served: Served) -> None:
    """One sentence says what to do instead, with a server and without."""
    program = (
        "import asyncio, sys\n"
        "from prefect_together_video import generate_batch\n"
        "asked = generate_batch if sys.argv[1] == 'flow' else generate_batch.fn\n"
        "more = {'return_state': True} if sys.argv[1] == 'flow' else {}\n"
        "state = asyncio.run(asked(requests=[{'prompt': 'a fox'}], approve=True, **more))\n"
        "print(state.type.value, state.message)\n"
    )
    for how, words in (("flow", "Only a run of a deployment can wait"), ("plain", "set PREFECT_API_URL")):
        done = subprocess.run(
            [sys.executable, "-c", program, how],
            env=served.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout.startswith("FAILED "), done.stderr
        assert words in done.stdout
