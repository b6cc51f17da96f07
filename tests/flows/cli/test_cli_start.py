"""How a command begins: without Prefect where no server is configured, and recorded where one is."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: The command line, which says at the first POST whether Prefect is imported.
PROGRAM = """
import logging, sys
from together_video.api.client import TogetherClient

create = TogetherClient.create

async def noted(self, *args, **options):
    print("prefect" in sys.modules, file=sys.stderr)
    logging.getLogger("urllib3").warning("The words of a library are not for the terminal.")
    return await create(self, *args, **options)

TogetherClient.create = noted
from prefect_together_video.flows.__main__ import main
sys.exit(main())
"""
FAST = ("--poll-interval", "0.2", "--json")
SMALL = ("--width", "64", "--height", "48", "--seconds", "1")


def run(shell: Any, *words: str, program: str = PROGRAM, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**shell.environment, **more},
        cwd=shell.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def states(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [row["state"] for row in json.loads(done.stdout)["videos"]]


@pytest.mark.parametrize("place", ["home_shell", "ready_shell"])
@pytest.mark.parametrize("kind", ["generate", "batch"])
def test_no_prefect_without_a_server(request: Any, small_file: Any, place: str, kind: str) -> None:
    """Importing Prefect takes longer than all that is needed for the first POST, in a folder and in a bucket."""
    shell = request.getfixturevalue(place)
    words = (
        ("generate", "a fox", *SMALL) if kind == "generate" else ("batch", str(small_file("a fox", "an owl")))
    )
    done = run(shell, *words, *FAST)
    assert (done.returncode, set(done.stderr.split())) == (0, {"False"})
    assert set(states(done)) == {"archived"}
    again = run(shell, *words, *FAST)
    assert (again.returncode, again.stderr, set(states(again))) == (0, "", {"reused"})


def test_looking_needs_no_prefect_without_a_server(home_shell: Any, tmp_path: Path) -> None:
    """Nor do the commands that collect, verify and compare, which are flows where a server records them."""
    program = (
        "import sys; from prefect_together_video.flows.__main__ import main\n"
        "try: code = main()\nexcept SystemExit as end: code = end.code\n"
        "print(code or 0, 'prefect' in sys.modules)"
    )
    assert run(home_shell, "generate", "a fox", *SMALL, *FAST).returncode == 0
    for words in (
        ("collect",),
        ("audit",),
        ("spend",),
        ("gallery", "--folder", str(tmp_path / "page")),
    ):
        done = run(home_shell, *words, program=program)
        assert done.stdout.splitlines()[-1:] == ["0 False"], (words, done.stdout, done.stderr)


def test_prefect_prints_its_log_lines_if_asked(home_shell: Any) -> None:
    """-v is also about Prefect's own handler of log lines, which has those of libraries, too."""
    done = run(home_shell, "generate", "a fox", *SMALL, "--poll-interval", "0.2", "-v")
    assert done.returncode == 0
    assert "True" in done.stderr.splitlines()
    assert "The words of a library" in done.stderr


def test_an_archive_folder_and_an_output_need_no_prefect(home_shell: Any, tmp_path: Path) -> None:
    """What the options name is as good as what the environment names."""
    del home_shell.environment["VIDEO_ARCHIVE_FOLDER"]
    words = (
        "generate",
        "a fox",
        *SMALL,
        "--archive-folder",
        str(tmp_path / "there"),
        "-o",
        str(tmp_path / "fox.mp4"),
    )
    done = run(home_shell, *words, *FAST)
    assert (done.returncode, done.stderr.split()) == (0, ["False"])
    assert (tmp_path / "fox.mp4").stat().st_size
    assert list((tmp_path / "there" / "records").iterdir())


@pytest.mark.parametrize("place", ["environment", "profile", "both"])
def test_recorded_by_the_server_that_is_configured(
    home_shell: Any, prefect_api: str, small_file: Any, place: str
) -> None:
    """In PREFECT_API_URL, in the active profile, or in both, of which the variable wins."""
    from prefect import get_client

    more = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    if place != "profile":
        more["PREFECT_API_URL"] = prefect_api
    if place != "environment":
        named = prefect_api if place == "profile" else "http://127.0.0.1:9/api"
        (home_shell.home / ".prefect").mkdir()
        profile = f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{named}"\n'
        (home_shell.home / ".prefect" / "profiles.toml").write_text(profile)
    done = run(home_shell, "batch", str(small_file(f"a fox by {place}")), *FAST, **more)
    assert (done.returncode, done.stderr.split(), states(done)) == (0, ["True"], ["archived"])

    async def names() -> set[str]:
        async with get_client() as client:
            return {found.name for found in await client.read_task_runs(limit=200)}

    assert f"create: a fox by {place}" in asyncio.run(names())
