"""Beyond one machine, on one machine: `make scale`, or `python -m tests.scale --videos 300`.

A Prefect server on PostgreSQL with its messaging on Redis, three process workers, an S3 server and the
sandbox; then `together-video batch --workers 3`. When a third of the videos is in the archive, one worker is
killed with SIGKILL together with all that it runs. At the end the sandbox's bill is compared with the bucket:
every video archived, none bought twice. PostgreSQL and Redis are Debian's (postgresql, redis-server).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import httpx

from prefect_together_video.flows.cli.servers.local_servers import (
    PrefectServer,
    S3Server,
    SandboxServer,
    Service,
    free_ports,
)

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BUCKET, PREFIX, POOL = "videos", "scale", "together-video"
#: Tiny and short: what is measured is everything around the videos.
REQUEST = {"model": "pixverse/pixverse-v5", "width": 64, "height": 48, "seconds": "1", "fps": 8}
#: Seconds for the whole batch, the death of a worker included.
LONGEST = 900


def main() -> int:
    """0: every video is archived and none was bought twice. 1: not so. 2: something is not installed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=60)
    options = parser.parse_args()
    missing = [name for name in ("postgres", "redis-server") if program(name) is None]
    if missing:
        say(f"Not installed: {', '.join(missing)}. With Debian: apt-get install postgresql redis-server")
        return 2
    with tempfile.TemporaryDirectory(prefix="together-video-scale-") as folder, ExitStack() as stack:
        return run(Path(folder), stack, options.videos, options.workers, options.in_flight)


