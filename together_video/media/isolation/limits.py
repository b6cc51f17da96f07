"""What the process that opens files may use: memory, time, files. Linux enforces all limits, other systems only some.

macOS and Windows have no memory limit that works. The limits on pixels and streams, and the parent's clock, work
everywhere.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import ModuleType

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

_STATUS = Path("/proc/self/status")
#: Extra bytes of mapped memory, because allocators reserve more than they use.
_RESERVED = 64 << 20
_OPEN_FILES = 32


def lay_down() -> None:
    """Set permanent limits: no core dumps, no files written, few files open."""
    for name, most in (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0), ("RLIMIT_NOFILE", _OPEN_FILES)):
        _limit(name, most, hard=True)


class Memory:
    """Measures what the process uses now. Later limits are on top of that."""

    def __init__(self) -> None:
        self._data, self._mapped = _used()

    def allow(self, more: int) -> None:
        """Allow `more` bytes above what the process used at first."""
        if self._data:
            _limit("RLIMIT_DATA", self._data + more)
            _limit("RLIMIT_AS", self._mapped + more + _RESERVED)

    def grown(self) -> int:
        """Bytes above what it used at first. 0 if the system does not report it."""
        return max(0, _used()[0] - self._data)


def end_after(seconds: float) -> None:
    """Let the system end this process, even while FFmpeg works and the parent is gone. 0 cancels this."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit(name: str, most: int, *, hard: bool = False) -> None:
    if resource is None or not hasattr(resource, name):
        return
    kind = getattr(resource, name)
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        most = min(most, highest)
    try:
        resource.setrlimit(kind, (most, most if hard else highest))
    except (OSError, ValueError):
        return  # this system refuses: the other limits must be enough


def _used() -> tuple[int, int]:
    """Bytes of data (heap, stacks) and of all mapped memory."""
    try:
        text = _STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0, 0
    found = {name: rest for name, _, rest in (line.partition(":") for line in text.splitlines())}
    try:
        data, mapped = (int(found[name].split()[0]) << 10 for name in ("VmData", "VmSize"))
    except (KeyError, ValueError, IndexError):
        return 0, 0
    return data, mapped


def end_with_parent(pipe: int) -> None:
    """End this process when the parent closes its end of the pipe or dies, whatever this process is doing."""
    import select
    import threading

    if not hasattr(select, "poll"):
        return

    def watch() -> None:
        poll = select.poll()
        poll.register(pipe, 0)
        while not any(
            event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll()
        ):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
