"""The command line at work, in processes of its own: fifty videos, interrupts, kills, a Prefect server."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

Make = Callable[..., Any]

ROW = {
    "id",
    "state",
    "job_id",
    "prompt",
    "model",
    "asked_model",
    "asked_id",
    "failed",
    "paid_earlier",
    "failed_usd",
    "failed_perhaps_usd",
    "estimate_usd",
    "labels",
    "varies",
    "notes",
    "cost_usd",
    "bucket",
    "key",
    "uri",
    "file",
    "sha256",
    "size",
    "seconds",
    "width",
    "height",
    "error",
}


def assert_is_the_document(text: str) -> dict[str, Any]:
    """One JSON document with the promised shape, and nothing else."""
    document = json.loads(text)
    assert set(document) == {"videos", "counts", "cost_usd", "perhaps_paid_usd", "in_flight_usd"}
    assert all(set(row) == ROW for row in document["videos"])
    assert sum(document["counts"].values()) == len(document["videos"])
    assert isinstance(document["cost_usd"], float)
    return document


def wait_for(what: Callable[[], bool], process: Any, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def s3_keys(ready_shell: Any, seaweed: Any) -> Iterator[Callable[[], list[str]]]:
    """Gives the keys that are in the shell's bucket now."""
    client = boto3.client(
        "s3",
        endpoint_url=seaweed.url,
        aws_access_key_id=seaweed.access_key,
        aws_secret_access_key=seaweed.secret_key,
        region_name="us-east-1",
    )
    bucket = ready_shell.environment["VIDEO_ARCHIVE_BUCKET"]
    yield lambda: [found["Key"] for found in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    client.close()


def test_fifty_videos_at_once_and_again(ready_shell: Any, api: Any, small_file: Make) -> None:
    """All are archived with fifty in flight; the second run creates nothing and says so."""
    file = str(small_file(*(f"fox number {n}" for n in range(50))))
    words = ("batch", file, "--json", "--in-flight", "50", "--poll-interval", "0.5")
    done = ready_shell.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    document = assert_is_the_document(done.stdout)
    assert document["counts"]["archived"] == 50
    assert document["cost_usd"] == pytest.approx(50 * 0.28)
    assert len({row["key"] for row in document["videos"]}) == 50
    assert api.posts == 50
    again = ready_shell.run(*words)
    assert (again.returncode, again.stderr) == (0, "")
    repeated = assert_is_the_document(again.stdout)
    assert (repeated["counts"]["reused"], repeated["cost_usd"]) == (50, 0)
    assert [row["sha256"] for row in repeated["videos"]] == [row["sha256"] for row in document["videos"]]
    assert (api.posts, api.bill()["downloads"]) == (50, 50)


def test_killed_interrupted_and_finished(
    start_api: Make, ready_shell: Any, small_file: Make, s3_keys: Make
) -> None:
    """SIGKILL in mid-batch, then Ctrl-C, then to the end: each video is bought once."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    ready_shell.environment["TOGETHER_BASE_URL"] = api.url
    words = ("batch", str(small_file("a fox", "an owl", "a cat")), "--poll-interval", "0.2")
    with ready_shell.start(*words) as process:
        try:
            wait_for(lambda: len([key for key in s3_keys() if key.endswith("job.json")]) == 3, process)
        finally:
            process.kill()
    assert api.posts == 3
    asked = api.bill()["retrieves"] + 6
    with ready_shell.start(*words, "-v") as process:
        try:
            wait_for(lambda: api.bill()["retrieves"] > asked, process)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.count("resumed") == 3
    assert "Interrupted. 3 jobs keep running at the provider and will be billed" in " ".join(err.split())
    assert out == ""
    now[0] += 61
    done = ready_shell.run(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert assert_is_the_document(done.stdout)["counts"]["archived"] == 3
    assert (api.posts, api.bill()["duplicates"]) == (3, 0)
    assert [key for key in s3_keys() if key.startswith("inflight/")] == []


@pytest.mark.slow
@pytest.mark.parametrize("tried", [False, True])
def test_interrupted_before_anything_was_bought(
    ready_shell: Any, small_file: Make, s3_keys: Make, api: Any, tried: bool
) -> None:
    """While the API cannot be reached, SIGTERM ends the wait: a create that never left counts for nothing."""
    words = ("batch", str(small_file("a fox")), "-v" if tried else "--json")
    with ready_shell.start(*words, TOGETHER_BASE_URL="http://127.0.0.1:9") as process:
        try:
            if tried:
                assert "Trying again in" in next(line for line in process.stderr if "Trying" in line)
            else:
                wait_for(lambda: "store.json" in s3_keys(), process)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == ""
    assert "Interrupted. No job is running at the provider" in " ".join(err.split())
    assert "Traceback" not in err
    assert api.posts == 0
    assert [key for key in s3_keys() if "inflight/" in key] == []


@pytest.mark.slow
def test_sigterm_where_a_script_ignores_sigint(ready_shell: Any, small_file: Make, s3_keys: Make) -> None:
    """Background jobs of a shell script have SIGINT ignored; SIGTERM ends them as Ctrl-C would."""
    program = str(Path(sys.executable).with_name("together-video"))
    words = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", program, "batch", str(small_file("a fox")), "--json"]
    with subprocess.Popen(
        words,
        env={**ready_shell.environment, "TOGETHER_BASE_URL": "http://127.0.0.1:9"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for(lambda: "store.json" in s3_keys(), process)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Interrupted. No job is running at the provider" in " ".join(err.split())
    assert "Traceback" not in err


@pytest.mark.slow
def test_interrupted_while_it_creates(
    ready_shell: Any, small_file: Make, api: Any, new_unruly: Make, s3_keys: Make
) -> None:
    """The POST that is under way ends and is stored; the last line counts it, and the next run resumes it."""
    arrived, let_go = threading.Event(), threading.Event()

    def hold(method: str, *_: object) -> None:
        if method == "POST":
            arrived.set()
            let_go.wait(60)

    server = new_unruly(api.url)
    server.strike = hold
    words = ("batch", str(small_file("a fox")), "--json", "--poll-interval", "0.2")
    with ready_shell.start(*words, TOGETHER_BASE_URL=server.url) as process:
        try:
            wait_for(arrived.is_set, process)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            let_go.set()
            out, err = process.communicate(timeout=60)
        finally:
            let_go.set()
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Interrupted. 1 create was running and may be billed" in " ".join(err.split())
    assert [key.rpartition("/")[2] for key in s3_keys() if "inflight/" in key] == ["claim.json", "job.json"]
    done = ready_shell.run(*words)
    assert assert_is_the_document(done.stdout)["counts"]["archived"] == 1
    assert api.posts == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_a_run_that_is_not_all_good(command: Make, surroundings: Any, api: Any, as_json: bool) -> None:
    """Exit code 1, and the document or the table is complete all the same."""
    api.faults({"on": "create", "kind": "job_failed", "message": "too dark [red]"})
    words = ["generate", "a [bold]fox[/]", "--width", "64", "--height", "48", "--seconds", "1"]
    done = command(*words, "--poll-interval", "0.2", *(["--json"] if as_json else []), **surroundings)
    assert done.code == 1
    assert "Traceback" not in done.err
    if as_json:
        row = assert_is_the_document(done.out)["videos"][0]
        assert (row["state"], row["prompt"]) == ("failed", "a [bold]fox[/]")
        assert "too dark" in row["error"]
    else:
        assert "a [bold]fox[/]" in done.out
        assert "too dark [red]" in done.err
        assert "1 video: 1 failed" in done.out


def test_a_table_for_people(command: Make, surroundings: Any, small_file: Make) -> None:
    """Progress on stderr, each change of it with -v; the table with every place and the page on stdout."""
    words = ("batch", str(small_file("a fox", "an owl")), "--poll-interval", "0.2")
    done = command(*words, "-v", **surroundings)
    assert done.code == 0
    bucket = surroundings["VIDEO_ARCHIVE_BUCKET"]
    assert done.out.count(f"s3://{bucket}/videos/") == 2
    assert f"Gallery: s3://{bucket}/batches/" in done.out
    assert "2 videos: 2 archived, 0.56 USD" in done.out.replace(";", ",")
    for stage in ("created", "finished", "archived"):
        assert done.err.count(f" {stage} ") == 2, done.err
    assert "2/2" in done.err
    again = command(*words, **surroundings)
    assert "2 videos: 2 reused" in again.out
    assert " reused  " not in again.err
    assert re.search(r"^\d:\d\d  2 of 2 videos: 2 reused; 0.00 USD paid$", again.err, re.M), again.err


def test_why_it_waits_is_told(command: Make, surroundings: Any, api: Any) -> None:
    """The check's warnings are shown once, and with -v the error behind a retry, with the video's title; with --json
    the terminal is quiet.
    """
    rule = {"on": "create", "kind": "status", "status": 503, "message": "busy [b]", "times": 1}
    words = ["generate", "a fox", "--width", "64", "--height", "48", "--seconds", "1"]
    words += ["--poll-interval", "0.2"]
    api.faults(rule)
    done = command(*words, "-v", **surroundings)
    assert done.code == 0
    pattern = (
        r"a fox: POST \S+ was answered with HTTP 503 \(x-request-id \S+\): busy \[b\]\. Trying again in "
    )
    assert len(re.findall(pattern, done.err)) == 1, done.err
    assert done.err.count("makes 5 s, not 1;") == 1
    api.faults(rule)
    done = command(*words, "--take", "2", "--json", **surroundings)
    assert (done.code, done.err) == (0, "")


def test_a_deadline_is_told_and_resumed(command: Make, surroundings: Any, start_api: Make) -> None:
    """--deadline ends the wait with exit code 1; the same command later brings the video home."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    words = ["generate", "a fox", "--width", "64", "--height", "48", "--seconds", "1", "--json"]
    words += ["--poll-interval", "0.1", "--deadline", "0.5"]
    environment = {**surroundings, "TOGETHER_BASE_URL": api.url}
    first = command(*words, **environment)
    assert first.code == 1
    row = assert_is_the_document(first.out)["videos"][0]
    assert (row["state"], bool(row["job_id"])) == ("submitted", True)
    now[0] += 61
    second = command(*words, **environment)
    assert (second.code, api.posts) == (0, 1)
    assert assert_is_the_document(second.out)["videos"][0]["job_id"] == row["job_id"]


def test_a_brief_from_the_command_line(command: Make, surroundings: Any, api: Any) -> None:
    """--brief writes prompts with the chat model; options hold for each of them."""
    words = ["batch", "--brief", "a lighthouse", "--count", "2", "--width", "64", "--height", "48"]
    done = command(*words, "--seconds", "1", "--poll-interval", "0.2", "--json", **surroundings)
    assert done.code == 0
    rows = assert_is_the_document(done.out)["videos"]
    assert [(row["width"], row["height"]) for row in rows] == [(64, 48)] * 2
    assert len({row["prompt"] for row in rows}) == 2
    assert api.bill()["chats"] == 1


def test_with_a_prefect_server(ready_shell: Any, prefect_api: str, small_file: Make) -> None:
    """The run is in the server, and the terminal is as quiet as without one."""
    from prefect import get_client

    done = ready_shell.run(
        "batch",
        str(small_file("a fox of the server")),
        "--json",
        "--poll-interval",
        "0.2",
        PREFECT_API_URL=prefect_api,
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
    )
    assert (done.returncode, done.stderr) == (0, "")
    video = assert_is_the_document(done.stdout)["videos"][0]
    assert video["state"] == "archived"

    async def names() -> set[str]:
        async with get_client() as client:
            return {found.name for found in await client.read_task_runs(limit=200)}

    assert "create: a fox of the server" in asyncio.run(names())


@pytest.mark.parametrize(
    ("ending", "recorded"),
    [
        (signal.SIGINT, False),
        pytest.param(signal.SIGTERM, True, marks=[pytest.mark.slow, pytest.mark.xdist_group("prefect")]),
    ],
)
def test_interrupted_while_others_wait(
    request: Any,
    ready_shell: Any,
    small_file: Make,
    start_api: Make,
    s3_keys: Make,
    ending: int,
    recorded: bool,
) -> None:
    """A video that waits for its job ends at once; the create beside it is waited for, and its job id stored."""
    api = start_api(generation_seconds=600)
    api.faults({"on": "create", "kind": "slow", "seconds": 3, "match": "owl"})
    place = {"TOGETHER_BASE_URL": api.url, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if recorded:
        place["PREFECT_API_URL"] = request.getfixturevalue("prefect_api")
    words = ("batch", str(small_file("a fox", "an owl", "a bear")), "--poll-interval", "0.2")
    with ready_shell.start(*words, **place) as process:
        try:
            wait_for(lambda: len(api.bill()["jobs"]) == 3 and api.bill()["retrieves"] > 1, process)
            process.send_signal(ending)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert len([key for key in s3_keys() if key.endswith("job.json")]) == 3, err
    assert "Interrupted. " in err


@pytest.mark.slow
def test_sigterm_while_prefect_records(
    start_api: Make, ready_shell: Any, prefect_api: str, small_file: Make
) -> None:
    """It ends as without a server: what was noted and what keeps running is reported, and the next run pays nothing."""
    now = [1_800_000_000.0]
    api = start_api(generation_seconds=60, clock=lambda: now[0])
    server = {"PREFECT_API_URL": prefect_api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    words = ("batch", str(small_file("a fox", "an owl")), "--poll-interval", "0.2")
    with ready_shell.start(*words, **server, TOGETHER_BASE_URL=api.url) as process:
        try:
            wait_for(lambda: api.bill()["retrieves"] > 4, process)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "the nearest is" in err
    assert "Interrupted. 2 jobs keep running at the provider and will be billed" in " ".join(err.split())
    now[0] += 61
    done = ready_shell.run(*words, "--json", TOGETHER_BASE_URL=api.url)
    assert (assert_is_the_document(done.stdout)["counts"]["archived"], api.posts) == (2, 2)


def test_a_price_that_nobody_knows_can_be_given(
    command: Make, surroundings: Any, tmp_path: Any, api: Any
) -> None:
    """Under a monthly limit nothing is bought without one; `--price-usd` is it, for one video as for many."""
    catalogue = tmp_path / "models.json"
    catalogue.write_text(json.dumps([{"name": "acme/dream-1"}]))
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a paper boat\n")
    place = {
        **surroundings,
        "TOGETHER_VIDEO_CATALOGUE": str(catalogue),
        "VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "1",
    }
    words = ("--model", "acme/dream-1", "--width", "64", "--height", "48", "--seconds", "1", "--json")
    words += ("--poll-interval", "0.2")
    for given in (("generate", "a fox"), ("batch", str(prompts))):
        refused = command(*given, *words, **place)
        assert refused.code == 1, refused.err
        assert "give --price-usd" in json.loads(refused.out)["videos"][0]["error"]
        done = command(*given, *words, "--price-usd", "0.4", **place)
        assert done.code == 0, done.err
    unused = command(
        "generate", "a fox", "--seconds", "1", "--budget-usd", "0.01", "--price-usd", "0.009", **place
    )
    assert "The price of 0.009 USD is not used: the catalogue knows all prices." in unused.err
    assert "the budget of 0.01 USD cannot cover another" in unused.out
    dear = command("generate", "an owl", *words, "--price-usd", "1.1", **place)
    assert "cannot cover another 1.10 USD" in json.loads(dear.out)["videos"][0]["error"]
    wrong = command("generate", "an owl", *words, "--price-usd", "0", **place)
    assert (wrong.code, api.posts) == (2, 2)


@pytest.mark.slow
def test_more_requests_than_a_prefect_server_takes(
    ready_shell: Any, prefect_api: str, tmp_path: Any, api: Any
) -> None:
    """The run names their file, and its server takes it; from standard input they are refused in a sentence."""
    file = tmp_path / "many.txt"
    file.write_text("".join(f"kite {n} {'of silk ' * 240}\n" for n in range(300)))
    words = ("--model", "pixverse/pixverse-v5", "--budget-usd", "0.001", "--json")
    server = {"PREFECT_API_URL": prefect_api, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    done = ready_shell.run("batch", str(file), *words, **server)
    assert (done.returncode, done.stderr) == (1, "")
    assert assert_is_the_document(done.stdout)["counts"]["skipped"] == 300
    refused = subprocess.run(
        [Path(sys.executable).with_name("together-video"), "batch", "-", *words],
        env={**ready_shell.environment, **server},
        input=file.read_text(),
        capture_output=True,
        text=True,
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "300 requests are too large for one run on a Prefect server: save them to a file" in " ".join(
        refused.stderr.split()
    )
    assert api.posts == 0
