"""The Prefect run around a step, if there is one: its name for the ledger, its logger, its engine.

The command line also works if no Prefect server is configured. Prefect would then start a temporary server, which takes
longer than many a video. So outside of a flow run a step is run directly, with the same retry policy that its task has,
and Prefect is not even imported.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from prefect_together_video.tasks.running.prefect_run import flow_context, task_context
from together_video.errors import VideoError
from together_video.ledger.records import RunRef
from together_video.text import printable_lines

if TYPE_CHECKING:
    from prefect import Task

P = ParamSpec("P")
R = TypeVar("R")
Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


class Policy(Protocol):
    """Retries, delays and a time limit: see `retries.Step`."""

    @property
    def retries(self) -> int: ...
    @property
    def delays(self) -> list[float]: ...
    @property
    def retry_jitter_factor(self) -> float: ...
    @property
    def timeout_seconds(self) -> float | None: ...


class Runnable(Policy, Protocol[P, R]):
    """A step: a function under a policy, which can become a Prefect task."""

    @property
    def fn(self) -> Callable[P, Coroutine[Any, Any, R]]: ...
    @property
    def task(self) -> Task[P, Coroutine[Any, Any, R]]: ...


def current_run() -> RunRef:
    """The current flow run; without ids outside of one."""
    if flow_context() is None:
        return RunRef(host=socket.gethostname())
    from prefect.runtime import flow_run

    return RunRef(flow_run_id=flow_run.id, flow_run_name=flow_run.name, host=socket.gethostname())


def is_this_run(run: RunRef) -> bool:
    """Whether it is the current flow run: Prefect's retries of a run are the same run."""
    ours = current_run().flow_run_id
    return ours is not None and run.flow_run_id == ours


def run_logger() -> Logger:
    """The run's logger, whose lines the Prefect UI shows; outside of flow and task runs, a plain logger."""
    if flow_context() is None and task_context() is None:
        return _Printable(logging.getLogger("together_video"))
    from prefect import get_run_logger

    return _Printable(get_run_logger())


class _Printable(logging.LoggerAdapter[Any]):
    """Escapes terminal commands: others write the job ids, the statuses and the server's messages."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if self.isEnabledFor(level):
            super().log(level, printable_lines(str(msg) % args if args else str(msg)), **kwargs)


async def step(one: Runnable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one step: through Prefect inside a flow run, otherwise directly, with its retries and time limit.

    Inside another task it is also run directly: Prefect's server needs 50 ms of CPU for each task run.
    """
    if (context := flow_context()) is not None and task_context() is None:
        from prefect.utilities.annotations import quote

        from prefect_together_video.tasks.running.prefect_compat import without_results

        # Quoted, because Prefect would otherwise search every field of every argument for results of other tasks.
        with without_results(context):
            return await one.task(*map(quote, args), **{name: quote(given) for name, given in kwargs.items()})  # type: ignore[arg-type]
    return await repeat(one, lambda: one.fn(*args, **kwargs), title=_title(args))


async def repeat(
    policy: Policy,
    call: Callable[[], Coroutine[Any, Any, R]],
    *,
    title: str = "",
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> R:
    """Make `call` with the retries, delays and time limit of a step.

    Args:
        title: what the call is for; the line about each retry starts with it.

    Raises:
        TimeoutError: an attempt took longer than the step's `timeout_seconds`.
        VideoError: a retry cannot help, or this was the last attempt.
    """
    delays = policy.delays
    for attempt in range(policy.retries + 1):
        try:
            async with asyncio.timeout(policy.timeout_seconds):
                return await call()
        except VideoError as error:
            if not error.retryable or attempt == policy.retries:
                raise
            delay = delays[min(attempt, len(delays) - 1)]
            delay *= 1 + policy.retry_jitter_factor * chance()
            warn_of_retry(title, error, f" in {delay:.0f} s")
            await sleep(delay)
    raise AssertionError("the last attempt returns or raises")


def warn_of_retry(title: str, error: VideoError, when: str = "") -> None:
    """Log a failed attempt that is retried. The log record has the error's message as `retry_of`, so a display counts
    these lines instead of showing each.
    """
    words = f"{str(error).rstrip('.')}. Trying again{when}."
    run_logger().warning("%s", f"{title}: {words}" if title else words, extra={"retry_of": error.message})


def _title(args: tuple[Any, ...]) -> str:
    """The title of the step's video: its plan or its purchase is among the arguments."""
    titles = (getattr(one, "title", None) for one in args)
    return next((title for title in titles if isinstance(title, str)), "")
