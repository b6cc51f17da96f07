"""The preloaded process: reads one command per line, forks, and reports which process started and ended.

It ends itself and its children when its input is closed or its parent is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import sys
import traceback
from typing import Any

_PR_SET_PDEATHSIG = 1


def main() -> None:
    from prefect_together_video.flows.cli.preamble import prepare
    from prefect_together_video.flows.cli.screen.terminal import Terminal

    prepare(Terminal(quiet=True))
    # The modules that the commands import when they are called.
    import prefect_together_video.flows.audit
    import prefect_together_video.flows.batch
    import prefect_together_video.flows.cli.running
    import prefect_together_video.flows.collect
    import prefect_together_video.flows.film  # noqa: F401
    import tests.chaos.folder_kills  # noqa: F401

    gc.freeze()
    children: set[int] = set()
    waiting = b""
    while True:
        ready, _, _ = select.select([0], [], [], 0.01 if children else 1)
        if ready:
            read = os.read(0, 1 << 16)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                children.add(_start(json.loads(line)))
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.discard(pid)
                _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def die_with_parent() -> None:
    """Ask Linux to kill this child when its parent ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(job: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        _tell({"started": pid})
        return pid
    code = 70
    try:
        os.setsid()
        die_with_parent()
        for number, name in ((0, os.devnull), (1, f"{job['log']}.out"), (2, f"{job['log']}.err")):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags), number)
        for name in set(os.environ) - {key for key in os.environ if key.startswith("PREFECT_")}:
            del os.environ[name]
        os.environ.update(job["environment"])
        from prefect_together_video.flows.__main__ import main as command
        from tests.chaos import folder_kills

        folder_kills.install()
        code = command(job["words"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell(news: dict[str, int]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


if __name__ == "__main__":
    # The listener is gone. This process ends, and so do all its children.
    with contextlib.suppress(BrokenPipeError):
        main()
