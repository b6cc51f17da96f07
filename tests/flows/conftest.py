"""The command line in this process, and the surroundings that it needs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class Finished:
    """What a command in this process left: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Finished]]:
    """Runs the command line in this process, which has loaded Prefect already."""
    from prefect_together_video.flows.__main__ import main

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
def home_shell(shell, api):
    """A key, the API's address and a folder: nothing else is needed."""
    shell.environment |= {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": "~/Videos/together",
    }
    return shell
