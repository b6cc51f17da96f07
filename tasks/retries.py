"""Whether a failed task may be run again: the error itself says so."""

from __future__ import annotations

from typing import Any

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from prefect_together_video.tasks.runs import run_logger
from together_video.errors import VideoError


async def worth_repeating(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """For `retry_condition_fn`, which is asked where a retry is left.

    It must be async and await the result: Prefect hands an async task's state whose `result()` is a
    coroutine, and a sync function would never retry.
    """
    try:
        await state.result()
    except VideoError as error:
        if error.retryable:
            run_logger().warning("%s. Trying again.", str(error).rstrip("."))
        return error.retryable
    except Exception:  # noqa: BLE001 - whatever it is, nothing says that a repetition is safe
        return False
    return False
