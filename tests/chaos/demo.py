"""The demo, killed in the middle and run again: the same four videos, four creates in all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.chaos.warm import die_with_parent

_PROGRAM = str(Path(sys.executable).with_name("together-video"))
_COUNT = 4
_PATIENCE = 180.0


def kill_demo(folder: Path) -> list[str]:
    """Kill a demo while its jobs run, and run it again. Returns what is not as promised."""
    demo = folder / "demo"
    journal = demo / "sandbox" / "state" / "jobs.jsonl"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "100"}
    first = _start(demo, folder / "first", environment)
    try:
        _wait_for(lambda: len(_sold(journal)) == _COUNT, first)
        # The last answer is stored at once, but the jobs take seconds.
        time.sleep(1)
        if first.poll() is not None:
            return [f"the first demo ended by itself with {first.returncode}"]
    finally:
        first.kill()
        first.wait()
    before = _sold(journal)
    second = _start(demo, folder / "second", environment)
    try:
        code = second.wait(_PATIENCE)
    finally:
        second.kill()
        second.wait()
    return _wrong(folder, code, before, _sold(journal))


def _wrong(folder: Path, code: int, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    said = (folder / "second.err").read_text()
    try:
        videos = json.loads((folder / "second.out").read_text())["videos"]
    except ValueError:
        return [f"the second demo exits {code} without a document: {said[-1000:]}"]
    words = [] if code == 0 else [f"the second demo exits {code}: {said[-1000:]}"]
    if [job["id"] for job in after] != [job["id"] for job in before] or len(after) != _COUNT:
        words.append(f"{len(before)} creates before the kill, {len(after)} in all")
    if {video["job_id"] for video in videos} != {job["id"] for job in before}:
        words.append("the second demo has other jobs than the first one bought")
    states = [video["state"] for video in videos]
    if len(states) != _COUNT or not set(states) <= {"archived", "reused"}:
        words.append(f"the second demo ends with {states}")
    # The servers of the killed demo have to notice. The second demo waited for its own.
    end = time.monotonic() + 15
    while (left := _processes(folder / "demo")) and time.monotonic() < end:
        time.sleep(0.2)
    for pid, command in left.items():
        words.append(f"process {pid} is left: {command}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return words


def _start(demo: Path, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with Path(f"{log}.out").open("wb") as out, Path(f"{log}.err").open("wb") as err:
        return subprocess.Popen(
            [_PROGRAM, "demo", "--json", "--count", str(_COUNT), "--folder", str(demo)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=die_with_parent,
        )


def _wait_for(condition: Any, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def _sold(journal: Path) -> list[dict[str, Any]]:
    """The rows of the sandbox's journal, one for each accepted create."""
    if not journal.exists():
        return []
    lines = journal.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def _processes(folder: Path) -> dict[int, str]:
    """Running processes that work in this folder, with their commands."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in command or f"={folder}/".encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = command.strip()
    return found
