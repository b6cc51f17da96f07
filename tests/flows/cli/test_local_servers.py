"""Local servers as child processes: they start, stop, keep their data, and outlive nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import httpx
import pytest

from prefect_together_video.flows.cli.servers.local_servers import (
    S3Server,
    SandboxServer,
    Service,
    free_ports,
)
from together_video.errors import ConfigurationError


def ended(pid: int) -> bool:
    """Whether the process is over; one that nobody has waited for yet is over as well."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def within(seconds: float, what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Service]:
    """A service that is a line of Python."""

    def start(code: str, *, ready: bool = False) -> Service:
        return Service(
            "clock",
            [sys.executable, "-c", code],
            url="http://127.0.0.1:9",
            is_ready=lambda: ready,
            log=tmp_path / "logs" / "clock.log",
        )

    return start


def test_a_service_stops_with_its_block(python: Callable[..., Service]) -> None:
    """Leaving the block ends the process; stopping it once more does no harm."""
    service = python("import time; time.sleep(60)", ready=True)
    with service:
        assert not ended(service.wait_ready().pid)
    assert ended(service.pid)
    service.stop()


def test_a_service_that_ends_at_once_names_its_log(python: Callable[..., Service]) -> None:
    """The sentence says which service, how it ended and where its own words are."""
    with (
        python("print('no such port'); raise SystemExit(3)") as service,
        pytest.raises(ConfigurationError, match=r"exit code 3 .*clock\.log and ends with: no such port"),
    ):
        service.wait_ready()
    assert "no such port" in service.log.read_text()


def test_a_service_that_never_answers_is_given_up(python: Callable[..., Service]) -> None:
    """After the given time, and its process is gone."""
    with (
        python("import time; time.sleep(60)") as service,
        pytest.raises(ConfigurationError, match=r"did not answer within 0 s; its log is .*clock\.log"),
    ):
        service.wait_ready(0.2)
    assert ended(service.pid)


def test_the_s3_server_keeps_its_data_and_keys(tmp_path: Path) -> None:
    """Stopped and started again on the same folder it serves the same objects to the same keys."""
    pairs = []
    for start in (1, 2):
        with S3Server(tmp_path / "s3") as server:
            server.wait_ready()
            pairs.append((server.access_key, server.secret_key))
            client = boto3.client(
                "s3",
                endpoint_url=server.url,
                aws_access_key_id=server.access_key,
                aws_secret_access_key=server.secret_key,
                region_name="us-east-1",
            )
            if start == 1:
                client.create_bucket(Bucket="kept")
                client.put_object(Bucket="kept", Key="a", Body=b"fox")
            body = client.get_object(Bucket="kept", Key="a")["Body"]
            assert body.read() == b"fox"
            body.close()
            client.close()
        assert ended(server.pid)
    assert pairs[0] == pairs[1]
    assert (tmp_path / "s3" / "s3.json").stat().st_mode & 0o077 == 0


def test_the_sandbox_keeps_its_bill(tmp_path: Path) -> None:
    """What was sold before a crash is still on the bill after it."""
    request = {"model": "pixverse/pixverse-v5", "prompt": "a fox", "width": 360, "height": 360}
    with SandboxServer(tmp_path, {"price": 0.5}) as server:
        server.wait_ready()
        httpx.post(f"{server.url}/v2/videos", json=request, headers={"authorization": "Bearer k"})
        server.kill()
        assert ended(server.pid)
    with SandboxServer(tmp_path) as server:
        server.wait_ready()
        assert httpx.get(f"{server.url}/sandbox/bill").json()["total"] == 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can end a child with its parent")
def test_a_service_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Even SIGKILL, which no parent can react to, leaves no server behind."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from prefect_together_video.flows.cli.servers.local_servers import SandboxServer\n"
        "server = SandboxServer(Path(sys.argv[1])); server.wait_ready()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with parent:
        try:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            assert not ended(child)
        finally:
            os.kill(parent.pid, signal.SIGKILL)
    try:
        assert within(5, lambda: ended(child))
    finally:
        if not ended(child):
            os.kill(child, signal.SIGKILL)


def test_free_ports_are_free_and_different() -> None:
    """Each can be bound, and so can the port 10000 above it, which SeaweedFS takes too."""
    ports = free_ports(8)
    assert len(set(ports)) == 8
    assert max(ports) + 10_000 < 32_768, "Linux gives these to outgoing connections"
    for port in ports:
        for number in (port, port + 10_000):
            with socket.socket() as found:
                found.bind(("127.0.0.1", number))
