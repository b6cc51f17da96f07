"""One worker process, seen from the parent: started, asked one thing at a time, and ended."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from together_video.media.isolation import channel

#: What it runs, with the folders of its packages as arguments. It imports nothing from the working directory (-P), and
#: nothing that the user or the environment adds (-s, -S): the standard library comes first, then these folders.
PROGRAM = """\
import sys
sys.path += sys.argv[1:]
from {module} import main
main()
"""
_PACKAGES = ("together_video", "av", "PIL")
#: The only variables that the worker gets: what a system needs to start Python and find its libraries. Secrets, proxies
#: and settings stay here.
_ENVIRONMENT = (
    *("PATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE"),
    *("SYSTEMROOT", "WINDIR"),
)
#: Seconds until it must be ready, on a machine that is busy with other things.
_START_SECONDS = 60.0
_MODULE = "together_video.media.isolation.worker"
#: The most bytes of an answer: JSON, and a picture. Any 4K frame fits as PNG.
_MOST = (64 << 10, 64 << 20)


class CannotStart(Exception):
    """No worker can be started here. The words say why."""


class Died(Exception):
    """The worker ended while working. The words say how."""

    def __init__(self, words: str, *, was_idle: bool) -> None:
        super().__init__(words)
        self.was_idle = was_idle


class TookTooLong(Exception):
    """The worker was ended because its time was up."""


class Worker:
    """A process that is ready to be asked.

    Args:
        module: it runs this module's `main`.

    Raises:
        CannotStart: the system refuses it, or it ends before it is ready.
    """

    def __init__(self, module: str = _MODULE) -> None:
        if getattr(sys, "frozen", False) or not sys.executable:
            raise CannotStart("this program has its own built-in Python, which cannot run anything else")
        flags = ["-P", "-s", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, *flags, "-c", PROGRAM.replace("{module}", module), *_folders()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=_environment(),
                cwd=os.path.abspath(os.sep),
                # A Ctrl-C in the terminal is for the parent only.
                start_new_session=True,
            )
        except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
            raise CannotStart(getattr(error, "strerror", None) or str(error)) from error
        self.asked = 0
        try:
            said, _ = self._exchange(None, b"", _START_SECONDS)
        except (Died, TookTooLong) as error:
            raise CannotStart(str(error)) from error
        if "failed" in said:
            self.end()
            raise CannotStart(str(said["failed"]))

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, message: dict[str, Any], content: bytes, seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a message, and wait for the answer. After any exception the worker has ended.

        Raises:
            Died: it ended, or gave an unreadable answer.
            TookTooLong: there was no answer within `seconds`.
        """
        self.asked += 1
        return self._exchange({**message, "seconds": seconds}, content, seconds)

    def converse(
        self, message: dict[str, Any], content: bytes, seconds: float, *, most: int
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Send a message, and yield one answer after the other, without end. After any exception the worker has ended.

        Args:
            seconds: how long each answer may take.
            most: the most bytes of JSON in an answer.

        Raises:
            Died: it ended, or gave an unreadable answer.
            TookTooLong: there was no answer within `seconds`.
        """
        self.asked += 1
        asked: dict[str, Any] | None = {**message, "seconds": seconds}
        while True:
            yield self._exchange(asked, content, seconds, most=(most, _MOST[1]))
            asked, content = None, b""

    def _exchange(
        self,
        message: dict[str, Any] | None,
        content: bytes,
        seconds: float,
        *,
        most: tuple[int, int] = _MOST,
    ) -> tuple[dict[str, Any], bytes]:
        is_late = threading.Event()

        def strike() -> None:
            is_late.set()
            self._kill()

        # A thread instead of a time limit on the pipes, which Windows does not have.
        clock = threading.Timer(seconds, strike)
        clock.daemon = True
        try:
            clock.start()
            if message is not None:
                channel.send(_pipe(self._process.stdin), message, content)
            return channel.receive(_pipe(self._process.stdout), most=most)
        except channel.Ended as error:
            code = self.end()
            if is_late.is_set():
                raise TookTooLong(f"it took more than {seconds:.0f} s") from error
            raise Died(_how(code), was_idle=code == 0) from error
        except RuntimeError as error:  # no more threads
            self.end()
            raise Died(str(error), was_idle=False) from error
        except BaseException:
            self.end()
            raise
        finally:
            clock.cancel()

    def end(self) -> int:
        """Kill it, unless it has ended. Returns its exit code, or the negative number of the signal that ended it."""
        self._close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.2)
        self._kill()
        return self._process.wait()

    def _kill(self) -> None:
        """Kill it and everything that it has started, which would keep the pipe open."""
        if hasattr(os, "killpg") and self._process.poll() is None:
            with contextlib.suppress(OSError):
                # It has its own session, so its id is the group's id.
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def forget(self) -> None:
        """In a forked process: the worker belongs to the original."""
        self._process.returncode = 0
        self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _file(pipe).close()


def _how(code: int) -> str:
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        return f"{signal.Signals(-code).name} ended it"
    except ValueError:
        return f"signal {-code} ended it"


def _file(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both are pipes
    return pipe


def _pipe(pipe: IO[bytes] | None) -> int:
    try:
        return _file(pipe).fileno()
    except ValueError as error:  # closed, because the interpreter ends
        raise channel.Ended(str(error)) from error


def _folders() -> list[str]:
    """Where the worker finds this package and its decoders, even if this process has not imported them."""
    found: dict[str, None] = {}
    for name in _PACKAGES:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        for place in (spec.submodule_search_locations or ()) if spec else ():
            found[str(Path(place).absolute().parent)] = None
    return list(found)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Otherwise the GNU C library would reserve 64 MB for each thread.
    return {**kept, "MALLOC_ARENA_MAX": "1"}
