"""What the archive asks of S3, as it is seen on the wire; and a place where deployments run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]


class S3Call(NamedTuple):
    """One request: what IAM and the price list call it, and the keys or the prefix that it is about."""

    operation: str
    action: str
    keys: tuple[str, ...]
    #: Whether it may only write what is not there.
    is_once: bool = False


def s3_call(method: str, path: str, bucket: str, body: bytes) -> S3Call:
    """What a request to `/<bucket>/<key>?<query>` is (Amazon S3 API reference; service authorization reference)."""
    parts = urlsplit(path)
    assert unquote(parts.path).startswith(f"/{bucket}"), path
    key, query = unquote(parts.path).removeprefix(f"/{bucket}").removeprefix("/"), parse_qs(parts.query)
    if not key and (method, parts.query) == ("POST", "delete"):
        return S3Call("POST", "s3:DeleteObject", tuple(re.findall(r"<Key>([^<]+)</Key>", body.decode())))
    if not key:
        assert method == "GET", (method, path)
        assert query["list-type"] == ["2"], path
        return S3Call("LIST", "s3:ListBucket", (query.get("prefix", [""])[0],))
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}[method]
    # A sub-resource such as ?tagging would be another action; a signed link has no other query.
    assert all(name.lower().startswith("x-amz-") or name == "x-id" for name in query), path
    return S3Call(method, f"s3:{action}", (key,))


class Watched:
    """An S3 server seen through another one that notes each request."""

    def __init__(self, server: Any) -> None:
        self.url = server.url
        self._server = server
        self._seen = 0

    def calls(self, bucket: str) -> list[S3Call]:
        """What was asked since the last time that this was called."""
        server = self._server
        found = list(zip(server.calls, server.bodies, server.headers, strict=True))[self._seen :]
        self._seen += len(found)
        return [
            s3_call(*call, bucket, body)._replace(is_once=headers.get("if-none-match") == "*")
            for call, body, headers in found
        ]


@pytest.fixture
def watch(new_unruly: Callable[[str], Any]) -> Callable[[str], Watched]:
    """Stands before a server, given by its address."""
    return lambda url: Watched(new_unruly(url))


class Place:
    """A Prefect server, a sandbox, and a bucket on a real S3 server; `environment` names them all."""

    def __init__(self, server: str, archive: Any, environment: dict[str, str]) -> None:
        self.server, self.archive, self.environment = server, archive, environment

    def run(self, *words: str) -> str:
        """A command that must succeed, in four minutes."""
        done = subprocess.run(
            words, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self, flow: str) -> list[dict[str, Any]]:
        wanted = {"flows": {"name": {"any_": [flow]}}}
        found: list[dict[str, Any]] = httpx.post(
            f"{self.server}/flow_runs/filter", json=wanted, trust_env=False, timeout=30
        ).json()
        return found

    def ends(
        self, flow: str, process: subprocess.Popen[bytes], log: Path, *, count: int = 1
    ) -> list[dict[str, Any]]:
        """At least `count` runs of a flow that have ended, the first one last; fails where the process ends before."""
        deadline = time.monotonic() + 180
        while True:
            ended = [r for r in self.runs(flow) if r["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}]
            if len(ended) >= count:
                return ended
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, (self.runs(flow), log.read_text(errors="replace"))
            time.sleep(0.5)


@pytest.fixture
def place(
    prefect_api: str,
    seaweed: Any,
    new_archive: Callable[..., Any],
    start_api: Callable[..., Any],
    tmp_path: Path,
) -> Iterator[Place]:
    archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key), prefix="unattended")
    environment = {
        **os.environ,
        **seaweed.environment(),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "TOGETHER_API_KEY": "sandbox-key",
        "TOGETHER_BASE_URL": start_api().url,
        "VIDEO_ARCHIVE_BUCKET": archive.bucket,
        "VIDEO_ARCHIVE_PREFIX": archive.prefix,
        "VIDEO_ARCHIVE_MONTHLY_LIMIT_USD": "100",
        "TOGETHER_VIDEO_SPOOL": str(tmp_path / "spool"),
    }
    _forget(prefect_api)
    yield Place(prefect_api, archive, environment)
    # Schedules would go on making runs for the other tests' server.
    _forget(prefect_api)


def _forget(server: str) -> None:
    """Take from the session's server what tests have left: deployments, runs, and blocks with other addresses."""
    # The server drops kept connections when it likes: each call has its own.
    keep_none = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=server, trust_env=False, timeout=30, limits=keep_none) as client:
        for kind in ("deployments", "flow_runs", "block_documents"):
            for _ in range(20):
                with suppress(httpx.TransportError):
                    found = client.post(f"{kind}/filter", json={"limit": 100}).json()
                    for one in found:
                        client.delete(f"{kind}/{one['id']}")
                    if not found:
                        break


@pytest.fixture
def start(place: Place, tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], Path]]]:
    """Starts a program that runs until the test ends, without the named variables."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, without: tuple[str, ...] = ()) -> tuple[subprocess.Popen[bytes], Path]:
        environment = {
            name: value for name, value in place.environment.items() if not name.startswith(without or "\0")
        }
        log = tmp_path / f"{Path(words[0]).name}.log"
        with log.open("wb") as out:
            running.append(
                subprocess.Popen(
                    words, env=environment, cwd=tmp_path, stdout=out, stderr=out, start_new_session=True
                )
            )
        return running[-1], log

    yield begin
    for process in running:
        if process.poll() is not None:
            continue
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    # Runs that are served are sessions of their own.
    mark = f"TOGETHER_VIDEO_SPOOL={place.environment['TOGETHER_VIDEO_SPOOL']}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
