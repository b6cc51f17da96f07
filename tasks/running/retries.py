"""Steps, when a failed step is retried, and whether it may be: the error itself says so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from prefect_together_video.tasks.running.runs import warn_of_retry
from together_video.errors import VideoError

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds before the first retry. Each further retry waits twice as long, plus up to half of that.
_FIRST_DELAY, _JITTER = 2.0, 0.5


@dataclass(frozen=True)
class Step(Generic[P, R]):
    """One step in the life of a video: a function, and the retries and the time limit that it runs under.

    `runs.step` runs it, through Prefect inside a flow run. The options are named as those of Prefect's tasks.
    """

    fn: Callable[P, Coroutine[Any, Any, R]]
    name: str
    description: str
    task_run_name: str
    retries: int = 0
    timeout_seconds: float | None = None
    #: Delay of each retry, the last one for all that follow; None: those of `delays`.
    retry_delay_seconds: float | list[float] | None = None
    retry_jitter_factor: float = _JITTER

    @cached_property
    def task(self) -> Task[P, Coroutine[Any, Any, R]]:
        """The same step as a Prefect task. Prefect is imported only here."""
        from prefect import task

        options = {**repetition(), "retry_jitter_factor": self.retry_jitter_factor}
        if self.retry_delay_seconds is not None:
            options["retry_delay_seconds"] = self.retry_delay_seconds
        made: Task[P, Coroutine[Any, Any, R]] = task(
            name=self.name,
            description=self.description,
            task_run_name=self.task_run_name,
            retries=self.retries,
            timeout_seconds=self.timeout_seconds,
            **options,
        )(self.fn)
        return made

    @property
    def delays(self) -> list[float]:
        """Seconds before each retry, without jitter."""
        given = self.retry_delay_seconds
        if given is None:
            return delays(self.retries)
        return given if isinstance(given, list) else [float(given)]

    def with_options(self, **options: Any) -> Step[P, R]:
        """The same step with other retries or another time limit."""
        return replace(self, **options)


def retried_task(
    name: str, description: str, *, run_name: str, retries: int = 4, seconds: float | None = 3600
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Step[P, R]]:
    """A step whose failed attempts are retried after 2, 4, 8, … seconds, plus up to half of that, if the error says
    that this may help.

    Nothing is cached: what a step returns is for the archive or the provider to say, or exists on this machine only.

    Args:
        run_name: names the task's runs from its parameters, such as `wait: {purchase.title}`.
        retries: at most this many, after the first attempt.
        seconds: how long one attempt may take; None: no limit.
    """

    def make(fn: Callable[P, Coroutine[Any, Any, R]]) -> Step[P, R]:
        return Step(fn, name, description, run_name, retries, seconds)

    return make


def delays(retries: int) -> list[float]:
    """The pauses before this many retries: 2, 4, 8, … seconds."""
    return [_FIRST_DELAY * 2**number for number in range(retries)]


def repetition() -> dict[str, Any]:
    """The options that all tasks share: when a failed attempt is retried, if at all, and that nothing is cached."""
    from prefect.cache_policies import NO_CACHE

    return {
        "retry_delay_seconds": delays,
        "retry_jitter_factor": _JITTER,
        "retry_condition_fn": worth_repeating,
        "cache_policy": NO_CACHE,
    }


async def worth_repeating(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """For `retry_condition_fn`, which Prefect calls while a retry is left.

    It must be async and await the result: Prefect passes an async task's state, whose `result()` is a coroutine. A sync
    function would never retry.
    """
    try:
        await state.result()
    except VideoError as error:
        if error.retryable:
            warn_of_retry(task_run.name, error)
        return error.retryable
    except Exception:  # noqa: BLE001 - nothing says that a retry of any other error is safe
        return False
    return False
