"""What the command line says and does about creates that had no clear answer."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

SMALL = ("--model", "pixverse/pixverse-v5", "--width", "64", "--height", "48", "--seconds", "1", "--fps", "8")


@pytest.fixture
def folder_shell(shell: Any, api: Any, tmp_path: Path) -> Any:
    """A command with a folder as archive, and the sandbox."""
    shell.environment |= {
        "TOGETHER_API_KEY": "key",
        "TOGETHER_BASE_URL": api.url,
        "VIDEO_ARCHIVE_FOLDER": str(tmp_path / "archive"),
        "TOGETHER_VIDEO_SPOOL": str(tmp_path / "spool"),
    }
    return shell


def test_show_of_an_archived_video(folder_shell: Any, api: Any) -> None:
    """Its times, cost and ids, and a paragraph for support; the beginning of an id is enough."""
    done = folder_shell.run("generate", "a fox", *SMALL, "--label", "campaign=spring", "--json")
    (row,) = json.loads(done.stdout)["videos"]
    shown = folder_shell.run("show", row["id"][:8])
    assert shown.returncode == 0, shown.stderr
    for words in (row["id"], row["job_id"], "0.28 USD", "label campaign", row["key"], "x-request-id"):
        assert words in shown.stdout
    assert re.search(
        r"For the provider's support:\nThis is about video job \S+, model pixverse", shown.stdout
    )
    said = json.loads(folder_shell.run("show", row["id"], "--json").stdout)
    assert (said["state"], said["cost_usd"], said["record"]["job_id"]) == ("archived", 0.28, row["job_id"])
    assert "a fox" not in said["support"]


def test_show_of_a_doubt(folder_shell: Any, api: Any) -> None:
    """It says why, and what it may have cost; support is asked whether there was a job."""
    api.faults({"on": "create", "kind": "status", "status": 500, "times": 1, "created": True})
    (row,) = json.loads(folder_shell.run("generate", "a fox", *SMALL, "--json").stdout)["videos"]
    shown = folder_shell.run("show", row["id"])
    assert "why ambiguous" in shown.stdout
    assert "Was a job made, and was it charged?" in shown.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("abc", "There is no video 'abc'"),
        ("../../etc/passwd", "There is no video '../../etc/passwd'"),
        ("abcdef", "There is no video 'abcdef'"),
        ("f" * 24, "There is no video 'ffff"),
        ("\x1b[31m", "There is no video"),
    ],
)
def test_show_of_nothing(command: Any, tmp_path: Path, given: str, words: str) -> None:
    """One sentence."""
    shown = command("show", given, "--archive-folder", str(tmp_path))
    assert shown.code == 2
    assert words in shown.err
    assert "\x1b" not in shown.err


def test_killed_while_twenty_were_claimed_and_none_was_sent(
    folder_shell: Any, api: Any, tmp_path: Path
) -> None:
    """The API takes connections and never answers the TLS handshake. Killed there, nothing is held: the next run makes
    all twenty at once.
    """
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("".join(f"a fox in the snow, number {number}\n" for number in range(20)))
    words = ("batch", str(prompts), *SMALL, "--json")
    with socket.create_server(("127.0.0.1", 0), backlog=128) as deaf:
        process = folder_shell.start(
            *words,
            TOGETHER_BASE_URL=f"https://127.0.0.1:{deaf.getsockname()[1]}",
            TOGETHER_VIDEO_CONNECT_SECONDS="20",
        )
        archive = Path(folder_shell.environment["VIDEO_ARCHIVE_FOLDER"])
        until = time.monotonic() + 90
        while len(list(archive.glob("inflight/*/claim.json"))) < 20 and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert len(list(archive.glob("inflight/*/claim.json"))) == 20
    done = folder_shell.run(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["archived"] == 20
    assert api.posts == 20


def test_collect_releases_what_was_never_sent(folder_shell: Any, api: Any, tmp_path: Path) -> None:
    """It creates nothing, and leaves nothing in flight for which nothing was sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as deaf:
        process = folder_shell.start(
            "generate",
            "a fox",
            *SMALL,
            TOGETHER_BASE_URL=f"https://127.0.0.1:{deaf.getsockname()[1]}",
            TOGETHER_VIDEO_CONNECT_SECONDS="20",
        )
        archive = Path(folder_shell.environment["VIDEO_ARCHIVE_FOLDER"])
        until = time.monotonic() + 90
        while not list(archive.glob("inflight/*/claim.json")) and time.monotonic() < until:
            time.sleep(0.1)
        process.kill()
        process.communicate()
    done = folder_shell.run("collect", "--json")
    assert (done.returncode, json.loads(done.stdout)["videos"]) == (0, [])
    assert not list(archive.glob("inflight/*/*.json"))
    assert api.posts == 0


def test_resolve_and_reconcile(folder_shell: Any, start_api: Any) -> None:
    """With a bill of short windows: a doubt that was not charged is bought again, and the month is compared."""
    api = start_api(billing_window_seconds=1, billing_delay_seconds=0)
    brief = {
        "TOGETHER_BASE_URL": api.url,
        "TOGETHER_VIDEO_CLAIM_MARGIN_SECONDS": "2",
        "TOGETHER_VIDEO_CONNECT_SECONDS": "1",
        "TOGETHER_VIDEO_CREATE_SECONDS": "2",
        "TOGETHER_VIDEO_BILLED_WITHIN_SECONDS": "1",
        "TOGETHER_VIDEO_BILL_SETTLES_SECONDS": "1",
    }
    # The length of a window is seen in the bill.
    assert folder_shell.run("generate", "an owl", *SMALL, **brief).returncode == 0
    api.faults({"on": "create", "kind": "status", "status": 500, "times": 1})
    words = ("generate", "a fox", *SMALL, "--on-ambiguous", "resolve", "--json")
    first = folder_shell.run(*words, **brief)
    assert json.loads(first.stdout)["counts"]["ambiguous"] == 1
    until = time.monotonic() + 60
    counts: dict[str, int] = {}
    while not counts.get("archived") and time.monotonic() < until:
        again = folder_shell.run(*words, **brief)
        counts = json.loads(again.stdout)["counts"]
    assert counts["archived"] == 1, again.stdout
    assert len(api.bill()["jobs"]) == 2
    time.sleep(2)
    month = time.strftime("%Y-%m", time.gmtime())
    compared = folder_shell.run("collect", "--reconcile", month, **brief)
    assert compared.returncode == 0, compared.stderr
    assert f"{month}: the bill and the archive agree on 0.56 USD." in compared.stdout
    said = json.loads(folder_shell.run("collect", "--reconcile", month, "--json", **brief).stdout)
    assert (said["agrees"], said["models"][0]["videos"]) == (True, 2)


@pytest.mark.parametrize("month", ["2026-13", "november", "2026-1"])
def test_a_month_that_is_none(folder_shell: Any, month: str) -> None:
    """Bad input."""
    done = folder_shell.run("collect", "--reconcile", month)
    assert (done.returncode, "takes a month such as 2026-11" in done.stderr) == (2, True)
