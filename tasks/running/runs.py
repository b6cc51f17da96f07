"""The Prefect run around a step, if there is one: its name for the ledger, its logger, its engine.

The command line also works where no Prefect server is configured. Prefect would then start a
temporary server of its own, which takes longer than many a video; so outside of a flow run a step is
run directly, by the very retry policy that its task carries.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, ParamSpec, TypeVar

from prefect import Task, get_run_logger
from prefect.context import FlowRunContext, TaskRunContext
from prefect.runtime import flow_run
from prefect.utilities.annotations import quote

from prefect_together_video.tasks.running.prefect_compat import without_results
from together_video.errors import VideoError
from together_video.ledger.records import RunRef
from together_video.text import printable_lines

P = ParamSpec("P")
R = TypeVar("R")
Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


def current_run() -> RunRef:
    """The flow run that is under way in this context; without ids outside of one."""
    if FlowRunContext.get() is None:
        return RunRef(host=socket.gethostname())
    return RunRef(flow_run_id=flow_run.id, flow_run_name=flow_run.name, host=socket.gethostname())


def is_this_run(run: RunRef) -> bool:
    """Whether it is the flow run that is under way in this context: Prefect's retries of a run are the same run."""
    ours = current_run().flow_run_id
    return ours is not None and run.flow_run_id == ours


def run_logger() -> Logger:
    """The run's logger, whose lines the Prefect UI shows; a plain one outside of flow and task runs."""
    if FlowRunContext.get() is None and TaskRunContext.get() is None:
        return _Printable(logging.getLogger("together_video"))
    return _Printable(get_run_logger())


class _Printable(logging.LoggerAdapter[Any]):
    """Escapes what would be a command to a terminal: a job id, a status and a server's words are written by others."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            super().log(level, printable_lines(str(msg) % args if args else str(msg)), **kwargs)


async def step(task: Task[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one task: by Prefect inside a flow run, else directly with the task's retries and time limit.

    Inside of another task it is run directly, too: Prefect's server needs 50 ms of CPU for each run of a task.
    """
    if (context := FlowRunContext.get()) is not None and TaskRunContext.get() is None:
        # Prefect would search every field of every argument for results of other tasks, if these were not quoted.
        with without_results(context):
            return await task(*map(quote, args), **{name: quote(given) for name, given in kwargs.items()})  # type: ignore[arg-type]
    return await repeat(task, lambda: task.fn(*args, **kwargs), title=_title(args))


async def repeat(
    task: Task[..., Any],
    call: Callable[[], Coroutine[Any, Any, R]],
    *,
    title: str = "",
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> R:
    """Make `call` under the retries, delays and time limit that `task` carries.

    Args:
        title: what the call is for, which begins the line about each retry.

    Raises:
        TimeoutError: one attempt took longer than the task's `timeout_seconds`.
        VideoError: not worth repeating, or the last attempt's.
    """
    delays = _delays(task)
    for attempt in range(task.retries + 1):
        try:
            async with asyncio.timeout(task.timeout_seconds):
                return await call()
        except VideoError as error:
            if not error.retryable or attempt == task.retries:
                raise
            delay = delays[min(attempt, len(delays) - 1)]
            delay *= 1 + (task.retry_jitter_factor or 0) * chance()
            warn_of_retry(title, error, f" in {delay:.0f} s")
            await sleep(delay)
    raise AssertionError("the last attempt returns or raises")


def warn_of_retry(title: str, error: VideoError, when: str = "") -> None:
    """A line about a failed attempt that is repeated. Its record has the error's words as `retry_of`, so that a display
    can count these lines instead of showing each.
    """
    words = f"{str(error).rstrip('.')}. Trying again{when}."
    run_logger().warning("%s", f"{title}: {words}" if title else words, extra={"retry_of": error.message})


def _title(args: tuple[Any, ...]) -> str:
    """Of the video that a step is about: its plan or its purchase is among the arguments."""
    titles = (getattr(one, "title", None) for one in args)
    return next((title for title in titles if isinstance(title, str)), "")


def _delays(task: Task[..., Any]) -> list[float]:
    given: Callable[[int], list[float]] | list[float] | float | None = task.retry_delay_seconds
    if callable(given):
        given = given(task.retries)
    return given if isinstance(given, list) else [float(given or 0)]
