"""Child processes of a benchmark: none outlives it, however it ends.

A child ends with its benchmark even where that is killed: on Linux the kernel sees to it. A benchmark that is told to
end, by Ctrl-C or SIGTERM, ends its children itself and removes its folders.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

_PR_SET_PDEATHSIG = 1
_PREFIX = "together-video-bench-"
#: Seconds that a child may take to end by itself.
_PATIENCE = 20


@contextmanager
def child(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    told: signal.Signals = signal.SIGKILL,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, which is over at the end of the block, with all that it started there.

    Args:
        told: the signal that it gets when we end. After SIGTERM it may clean up behind itself.
    """
    with ending_by_sigterm():
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            preexec_fn=_ends_with_parent(told),
            **options,
        )
        # What the child has started itself does not hear of our end.
        watcher = _watcher(process.pid) if told is signal.SIGKILL else None
        try:
            yield process
        finally:
            if told is signal.SIGTERM and process.returncode is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_PATIENCE)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.returncode is None:
                process.wait()
            if watcher is not None:
                watcher.kill()
                watcher.communicate()


def _watcher(group: int) -> subprocess.Popen[bytes]:
    """Ends a group of processes once its standard input is closed, as it is when we are gone."""
    program = 'read _; kill -s KILL -- "-$1"'
    return subprocess.Popen(
        ["/bin/sh", "-c", program, "sh", str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _ends_with_parent(told: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(_PR_SET_PDEATHSIG, told)


@contextmanager
def ending_by_sigterm() -> Iterator[None]:
    """SIGTERM in here raises SystemExit, so that what was begun is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def working_folder() -> Iterator[Path]:
    """A temporary folder. Those of benchmarks that were killed are removed first."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
    with (
        ending_by_sigterm(),
        # Servers that were just killed may still be writing.
        tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder,
    ):
        yield Path(folder)


def cpu_seconds(pid: int) -> float:
    """What a process and its children that have ended took so far, user and system; 0 where Linux does not tell."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
