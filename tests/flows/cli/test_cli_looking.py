"""Commands that spend nothing: help, models, check, sandbox."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import pytest

from together_video.catalogue import estimate
from together_video.requests import VideoRequest

Run = Callable[..., Any]

COMMANDS = ("demo", "generate", "batch", "check", "models", "sandbox", "share")


def test_help_of_the_program(command: Run) -> None:
    """All commands are listed, and what the program is for."""
    done = command("--help")
    assert (done.code, done.err) == (0, "")
    assert [name for name in COMMANDS if not re.search(rf"(?m)^\W*{name} ", done.out)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(command: Run, name: str) -> None:
    """Every option of every command is explained."""
    done = command(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"together-video {name}" in done.out
    options = re.findall(r"(?m)^\W*(?:[A-Z]+ )?--(?!no-)([a-z][a-z-]+)(.*)$", done.out)
    assert options
    assert [option for option, words in options if not re.search(r"[A-Za-z]{3}", words)] == []


def test_the_options_have_the_names_of_the_request_fields(command: Run) -> None:
    """People who know the API know the options."""
    from together_video.requests import VideoRequest

    shown = command("generate", "--help").out
    for field in set(VideoRequest.model_fields) - {"prompt", "labels"}:
        assert f"--{field.replace('_', '-')}" in shown


def test_models_are_listed(command: Run) -> None:
    """The table holds every model that is offered, --all the others too, --json all that is known."""
    listed = json.loads(command("models", "--json").out)
    everything = json.loads(command("models", "--all", "--json").out)
    assert 0 < len(listed) < len(everything)
    table = command("models").out
    assert [model["name"] for model in listed if model["name"] not in table] == []
    assert "minimax/hailuo-02" in table


def test_what_the_api_offers_is_shown_beside_the_catalogue(
    command: Run, start_api: Callable[..., Any]
) -> None:
    """Differences are marked and said, a new model is listed too. No archive is needed, a key is."""
    api = start_api(
        hidden_models=["vidu/vidu-q1"],
        deprecated_models=["google/veo-3.1"],
        listed_prices={"minimax/hailuo-02": 0.5, "acme/new": 0.1},
    )
    place = {"TOGETHER_BASE_URL": api.url, "TOGETHER_API_KEY": "key", "VIDEO_ARCHIVE_BUCKET": None}
    done = command("models", "--live", **place)
    assert done.code == 0, done.err
    marked = {line.split()[1] for line in done.out.splitlines() if line.startswith("!  ")}
    assert marked == {"vidu/vidu-q1", "google/veo-3.1", "minimax/hailuo-02", "acme/new"}
    assert "! The API does not list vidu/vidu-q1 as a video model" in done.out
    assert "0.50 USD (as configured)" in done.out
    document = json.loads(command("models", "--live", "--json", **place).out)
    rows = {row["name"]: row for row in document["models"]}
    assert rows["minimax/hailuo-02"]["live"]["price_usd"] == 0.5
    assert (rows["vidu/vidu-q1"]["live"]["offered"], rows["acme/new"]["catalogue"]) == (False, None)
    assert {one["kind"] for one in document["differences"]} == {"new", "not offered", "deprecated", "price"}
    assert "acme/new" in command("models", "acme/new", "--live", **place).out
    assert command("models", "acme/gone", "--live", **place).code == 2
    keyless = command("models", "--live", "--json", **{**place, "TOGETHER_API_KEY": None})
    assert (keyless.code, "no API key" in json.loads(keyless.out)["error"]) == (2, True)


def test_one_model_in_full(command: Run) -> None:
    """Name, limits and price, for people and as JSON."""
    done = command("models", "pixverse/pixverse-v5")
    assert (done.code, done.err) == (0, "")
    assert "pixverse/pixverse-v5" in done.out
    assert "2048" in done.out
    document = json.loads(command("models", "pixverse/pixverse-v5", "--json").out)
    assert document["prompt"]["maximum"] == 2048


@pytest.fixture
def doubtful(tmp_path: Path) -> str:
    """A file with a good line, and one that the check warns about."""
    path = tmp_path / "prompts.jsonl"
    path.write_text(
        '{"prompt": "a fox", "model": "pixverse/pixverse-v5", "width": 640, "height": 360}\n'
        '{"prompt": "an owl", "model": "pixverse/pixverse-v5", "width": 640, "height": 360, "fps": 7}\n'
    )
    return str(path)


def test_check_tells_warnings_and_cost(command: Run, doubtful: str) -> None:
    """Warnings alone exit 0, and 2 with --strict; the estimate is shown either way."""
    done = command("check", doubtful)
    assert (done.code, done.err) == (0, "")
    assert "line 2: warning fps" in done.out
    assert "2 requests, no errors." in done.out
    assert "USD" in done.out
    strict = command("check", doubtful, "--strict")
    assert strict.code == 2
    assert "line 2: error fps" in strict.out


def test_check_exits_2_on_errors(command: Run, tmp_path: Path) -> None:
    """What cannot work is an error, with its line."""
    path = tmp_path / "prompts.txt"
    path.write_text("a fox\n\nan owl\n")
    done = command("check", str(path), "--model", "pixverse/v5")
    assert done.code == 2
    assert "line 3: error model" in done.out


def test_check_as_json(command: Run, doubtful: str) -> None:
    """One document with lines, findings and cost."""
    document = json.loads(command("check", doubtful, "--json").out)
    assert [row["line"] for row in document["requests"]] == [1, 2]
    assert [bool(row["findings"]) for row in document["requests"]] == [False, True]
    assert document["errors"] == 0
    assert document["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in document["requests"]))


def test_check_needs_no_account(shell: Any, doubtful: str) -> None:
    """Without key, bucket or server, in a clean environment."""
    done = shell.run("check", doubtful, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["requests"]) == 2


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_told_to_stop(shell: Any, ending: signal.Signals) -> None:
    """It says where it is, answers there, and stops with exit code 0."""
    with shell.start("sandbox", "--port", "0") as process:
        try:
            line, advice = process.stdout.readline(), process.stdout.readline()
            url = line.split()[-1]
            assert line.startswith("Sandbox ready at http://127.0.0.1:")
            assert f"TOGETHER_BASE_URL={url}" in advice
            assert "sandbox" in httpx.get(url, trust_env=False).json()["name"]
            process.send_signal(ending)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(("settings", "price"), [(None, None), ({"price": 0.5}, 0.5)])
def test_the_sandbox_bills_what_is_announced(
    shell: Any, tmp_path: Path, settings: dict[str, float] | None, price: float | None
) -> None:
    """Without prices of its own it takes those of the catalogue, by the requested length."""
    words = ["sandbox", "--port", "0"]
    if settings is not None:
        (tmp_path / "sandbox.json").write_text(json.dumps(settings))
        words += ["--config", str(tmp_path / "sandbox.json")]
    bodies = [
        {"model": "pixverse/pixverse-v5", "prompt": "a fox"},
        {"model": "Wan-AI/wan2.7-t2v", "prompt": "a fox", "resolution": "720P", "seconds": "2"},
    ]
    with shell.start(*words) as process, httpx.Client(trust_env=False) as client:
        try:
            url = process.stdout.readline().split()[-1]
            for body in bodies:
                answer = client.post(f"{url}/v2/videos", json=body, headers={"authorization": "Bearer key"})
                assert answer.status_code == 200, answer.text
            billed = {row["model"]: row["cost"] for row in client.get(f"{url}/sandbox/bill").json()["jobs"]}
        finally:
            process.terminate()
            process.communicate(timeout=20)
    expected = {
        body["model"]: price or float(estimate(VideoRequest.model_validate(body)).usd) for body in bodies
    }
    assert billed == expected
    assert len(billed) == 2
    assert price or len(set(billed.values())) == 2


def test_a_port_that_is_taken(command: Run, api: Any) -> None:
    """One sentence, exit code 2."""
    done = command("sandbox", "--port", api.url.rsplit(":", 1)[1])
    assert done.code == 2
    assert "cannot listen" in done.err


def test_python_m_flows_is_the_same_program(shell: Any) -> None:
    """python -m prefect_together_video.flows and the installed command are one."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "prefect_together_video.flows", "--version"],
        capture_output=True,
        text=True,
        cwd=root,
        env=shell.environment,
        check=False,
    )
    installed = shell.run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, installed.stdout, "")
    assert done.stdout.strip() == metadata.version("prefect-together-video")
