"""The demo: every server, the whole pipeline, and nothing left behind; the second one pays nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = str(Path(sys.executable).with_name("together-video"))

pytestmark = pytest.mark.slow


def processes_of(folder: Path) -> list[str]:
    """Command lines of running processes that mention a folder, or work for one that does."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            around = (entry / "environ").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and int(entry.name) != os.getpid() and str(folder) in line + around:
            found.append(line)
    return found


def test_the_demo_twice(shell: Any, tmp_path: Path) -> None:
    """It archives its videos, says where they are, and stops its servers; the second run reuses them."""
    folder = tmp_path / "kept"
    done = shell.run("demo", "--folder", str(folder), "--count", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert [row["state"] for row in document["videos"]] == ["archived", "archived"]
    assert processes_of(folder) == []
    again = shell.run("demo", "--folder", str(folder), "--count", "2")
    assert again.returncode == 0, again.stderr
    assert "2 of them were archived by an earlier demo and cost nothing this time" in again.stderr
    assert "2 videos: 2 reused" in again.stdout
    said = again.stderr + again.stdout
    assert "Traceback" not in said
    assert "Warning" not in said
    assert "make demo KEEP=1" in said
    page = next(line.split()[-1] for line in again.stderr.splitlines() if line.startswith("Gallery:"))
    html = Path(page.removeprefix("file://")).read_text(encoding="utf-8")
    for row in document["videos"]:
        assert row["key"] in html
        assert (folder / "gallery" / row["key"]).stat().st_size > 0
    assert processes_of(folder) == []
    jobs = (folder / "sandbox" / "state" / "jobs.jsonl").read_text().splitlines()
    assert len(jobs) == 2


STORY = """
title: Two shots
defaults: {model: pixverse/pixverse-v5, width: 480, height: 360, fps: 16}
shots: [{prompt: a lighthouse}, {prompt: a ship, continue: true}, the sea]
cut: {music: music.wav, preset: ultrafast}
"""


def test_the_demo_of_a_film(shell: Any, tmp_path: Path) -> None:
    """It makes the film, says what an edit would buy and buys it not, and leaves no process. Another storyboard in its
    place is made instead, and stays."""
    story = tmp_path / "kept" / "film" / "story.yaml"
    story.parent.mkdir(parents=True)
    story.write_text(STORY)
    done = shell.run("demo", "--film", "--folder", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    assert "Again:  the same command buys nothing: 1, 2 and 3 are reused." in done.stderr
    assert "Edit:   editing shot 3 buys 3 for 0.30 USD; 1 and 2 are reused." in done.stderr
    assert "Traceback" not in done.stderr
    (film,) = story.parent.glob("two-shots-*.mp4")
    assert film.name in done.stderr
    assert processes_of(tmp_path) == []
    assert len((tmp_path / "kept" / "sandbox" / "state" / "jobs.jsonl").read_text().splitlines()) == 3
    assert story.read_text() == STORY


def test_other_commands_use_the_servers_of_a_kept_demo(shell: Any, tmp_path: Path) -> None:
    """With the file that it says to source, and until it is stopped."""
    with shell.start("demo", "--folder", str(tmp_path / "kept"), "--count", "1", "--keep") as demo:
        try:
            said = []
            for line in demo.stderr:
                said.append(line)
                if line.startswith("Ctrl-C stops the servers"):
                    break
            file = tmp_path / "kept" / "env.sh"
            assert f"  source {file.relative_to(shell.folder)}\n" in said
            assert file.stat().st_mode & 0o777 == 0o600
            script = ["sh", "-c", '. "$1" && exec "$2" audit --json', "sh", str(file), PROGRAM]
            done = subprocess.run(script, env=shell.environment, capture_output=True, text=True, timeout=120)
            demo.send_signal(signal.SIGTERM)
            demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 1
    assert demo.returncode == 0
    assert not file.exists()
    assert processes_of(tmp_path) == []
