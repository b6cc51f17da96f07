"""How a step is run again after it failed, and whether it may be: the error itself says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from prefect_together_video.tasks.running.runs import warn_of_retry
from together_video.errors import VideoError

P = ParamSpec("P")
R = TypeVar("R")


def retried_task(
    name: str, description: str, *, run_name: str, retries: int = 4, seconds: float = 3600
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task of which a failed attempt is repeated after 2, 4, 8, … seconds and up to half as long again, where its
    error says that this may help.

    Nothing is cached: what a step returns is the archive's or the provider's to say, or lies on this machine only.

    Args:
        run_name: names the task's runs, from its parameters, such as `wait: {purchase.title}`.
        retries: how often at most, after the first attempt.
        seconds: how long one attempt may take.
    """
    return task(
        name=name,
        description=description,
        task_run_name=run_name,
        retries=retries,
        timeout_seconds=seconds,
        **repetition(),
    )


def repetition() -> dict[str, Any]:
    """The options that all tasks share: when a failed attempt is repeated, if any is, and that nothing is cached."""
    return {
        "retry_delay_seconds": exponential_backoff(2),
        "retry_jitter_factor": 0.5,
        "retry_condition_fn": worth_repeating,
        "cache_policy": NO_CACHE,
    }


async def worth_repeating(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """For `retry_condition_fn`, which is asked where a retry is left.

    It must be async and await the result: Prefect hands an async task's state whose `result()` is a
    coroutine, and a sync function would never retry.
    """
    try:
        await state.result()
    except VideoError as error:
        if error.retryable:
            warn_of_retry(task_run.name, error)
        return error.retryable
    except Exception:  # noqa: BLE001 - whatever it is, nothing says that a repetition is safe
        return False
    return False
