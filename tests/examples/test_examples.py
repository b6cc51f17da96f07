"""Each script of examples/, run as a user runs it: in a process of its own, twice, with a Prefect server."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect_aws import AwsCredentials, S3Bucket
from prefect_slack import SlackWebhook

#: Each run starts a process that loads Prefect.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("prefect_api"),
    # Prefect leaves connections to its own server to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]

FOLDER = Path(__file__).parents[2] / "examples"


class Examples:
    """Runs the scripts, and knows what they bought and archived."""

    def __init__(self, api: Any, environment: dict[str, str]) -> None:
        self.api = api
        self.environment = environment

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(FOLDER / name), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, *arguments: str) -> str:
        """What it prints; it must end well."""
        return finished(self.start(name, *arguments))

    def bought(self) -> list[str]:
        """The prompts on the provider's bill."""
        return sorted(row["prompt"] for row in self.api.bill()["jobs"])


def finished(process: subprocess.Popen[str]) -> str:
    try:
        output, _ = process.communicate(timeout=150)
    except BaseException:
        process.kill()
        raise
    assert process.returncode == 0, output
    return output


@pytest.fixture
def examples(api: Any, surroundings: dict[str, str | None], quick_models: str, tmp_path: Path) -> Examples:
    given = {**os.environ, **surroundings, "TOGETHER_VIDEO_CATALOGUE": quick_models}
    given["TOGETHER_VIDEO_SPOOL"] = str(tmp_path / "spool")
    return Examples(api, {name: value for name, value in given.items() if value is not None})


@pytest.fixture
def stored(surroundings: dict[str, str | None], moto_url: str) -> Callable[..., list[str]]:
    """The keys of the bucket that begin with a text."""

    def keys(prefix: str) -> list[str]:
        client = boto3.client(
            "s3",
            endpoint_url=moto_url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        try:
            found = client.list_objects_v2(Bucket=str(surroundings["VIDEO_ARCHIVE_BUCKET"]), Prefix=prefix)
        finally:
            client.close()
        return [entry["Key"] for entry in found.get("Contents", ())]

    return keys


@pytest.mark.parametrize(
    ("name", "videos"),
    [("sync_flow.py", 1), ("async_flow.py", 3), ("dask_map.py", 4)],
)
def test_each_video_is_bought_once(
    examples: Examples, stored: Callable[..., list[str]], name: str, videos: int
) -> None:
    """The first run archives them and leaves nothing in flight; the second one prints the same and pays nothing."""
    first = examples.run(name)
    assert len(set(examples.bought())) == videos == examples.api.charges
    keys = [key for key in stored("videos/") if key.endswith(".mp4")]
    assert len(keys) == len(stored("records/")) == videos
    assert all(key in first for key in keys)
    assert stored("inflight/") == []

    second = examples.run(name)
    assert all(key in second for key in keys)
    assert examples.api.posts == videos


def test_a_row_that_fails_does_not_stop_the_others(
    examples: Examples, stored: Callable[..., list[str]], tmp_path: Path
) -> None:
    """And the next run buys only what is missing."""
    examples.api.faults({"on": "create", "kind": "status", "status": 400, "match": "storm", "times": 1})
    process = examples.start("map_over_csv.py", str(FOLDER / "prompts.csv"))
    output, _ = process.communicate(timeout=150)
    assert process.returncode == 1, output
    assert "failed: a lighthouse in a storm" in output
    assert examples.api.charges == 2

    output = examples.run("map_over_csv.py", str(FOLDER / "prompts.csv"))
    assert output.count("reused: s3://") == 2
    assert examples.api.charges == 3 == len(set(examples.bought()))
    assert len(stored("records/")) == 3


def test_prompts_and_report_lie_in_the_bucket(
    examples: Examples, stored: Callable[..., list[str]], moto_url: str, s3_client: Any
) -> None:
    """One block of prefect-aws serves the prompts, the archive and the report."""
    bucket = examples.environment["VIDEO_ARCHIVE_BUCKET"]
    credentials = AwsCredentials(
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
        aws_client_parameters={"endpoint_url": moto_url},
    )
    S3Bucket(bucket_name=bucket, credentials=credentials).save("videos", overwrite=True)
    s3_client.put_object(
        Bucket=bucket, Key="briefs/prompts.txt", Body=b"a tram in the rain\n\na quiet canal\n"
    )
    for name in ("VIDEO_ARCHIVE_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del examples.environment[name]

    for _ in range(2):
        examples.run("with_prefect_aws.py")
        assert examples.bought() == ["a quiet canal", "a tram in the rain"]
        report = json.loads(s3_client.get_object(Bucket=bucket, Key="reports/videos.json")["Body"].read())
        keys = [key for key in stored("archive/videos/") if key.endswith(".mp4")]
        assert sorted(row["uri"] for row in report) == [f"s3://{bucket}/{key}" for key in sorted(keys)]


@pytest.fixture
def slack() -> Iterator[tuple[str, list[str]]]:
    """Stands in for Slack: the webhook's URL, and the texts that were posted."""
    texts: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", texts
        server.shutdown()
        thread.join()


def test_slack_gets_a_link_that_works(examples: Examples, slack: tuple[str, list[str]]) -> None:
    """Without credentials; the second run posts the same video again."""
    url, texts = slack
    SlackWebhook(url=url).save("videos", overwrite=True)  # type: ignore[arg-type]
    for runs in (1, 2):
        examples.run("with_prefect_slack.py")
        assert examples.api.charges == 1
        assert len(texts) == runs
        link = texts[-1].removeprefix("<").partition("|")[0]
        clip = httpx.get(link, trust_env=False)
        assert clip.status_code == 200
        assert clip.content[4:8] == b"ftyp"


def paused_run(client: SyncPrefectClient, name: str) -> Any:
    """The flow run of this flow that waits for a person."""
    paused = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED])))
    until = time.monotonic() + 90
    while time.monotonic() < until:
        for run in client.read_flow_runs(flow_run_filter=paused):
            if client.read_flow(run.flow_id).name == name:
                return run
        time.sleep(0.2)
    raise AssertionError(f"no run of {name} has paused")


@pytest.mark.parametrize("approved", [True, False])
def test_a_person_approves_before_anything_is_bought(
    examples: Examples, stored: Callable[..., list[str]], approved: bool
) -> None:
    """The prompts are stored before; without approval nothing else is."""
    process = examples.start("own_approval.py")
    with get_client(sync_client=True) as client:
        run = paused_run(client, "own-approval")
        assert examples.api.posts == 0
        assert len(stored("briefs/")) == 1
        client.resume_flow_run(run.id, run_input={"approved": approved})
    output = finished(process)
    assert ("nothing was bought" in output) is not approved
    assert examples.api.charges == len(stored("records/")) == (2 if approved else 0)
    assert stored("inflight/") == []


def test_every_script_is_run() -> None:
    """A new example needs a test; the folder holds nothing else."""
    source = Path(__file__).read_text(encoding="utf-8")
    names = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
    assert [name for name in names if f'"{name}"' not in source] == []
