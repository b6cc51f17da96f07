"""Ending a run in the middle: no work of it is left behind half done, whoever asks it to stop."""

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


#: How long an end may take before it is said what it waits for, in seconds.
_AT_ONCE = 2.0


async def all_of(
    works: Iterable[Coroutine[Any, Any, T]], *, slow_to_stop: Callable[[], None] = lambda: None
) -> list[T]:
    """What all of them return, in their order. However it ends, it ends when the last of them has.

    `asyncio.gather` is over with the first that is cancelled or fails, while others may still be storing what a
    POST was answered. Here a cancellation, or any number of them, cancels each once and waits for all;
    `slow_to_stop` is called once where that takes longer than a moment.

    Raises:
        Exception: the first work's that failed, once the others are cancelled.
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
    """While Prefect records the run: SIGTERM, which is also how it cancels one, first lets the tasks end.

    Its own handler raises in the middle of the event loop, where asyncio then cancels everything, a POST that waits
    for its answer too. It has the signal as soon as the tasks are over, or the second time that it comes.
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
