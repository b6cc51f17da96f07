"""A benchmark that is stopped leaves no process behind, however it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: A benchmark with servers and a contender, which has a child of its own; it says the ids of all of them.
BENCHMARK = """
import json, os, sys
from pathlib import Path
from benchmarks import harness
from benchmarks.harness import account, stage

PROGRAM = '''
import subprocess, sys, time
sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.PIPE)
print(sleeper.pid, flush=True)
time.sleep(600)
'''
with stage(job_seconds=1, prefect=False) as made:
    print(made.s3.pid, made.sandbox.pid, made.folder, flush=True)
    account([sys.executable, "-c", PROGRAM], os.environ, None, None)
"""
#: What `make bench` does with each of its programs.
ALL = """
import signal, sys
from benchmarks.children import child
from benchmarks.harness import ROOT

with child([sys.executable, "-c", sys.argv[1]], cwd=ROOT, told=signal.SIGTERM) as process:
    process.wait()
"""


def descendants(pid: int) -> set[int]:
    """All processes below this one, and itself."""
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        children = Path("/proc", str(one), "task", str(one), "children")
        if children.exists():
            waiting.extend(map(int, children.read_text().split()))
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize(
    ("whole", "sent", "leaves_folder"),
    [
        (False, signal.SIGINT, False),
        (False, signal.SIGTERM, False),
        (False, signal.SIGKILL, True),
        (True, signal.SIGTERM, False),
        (True, signal.SIGKILL, False),
    ],
)
def test_a_benchmark_that_is_stopped_leaves_nothing(
    whole: bool, sent: signal.Signals, leaves_folder: bool, tmp_path: Path
) -> None:
    """Neither servers nor contenders nor their children; where it could clean up, no folder either."""
    command = [sys.executable, "-c", *((ALL, BENCHMARK) if whole else (BENCHMARK,))]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            *servers, folder = process.stdout.readline().split()
            sleeper = int(process.stdout.readline())
            all_of_them = descendants(process.pid) | {sleeper, *map(int, servers)}
            assert len(all_of_them) >= 6 + whole
            os.kill(process.pid, sent)
            process.wait(60)
            deadline = time.monotonic() + 60
            while (left := {pid for pid in all_of_them if is_running(pid)}) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert left == set()
            while Path(folder).exists() and not leaves_folder and time.monotonic() < deadline:
                time.sleep(0.05)
            assert Path(folder).exists() is leaves_folder
        finally:
            for pid in descendants(process.pid):
                if is_running(pid):
                    os.kill(pid, signal.SIGKILL)


def test_the_folder_of_a_benchmark_that_was_killed_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that: the folder of one that is running stays."""
    from benchmarks.children import working_folder

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, living = (tmp_path / f"together-video-bench-{pid}-x" for pid in (dead.pid, os.getppid()))
    left.mkdir()
    living.mkdir()
    with working_folder() as folder:
        assert (left.exists(), living.exists(), folder.exists()) == (False, True, True)
    assert not folder.exists()
