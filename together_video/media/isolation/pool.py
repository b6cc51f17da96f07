"""Opens files from outside in worker processes, which start on demand and handle one file at a time.

Synchronous, and safe to call from any thread. A forked process starts its own workers.
"""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.media import bounds
from together_video.media.isolation.process import CannotStart, Died, TookTooLong, Worker
from together_video.text import one_line

#: A worker is replaced after it has grown by this many bytes, or opened this many files.
_GROWN = 48 << 20
_FILES = 1000


class Answer(BaseModel):
    """The common fields of all answers. The worker has read untrusted bytes, so only this form is accepted.

    `refused` and `broken` are words about the file, `beyond` is the limit that it exceeds, and `failed` is an
    unexpected error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refused: str | None = Field(default=None, max_length=1000)
    broken: str | None = Field(default=None, max_length=1000)
    beyond: str | None = Field(default=None, max_length=1000)
    failed: str | None = Field(default=None, max_length=1000)
    #: More memory could give another result.
    short: bool = False
    #: There was too little memory for any result.
    starved: bool = False
    #: Bytes that the worker has grown by.
    grown: int = Field(default=0, ge=0)


Told = TypeVar("Told", bound=Answer)


class Unopened(Exception):
    """The file could not be opened. The words complete "it …".

    Attributes:
        is_bound: the reason is a limit, not the file, so downloading it again would not help.
        is_lasting: a second try with the same file would give the same result.
    """

    def __init__(self, words: str, *, is_bound: bool, is_lasting: bool) -> None:
        super().__init__(words)
        self.words = words
        self.is_bound = is_bound
        self.is_lasting = is_lasting


class Pool:
    """The workers of this process."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._places = threading.BoundedSemaphore(bounds.AT_ONCE)
        self._largest = threading.Lock()
        self._lock = threading.Lock()

    @property
    def pids(self) -> list[int]:
        with self._lock:
            return [worker.pid for worker in self._all]

    def ask(
        self, kind: str, form: type[Told], *, path: Path | None, content: bytes = b"", size: int, **more: Any
    ) -> tuple[Told, bytes]:
        """Have a file opened, with little memory at first, and with all of it if that is too little.

        Args:
            kind: what to read it as: `clip`, `image`, `video`, `audio`, `still` or `frames`.
            form: the model that its answer must match.
            path: where it is, or None if `content` is the file.
            size: its size in bytes. A large one may take longer.
            more: further arguments for the reader.

        Raises:
            Unopened: it could not be opened, or the answer was not of this form.
        """
        message = {
            "kind": kind,
            "path": None if path is None else os.fsencode(path.absolute()).decode("latin-1"),
            "more": more,
        }
        seconds = bounds.seconds_for(size)
        try:
            try:
                with self._places:
                    found = self._asked(form, {**message, "memory": bounds.FIRST_MEMORY}, content, seconds)
                if not found[0].short:
                    return found
            except Died:
                pass  # as in code without enough memory
            with self._largest, self._places:
                found = self._asked(form, {**message, "memory": bounds.MEMORY}, content, seconds)
        except CannotStart as error:
            why = f"it cannot be opened here, because no process can be started ({one_line(str(error), 200)})"
            raise Unopened(why, is_bound=True, is_lasting=False) from error
        except TookTooLong as error:
            raise Unopened(
                f"it takes more than {seconds:.0f} s to open here", is_bound=True, is_lasting=True
            ) from error
        except Died as error:
            why = f"the process that opens it died ({one_line(str(error), 200)})"
            raise Unopened(why, is_bound=False, is_lasting=False) from error
        if found[0].starved:
            words = f"it needs more than {bounds.MEMORY >> 20} MiB of memory to open here"
            raise Unopened(words, is_bound=True, is_lasting=True)
        return found

    def _asked(
        self, form: type[Told], message: dict[str, Any], content: bytes, seconds: float
    ) -> tuple[Told, bytes]:
        worker = self._take()
        try:
            try:
                answer, picture = worker.ask(message, content, seconds)
            except Died as error:
                if not error.was_idle:
                    raise
                # It was idle for long and has just ended.
                self._drop(worker)
                worker = self._new()
                answer, picture = worker.ask(message, content, seconds)
            try:
                told = form.model_validate(answer)
            except ValidationError as error:
                raise Died("its answer cannot be read", was_idle=False) from error
        except BaseException:
            self._drop(worker)
            raise
        if told.grown > _GROWN or worker.asked >= _FILES:
            self._drop(worker)
        else:
            with self._lock:
                self._idle.append(worker)
        return told, picture

    def _take(self) -> Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._new()

    def _new(self) -> Worker:
        worker = Worker()
        with self._lock:
            self._all.add(worker)
        return worker

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.end()

    def close(self) -> None:
        """End all workers, busy or idle. The next file starts new ones."""
        with self._lock:
            workers, self._all, self._idle = self._all, set(), []
        for worker in workers:
            worker.end()

    def forget(self) -> None:
        """In a forked process: leave the workers to the original."""
        for worker in self._all:
            worker.forget()


_pool = Pool()


def ask(
    kind: str, form: type[Told], *, path: Path | None, content: bytes = b"", size: int, **more: Any
) -> tuple[Told, bytes]:
    """Like `Pool.ask`, with the workers of this process."""
    return _pool.ask(kind, form, path=path, content=content, size=size, **more)


def workers() -> list[int]:
    """The process ids of the current workers."""
    return _pool.pids


def close() -> None:
    """End the workers of this process. The next file starts new ones."""
    _pool.close()


def _after_fork() -> None:
    # Threads that the fork does not have may hold the locks.
    global _pool
    _pool.forget()
    _pool = Pool()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
