"""The installed commands with a Prefect server that is not as it was expected to be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLOUD = "https://api.prefect.cloud/api/accounts/a-1/workspaces/w-2"
#: Enough for a command to get as far as its Prefect server; no S3 server and no API are there.
PLACE = {
    "TOGETHER_API_KEY": "key",
    "TOGETHER_BASE_URL": "http://127.0.0.1:9",
    "VIDEO_ARCHIVE_BUCKET": "videos",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def assert_is_one_sentence(done: Any, words: str) -> None:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert words in line
    assert line.endswith("; nothing was created.")
    assert "Traceback" not in line


@pytest.mark.slow
@pytest.mark.parametrize("words", [("generate", "a fox"), ("serve",)], ids=["generate", "serve"])
def test_a_page_instead_of_the_api(shell: Any, stub: Any, words: tuple[str, ...]) -> None:
    """A command that runs a flow, and one that serves, print the address that works."""
    done = shell.run(*words, **PLACE, PREFECT_API_URL=stub.url)
    assert_is_one_sentence(done, f"set it to {stub.url}/api")


@pytest.mark.parametrize(
    ("command", "url", "words"),
    [
        ("audit", "https://app.prefect.cloud/account/a-1/workspace/w-2/runs", f"set it to {CLOUD}"),
        ("collect", "http://[::1/api", "is not the address of a Prefect API"),
    ],
)
def test_an_address_that_prefect_stumbles_over(shell: Any, command: str, url: str, words: str) -> None:
    """Prefect's own warning of four lines, or its traceback, is not what a user gets to read."""
    assert_is_one_sentence(shell.run(command, **PLACE, PREFECT_API_URL=url), words)


def test_blocks_are_not_saved_without_credentials(shell: Any, stub: Any) -> None:
    """The deployments' own programs ask in the same way."""
    stub.strike = lambda *_: (401, "{}", {"content-type": "application/json"})
    done = subprocess.run(
        [sys.executable, "-m", "prefect_together_video.flows", "save-blocks"],
        env={**shell.environment, **PLACE, "PREFECT_API_URL": f"{stub.url}/api"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert_is_one_sentence(done, "asks for credentials (HTTP 401): set PREFECT_API_AUTH_STRING")


@pytest.mark.slow
def test_a_server_behind_tls_and_a_header(
    prefect_server: Any,
    shell: Any,
    new_unruly: Callable[[str], Any],
    certificate: Callable[..., Path],
    over_tls: Callable[..., Any],
) -> None:
    """A command gets past its question to a real server with a private certificate and a header that it wants."""
    file = certificate()
    front = over_tls(new_unruly(prefect_server.url), file)
    front.strike = lambda method, path, headers: None if headers.get("x-pass") == "in" else 403
    settings = {
        **prefect_server.environment(),
        "PREFECT_API_URL": f"{front.url}/api",
        "PREFECT_API_SSL_CERT_FILE": str(file),
        "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Pass": "in"}',
    }
    done = shell.run("gallery", "--archive", "nowhere", **PLACE, **settings)
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["There is no block 'nowhere' for --archive on this Prefect server."],
    )


def test_a_server_that_goes_away_before_the_run(
    stub: Any, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers the question and then no more: Prefect's own error about that is one sentence too."""
    strike = stub.strike
    stub.strike = lambda *call: strike(*call) if len(stub.calls) == 1 else (500, "")
    done = shell.run("collect", **PLACE, PREFECT_API_URL=f"{stub.url}/api", PREFECT_CLIENT_MAX_RETRIES="0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "went away during the run" in done.stderr
    assert "Traceback" not in done.stderr