def run(folder: Path, stack: ExitStack, videos: int, workers: int, in_flight: int) -> int:
    began = time.monotonic()
    # PostgreSQL does not run as root: its user must find the way to its folder.
    folder.chmod(0o755)
    postgres = stack.enter_context(postgresql(folder / "postgresql"))
    redis = stack.enter_context(redis_server(folder / "redis"))
    s3 = stack.enter_context(S3Server(folder / "s3"))
    sandbox = stack.enter_context(
        SandboxServer(
            folder / "sandbox", {"generation_seconds": [5, 15], "render_workers": 2, "model_rules": False}
        )
    )
    postgres.wait_ready()
    redis.wait_ready()
    prefect = stack.enter_context(
        PrefectServer(folder / "prefect", settings=server_settings(postgres, redis))
    )
    environment = {
        **os.environ,
        **s3.environment(),
        **prefect.environment(),
        **sandbox.environment(),
        "VIDEO_ARCHIVE_BUCKET": BUCKET,
        "VIDEO_ARCHIVE_PREFIX": PREFIX,
        "TOGETHER_VIDEO_SPOOL": str(folder / "spool"),
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    s3.wait_ready()
    sandbox.wait_ready()
    keys = {"aws_access_key_id": s3.access_key, "aws_secret_access_key": s3.secret_key}
    bucket = boto3.client("s3", endpoint_url=s3.url, region_name="us-east-1", **keys)
    bucket.create_bucket(Bucket=BUCKET)
    prefect.wait_ready(180)
    say(f"{seconds_since(began)} servers are up: PostgreSQL, Redis, Prefect, S3, sandbox")
    for command in (
        [str(BIN / "prefect"), "work-pool", "create", POOL, "--type", "process"],
        [sys.executable, "-m", "prefect_together_video.flows", "save-blocks"],
        [
            str(BIN / "prefect"),
            "--no-prompt",
            "deploy",
            "--name",
            "part",
            "--prefect-file",
            "deployments/prefect.yaml",
        ],
    ):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            say(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
            return 1
    crew = [stack.enter_context(worker(folder, environment, number)) for number in range(1, workers + 1)]
    say(f"{seconds_since(began)} {workers} workers are started")
    file = folder / "requests.jsonl"
    file.write_text(
        "".join(json.dumps({**REQUEST, "prompt": f"kite number {n}"}) + "\n" for n in range(1, videos + 1))
    )
    words = ["batch", str(file), "--json", "--workers", str(workers), "--in-flight", str(in_flight)]
    blocks = ["--together", "production", "--archive", "production"]
    command = [str(BIN / "together-video"), *words, *blocks]
    log = folder / "batch.log"
    with (folder / "batch.json").open("wb") as out, log.open("wb") as err:
        batch = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=err)
        killed = watch(batch, bucket, crew, videos, began)
    code = batch.wait()
    say(f"{seconds_since(began)} the batch ended with exit code {code}")
    held = {video["prompt"] for video in outcomes(folder) if video["state"] == "ambiguous"}
    paid = held & {job["prompt"] for job in billed(sandbox.url)}
    if held and not paid:
        # The worker died between a claim and its POST. Only a person can know, from the bill, and say so.
        say(
            f"{seconds_since(began)} {len(held)} held, none of them on the bill: bought with --on-ambiguous resubmit"
        )
        with (folder / "batch.json").open("wb") as out, log.open("ab") as err:
            again = [*command, "--on-ambiguous", "resubmit"]
            code = subprocess.run(again, env=environment, cwd=folder, stdout=out, stderr=err).returncode
        say(f"{seconds_since(began)} the second batch ended with exit code {code}")
    elif paid:
        # It died between a POST and its answer: held for good, as nobody can know the job's id.
        say(f"{seconds_since(began)} {len(held)} held, {len(paid)} of them on the bill without a job id")
    good = verdict(folder, bucket, sandbox.url, videos, len(held) if paid else 0) and killed
    if not good or code not in {0, 1 if paid else 0}:
        say(log.read_text(errors="replace")[-3000:])
        return 1
    return 0


def watch(
    batch: subprocess.Popen[bytes], bucket: Any, crew: list[Service], videos: int, began: float
) -> bool:
    """Kill one worker in the middle, and wait for the end. Whether there was anybody to kill."""
    killed = False
    told = 0
    while batch.poll() is None and time.monotonic() - began < LONGEST:
        archived = len(listed(bucket, "records/"))
        if archived >= told + videos // 10 or (archived == videos and told < videos):
            told = archived
            say(f"{seconds_since(began)} {archived} of {videos} archived")
        if not killed and archived >= videos // 3:
            victims = descendants(crew[0].pid)
            for pid in [crew[0].pid, *victims]:
                os.kill(pid, signal.SIGKILL)
            killed = len(victims) > 0
            runs = f"{len(victims)} processes that it ran" if victims else "which ran nothing"
            say(f"{seconds_since(began)} killed worker 1 with SIGKILL, and {runs}")
        time.sleep(1)
    if batch.poll() is None:
        batch.kill()
        say(f"{seconds_since(began)} the batch is not over: given up")
    return killed


def outcomes(folder: Path) -> list[dict[str, Any]]:
    """What the last batch said of each video; nothing if it said nothing."""
    try:
        found: list[dict[str, Any]] = json.loads((folder / "batch.json").read_text())["videos"]
    except (ValueError, KeyError):
        return []
    return found


def billed(sandbox: str) -> list[dict[str, Any]]:
    """The jobs on the bill."""
    bill = httpx.get(f"{sandbox}/sandbox/bill", trust_env=False, timeout=60).json()
    found: list[dict[str, Any]] = bill["jobs"]
    return found


def verdict(folder: Path, bucket: Any, sandbox: str, videos: int, held: int) -> bool:
    """Compare the bill with the bucket; `held` videos have no file, as nobody knows whether they are paid."""
    bought = Counter(job["prompt"] for job in billed(sandbox))
    twice = sum(count - 1 for count in bought.values())
    records = listed(bucket, "records/")
    files = [key for key in listed(bucket, "videos/") if key.endswith(".mp4")]
    at_home = sum(video["state"] in {"archived", "reused"} for video in outcomes(folder))
    rows = {
        "videos asked for": videos,
        "jobs billed": sum(bought.values()),
        "bought twice": twice,
        "held": held,
        "records": len(records),
        "video files": len(files),
        "still in flight": len(listed(bucket, "inflight/")),
        "archived, says the batch": at_home,
    }
    say("")
    for name, number in rows.items():
        say(f"{name:<26}{number!s:>8}")
    # A purchase that was held and bought again has a second record, of what was given up.
    good = twice == 0 and len(files) == at_home == videos - held <= len(records)
    say(
        f"\n{videos} videos: {len(files)} archived, {held} held, {twice} twice. "
        f"{'As promised.' if good else 'NOT as promised.'}"
    )
    return good


def postgresql(folder: Path) -> Service:
    """A new cluster with a database `prefect`, reached without a password on loopback."""
    as_user: list[str] = []
    folder.mkdir()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    binary = Path(str(program("postgres")))
    data = folder / "data"
    subprocess.run(
        [
            *as_user,
            str(binary.with_name("initdb")),
            "-D",
            str(data),
            "-U",
            "prefect",
            "--auth=trust",
            "-E",
            "UTF8",
        ],
        check=True,
        capture_output=True,
        cwd="/",
    )
    (port,) = free_ports(1)

    def is_ready() -> bool:
        words = ["-h", "127.0.0.1", "-p", str(port), "-U", "prefect"]
        made = subprocess.run(
            [str(binary.with_name("createdb")), *words, "prefect"], capture_output=True, cwd="/"
        )
        return made.returncode == 0 or b"already exists" in made.stderr

    return Service(
        "PostgreSQL",
        [*as_user, str(binary), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "", "-N", "200"],
        url=f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect",
        is_ready=is_ready,
        log=folder.with_suffix(".log"),
    )


def redis_server(folder: Path) -> Service:
    folder.mkdir()
    (port,) = free_ports(1)

    def is_ready() -> bool:
        done = subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True)
        return done.stdout.strip() == b"PONG"

    return Service(
        "Redis",
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        url=f"redis://127.0.0.1:{port}",
        is_ready=is_ready,
        log=folder.with_suffix(".log"),
    )


def server_settings(postgres: Service, redis: Service) -> dict[str, str]:
    """As Prefect's own documentation has it for a server of several processes."""
    return {
        "PREFECT_API_DATABASE_CONNECTION_URL": postgres.url,
        "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
        "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
        "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
        "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
        "PREFECT_REDIS_MESSAGING_PORT": redis.url.rpartition(":")[2],
        "PREFECT_REDIS_MESSAGING_DB": "0",
        "PREFECT_SERVER_DOCKET_URL": f"{redis.url}/1",
    }


def worker(folder: Path, environment: dict[str, str], number: int) -> Service:
    name = f"worker-{number}"
    return Service(
        name,
        [str(BIN / "prefect"), "worker", "start", "--pool", POOL, "--name", name, "--limit", "1"],
        url="",
        is_ready=lambda: True,
        log=folder / f"{name}.log",
        environment=environment,
    )


def listed(bucket: Any, place: str) -> list[str]:
    pages = bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/{place}")
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def descendants(pid: int) -> list[int]:
    """All processes below one, by /proc."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def program(name: str) -> str | None:
    """A program on the path, or where Debian keeps PostgreSQL's."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else shutil.which(name)


def seconds_since(began: float) -> str:
    return f"{time.monotonic() - began:6.0f} s "


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
