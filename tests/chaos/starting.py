"""Starts the real command again and again: as a program, or warm.

Python takes seconds to load Prefect, but the commands themselves take less. The warm starter is a process that has
loaded everything and forks a child for each command. The child runs the same `main` with the same arguments, and can be
killed like the program.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.warm import die_with_parent

#: The exit code of a process whose end nobody saw.
GONE = -999
_ROOT = Path(__file__).resolve().parents[2]


class Started:
    """One running command. `code` is its exit code, or minus the signal that ended it."""

    def __init__(self, pid: int, ended: asyncio.Future[int]) -> None:
        self.pid = pid
        self._ended = ended

    @property
    def is_running(self) -> bool:
        return not self._ended.done()

    async def code(self, seconds: float) -> int:
        """Wait until it ends.

        Raises:
            TimeoutError: it has not ended within `seconds`.
        """
        async with asyncio.timeout(seconds):
            return await asyncio.shield(self._ended)

    def send(self, sign: signal.Signals) -> None:
        if self.is_running:
            try:
                os.kill(self.pid, sign)
            except ProcessLookupError:
                return


class Starter:
    """Starts commands with their own environment and output in files. `async with` ends them all."""

    def __init__(self, home: Path) -> None:
        self._base = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PREFECT_HOME": str(home / "prefect"),
            "COLUMNS": "100",
        }
        self._running: dict[int, asyncio.Future[int]] = {}
        self._pids: asyncio.Queue[int] = asyncio.Queue()
        self._asking = asyncio.Lock()

    async def __aenter__(self) -> Starter:
        home = Path(self._base["HOME"])
        home.mkdir(parents=True, exist_ok=True)
        self._warm = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.chaos.warm",
            cwd=_ROOT,
            env=self._base,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        for pid, ended in self._running.items():
            if not ended.done():
                os.kill(pid, signal.SIGKILL)
        assert self._warm.stdin is not None
        self._warm.stdin.close()
        await self._warm.wait()
        await self._listening

    async def warm(self, words: list[str], environment: Mapping[str, str], log: Path) -> Started:
        """Run the command in a fork of the preloaded process."""
        assert self._warm.stdin is not None
        job = {"words": words, "environment": {**self._base, **environment}, "log": str(log)}
        async with self._asking:
            self._warm.stdin.write(json.dumps(job).encode() + b"\n")
            pid = await self._pids.get()
        return Started(pid, self._running[pid])

    async def cold(self, words: list[str], environment: Mapping[str, str], log: Path) -> Started:
        """Run the program itself, from this folder, because the installed one may belong to another folder."""
        with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "prefect_together_video.flows",
                *words,
                cwd=_ROOT,
                env={**self._base, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        ended = asyncio.ensure_future(process.wait())
        self._running[process.pid] = ended
        return Started(process.pid, ended)

    async def _listen(self) -> None:
        assert self._warm.stdout is not None
        while line := await self._warm.stdout.readline():
            told = json.loads(line)
            if "started" in told:
                self._running[told["started"]] = asyncio.get_running_loop().create_future()
                self._pids.put_nowait(told["started"])
            else:
                self._running[told["ended"]].set_result(told["code"])
        for ended in self._running.values():
            if not ended.done() and not isinstance(ended, asyncio.Task):
                ended.set_result(GONE)
