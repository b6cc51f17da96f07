"""Stopping a run: none of its work is left behind half done, however it is stopped."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from prefect_together_video.tasks.running.cancellation import outlast
from prefect_together_video.tasks.running.prefect_run import flow_context

T = TypeVar("T")


#: How long stopping may take, in seconds, before a message says what it waits for.
_AT_ONCE = 2.0


async def all_of(
    works: Iterable[Coroutine[Any, Any, T]], *, slow_to_stop: Callable[[], None] = lambda: None
) -> list[T]:
    """The results of all works, in order. However this ends, it ends only after the last of them.

    `asyncio.gather` ends with the first that is cancelled or fails, while others may still be storing the answer to a
    POST. Here each cancellation cancels every work once, and waits for all; `slow_to_stop` is called once if that takes
    longer than a moment.

    Raises:
        Exception: that of the first work that failed, once the others are cancelled.
    """
    tasks = [asyncio.create_task(work) for work in works]
    with _sigterm_stops(tasks):
        try:
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            _cancel(tasks)
            later = asyncio.get_running_loop().call_later(_AT_ONCE, slow_to_stop)
            await outlast(tasks)
            later.cancel()
            failed = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if failed:
        raise failed[0]
    return [task.result() for task in tasks]


def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        if not task.cancelling():
            task.cancel()


@contextmanager
def _sigterm_stops(tasks: list[asyncio.Task[Any]]) -> Iterator[None]:
    """While Prefect records the run: SIGTERM, which Prefect also uses to cancel a run, first lets the tasks end.

    Prefect's own handler raises in the middle of the event loop, and asyncio then cancels everything, including a POST
    that waits for its answer. It gets the signal when the tasks are over, or when the signal comes a second time.
    """
    if flow_context() is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    came = False

    def stop(number: int, _: object) -> None:
        nonlocal came
        if came:
            signal.signal(number, before)
            signal.raise_signal(number)
        came = True
        loop.call_soon_threadsafe(_cancel, tasks)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, before)
            if came:
                signal.raise_signal(signal.SIGTERM)
