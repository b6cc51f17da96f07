"""A sandbox with short jobs, the command line in this process, and small requests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from blocks import TogetherCredentials
from flows.services import S3Server
from together_video.client import Timeouts
from together_video.polling import PollPolicy
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.server import running_sandbox

#: Tiny and short, so that rendering takes a few hundredths of a second. The check warns about it.
SMALL: dict[str, Any] = {
    "model": "pixverse/pixverse-v5",
    "width": 64,
    "height": 48,
    "seconds": "1",
    "fps": 8,
}
#: The installed command.
PROGRAM = str(Path(sys.executable).with_name("together-video"))


class Api:
    """A running sandbox: its address, its bill, its faults."""

    def __init__(self, url: str) -> None:
        self.url = url

    def bill(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/sandbox/bill", trust_env=False).json()

    @property
    def charges(self) -> int:
        return len(self.bill()["jobs"])

    @property
    def posts(self) -> int:
        return self.bill()["posts"]

    def faults(self, *rules: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/sandbox/faults", json=rules, trust_env=False).raise_for_status()

    def credentials(self, key: str = "key", **timeouts: float) -> TogetherCredentials:
        return TogetherCredentials(
            api_key=SecretStr(key), base_url=self.url, timeouts=Timeouts.model_validate(timeouts)
        )


@pytest.fixture
def start_api() -> Iterator[Callable[..., Api]]:
    """Starts sandboxes that end with the test."""
    with ExitStack() as stack:

        def start(*, clock: Callable[[], float] = time.time, **settings: Any) -> Api:
            config = SandboxConfig(**{"generation_seconds": 0.1, "render_workers": 2, **settings})
            return Api(stack.enter_context(running_sandbox(config, clock=clock)))

        yield start


@pytest.fixture
def api(start_api: Callable[..., Api]) -> Api:
    """A sandbox whose jobs take a tenth of a second."""
    return start_api()


@pytest.fixture
def poll() -> PollPolicy:
    return PollPolicy.fixed(0.1, deadline=20)


@pytest.fixture
def small() -> Callable[..., VideoRequest]:
    def make(prompt: str, **fields: Any) -> VideoRequest:
        return VideoRequest.model_validate({**SMALL, "prompt": prompt, **fields})

    return make


@pytest.fixture
def small_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes prompts as a JSONL file of small requests."""

    def write(*prompts: str) -> Path:
        path = tmp_path / "prompts.jsonl"
        path.write_text("".join(json.dumps({**SMALL, "prompt": text}) + "\n" for text in prompts))
        return path

    return write


class Shell:
    """The installed command in an environment that holds nothing but what is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "COLUMNS": "100"}

    def start(self, *words: str, **more: str | None) -> subprocess.Popen[str]:
        """Begin a command; a variable that is None is left out."""
        given = {**self.environment, **more}
        return subprocess.Popen(
            [PROGRAM, *words],
            env={name: value for name, value in given.items() if value is not None},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **more: str | None) -> subprocess.CompletedProcess[str]:
        with self.start(*words, **more) as process:
            try:
                out, err = process.communicate(timeout=120)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def ready_shell(shell: Shell, api: Api, seaweed: S3Server, new_archive: Callable[..., Any]) -> Shell:
    """As `shell`, with a key, an empty bucket and the API's address."""
    bucket = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key)).bucket
    shell.environment |= {
        **seaweed.environment(),
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_BUCKET": bucket,
    }
    return shell


class Finished:
    """What a command in this process left: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Finished]]:
    """Runs the command line in this process, which has loaded Prefect already."""
    from flows.__main__ import main

    # The command sets these for its own process; here they must not stay.
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    monkeypatch.setenv("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "spool"))
    before = signal.getsignal(signal.SIGTERM)

    def run(*words: str, **environment: str | None) -> Finished:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            capsys.readouterr()
            code = main(list(words))
        return Finished(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def surroundings(api: Api, moto_url: str, new_archive: Callable[..., Any]) -> dict[str, str | None]:
    """Environment of a command that can do its work: the sandbox, and an empty bucket of moto's."""
    return {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_BUCKET": new_archive(moto_url).bucket,
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
