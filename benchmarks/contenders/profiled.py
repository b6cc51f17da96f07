"""This project's command line, with samples that show whose code takes the CPU time. The arguments are those of
`together-video`.

A sample of the main thread is taken every 5 ms of CPU. It counts for the innermost of the owners below: what Prefect
has httpx or pydantic do is Prefect's. Threads have their own CPU time, which the kernel counts.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from benchmarks.counting import tell
from prefect_together_video.flows.__main__ import main

_SECONDS = 0.005
_ROOT = str(Path(__file__).resolve().parents[2])
#: Folders and their owners.
_OWNERS = {
    f"{os.sep}site-packages{os.sep}prefect{os.sep}": "Prefect",
    f"{os.sep}site-packages{os.sep}boto": "boto3",
    _ROOT: "this project",
}


def owner_of(frame: FrameType | None) -> str:
    """The owner of the code that a stack is in."""
    while frame is not None:
        place = frame.f_code.co_filename
        if "importlib" in place:
            return "imports"
        if frame.f_code.co_name == "_run_once":
            # The event loop itself: what started it does not matter.
            break
        for folder, owner in _OWNERS.items():
            if folder in place and not (owner == "this project" and "site-packages" in place):
                return owner
        frame = frame.f_back
    return "asyncio and others"


def cpu_of_threads() -> dict[str, float]:
    """CPU seconds of each running thread, by name."""
    found: Counter[str] = Counter()
    for thread in threading.enumerate():
        path = Path("/proc/self/task", str(thread.native_id), "stat")
        if path.exists():
            fields = path.read_text().rpartition(")")[2].split()
            name = thread.name.rstrip("0123456789-_")
            found[name] += sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return dict(found)


if __name__ == "__main__":
    samples: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: samples.update([owner_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, _SECONDS, _SECONDS)
    code = main(sys.argv[1:])
    signal.setitimer(signal.ITIMER_PROF, 0)
    tell(samples=dict(samples), threads=cpu_of_threads())
    sys.exit(code)
