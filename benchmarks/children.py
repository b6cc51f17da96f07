"""Child processes of a benchmark: none outlives it, however it ends.

A child ends with its benchmark even if that is killed: on Linux the kernel ensures it. After Ctrl-C or SIGTERM, a
benchmark ends its children itself and removes its folders.
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
#: Most seconds for a child to end by itself.
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
    """A process in its own session. It is ended after the block, with everything that it started there.

    Args:
        told: the signal that it gets when we end. After SIGTERM it can clean up.
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
        # The child's own children get no signal when we end.
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
    """Ends a group of processes once its standard input is closed, which happens when we end."""
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
    """SIGTERM in this block raises SystemExit, so that everything is cleaned up."""
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
    """A temporary folder. Folders of killed benchmarks are removed first."""
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
    """The CPU time so far of a process and its ended children, user and system; 0 if Linux does not report it."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
