"""One event loop in its own thread, which all public tasks of a process share.

Clients, S3 connections and pacing belong to an event loop. Prefect gives each submitted task a different loop, and a
sync flow has none. So the work of the public tasks runs here, and its callers wait for it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.running.prefect_compat import run_is_stopping

T = TypeVar("T")

#: How often a waiting thread checks whether its flow is being stopped, in seconds.
_GLANCE = 1.0


class Background:
    """The loop of one process. Work that is started on it ends before the process does."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.at_exit: list[Callable[[], Awaitable[None]]] = []
        self._works: set[asyncio.Task[Any]] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="together-video", daemon=True)
        self._thread.start()
        _before_threads_end(self.close)

    def begin(self, work: Coroutine[Any, Any, T]) -> Work[T]:
        """Start `work` on the loop, in a copy of the caller's context: its Prefect run, its logger."""
        begun: Work[T] = Work(self.loop)
        context = copy_context()

        def start() -> None:
            if self._closing:
                work.close()
                begun.ended.cancel()
                return
            task = self.loop.create_task(work, context=context)
            self._works.add(task)
            task.add_done_callback(self._works.discard)
            begun.follow(task)

        self.loop.call_soon_threadsafe(start)
        return begun

    def close(self) -> None:
        """Cancel running work, wait until its facts are stored, and end the thread."""
        if self.process != os.getpid() or not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._wind_up(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    async def _wind_up(self) -> None:
        self._closing = True
        works = set(self._works)
        for task in works:
            task.cancel()
        if works:
            await asyncio.wait(works)
        for close in self.at_exit:
            await close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()


class Work(Generic[T]):
    """Running work on the loop, seen from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ended: Future[T] = Future()
        self._loop = loop
        self._task: asyncio.Task[T] | None = None

    def follow(self, task: asyncio.Task[T]) -> None:
        self._task = task
        task.add_done_callback(self._over)

    def cancel(self) -> None:
        """Ask it to stop. Before it stops, it stores what was sent to the provider."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def wait(self) -> T:
        """What it returns. An interruption of this thread (Ctrl-C, SIGTERM, a time limit) stops the work, and so does
        the end of the flow run that this thread works for.
        """
        try:
            while not run_is_stopping():
                if wait([self.ended], timeout=_GLANCE).done:
                    return self._result()
            self.cancel()
            wait([self.ended])
            return self._result()
        except BaseException:
            if not self.ended.done():
                self.cancel()
                # At most as long as a create may take. A second interruption stops waiting.
                wait([self.ended])
            raise

    def _result(self) -> T:
        """Raises asyncio.CancelledError: it was stopped. A loop in the caller's code would survive an `Exception`."""
        if self.ended.cancelled():
            raise asyncio.CancelledError(
                "stopped with the flow run; a job that was created is kept in flight"
            )
        return self.ended.result()

    async def wait_async(self) -> T:
        """As `wait`, for a caller that has an event loop."""
        future = asyncio.wrap_future(self.ended)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.cancel()
            await outlast([future])
            if not future.cancelled():
                future.exception()  # read it, or asyncio warns: the ledger has the outcome
            raise

    def _over(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.ended.cancel()
            self.ended.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(task.result())


_shared: Background | None = None
_lock = threading.Lock()


def background() -> Background:
    """This process's loop, started at the first call."""
    global _shared
    with _lock:
        if _shared is None or _shared.process != os.getpid():
            _shared = Background()
        return _shared


def _before_threads_end(call: Callable[[], None]) -> None:
    """At the end of the process, while threads still accept work: `atexit` alone would be too late for boto3."""
    register = getattr(threading, "_register_atexit", atexit.register)
    register(call)
