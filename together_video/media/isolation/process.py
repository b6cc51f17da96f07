"""One worker process, from the parent's side: started, asked one thing at a time, and ended."""

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

#: What it runs, with the folders of its packages as arguments. Nothing of the working directory is imported (-P), and
#: nothing that the user or the environment adds (-s, -S): the standard library comes first, then these folders.
PROGRAM = """\
import sys
sys.path += sys.argv[1:]
from {module} import main
main()
"""
_PACKAGES = ("together_video", "av", "PIL")
#: All that the worker gets of the environment: what a system needs to start Python and to find its libraries. Secrets,
#: proxies and settings stay here.
_ENVIRONMENT = (
    *("PATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE"),
    *("SYSTEMROOT", "WINDIR"),
)
#: Seconds until it has to be ready, on a machine that does other things, too.
_START_SECONDS = 60.0
_MODULE = "together_video.media.isolation.worker"
#: Bytes of an answer: JSON, and a picture. A whole frame of 4K fits as PNG, whatever it shows.
_MOST = (64 << 10, 64 << 20)


class CannotStart(Exception):
    """No worker can be started here. The words are why."""


class Died(Exception):
    """The worker ended at its work. The words are how."""

    def __init__(self, words: str, *, was_idle: bool) -> None:
        super().__init__(words)
        self.was_idle = was_idle


class TookTooLong(Exception):
    """The worker was ended as its time was over."""


class Worker:
    """A process that is ready to be asked.

    Args:
        module: whose `main` it runs.

    Raises:
        CannotStart: the system refuses it, or it ends instead of getting ready.
    """

    def __init__(self, module: str = _MODULE) -> None:
        if getattr(sys, "frozen", False) or not sys.executable:
            raise CannotStart("this program brings its own Python, which runs nothing else")
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
                # A Ctrl-C in the terminal is for us.
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
        """Send a message, and wait for the answer. Whatever is raised, the worker has ended then.

        Raises:
            Died: it ended, or gave no answer that can be read.
            TookTooLong: there was none within `seconds`.
        """
        self.asked += 1
        return self._exchange({**message, "seconds": seconds}, content, seconds)

    def converse(
        self, message: dict[str, Any], content: bytes, seconds: float, *, most: int
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Send a message, and give one answer after the other, without end. Whatever is raised, the worker has ended.

        Args:
            seconds: until the next answer, each time.
            most: bytes of JSON in an answer.

        Raises:
            Died: it ended, or gave no answer that can be read.
            TookTooLong: there was none within `seconds`.
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

        # A thread, and no time limit of the pipes: those are not to be had on Windows.
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
        """End it now, unless it has ended: its exit code, below 0 the signal that ended it."""
        self._close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.2)
        self._kill()
        return self._process.wait()

    def _kill(self) -> None:
        """End it, and whatever it has started: that would hold the pipe open."""
        if hasattr(os, "killpg") and self._process.poll() is None:
            with contextlib.suppress(OSError):
                # Its session is its own, so that its id is that of the group.
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def forget(self) -> None:
        """In the copy of a process that a fork made: the worker belongs to the original."""
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
    except ValueError as error:  # closed, as the interpreter ends
        raise channel.Ended(str(error)) from error


def _folders() -> list[str]:
    """Where the worker finds this package and its decoders, which this process need not have imported."""
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
    # The GNU C library would else reserve 64 MB for each thread.
    return {**kept, "MALLOC_ARENA_MAX": "1"}
