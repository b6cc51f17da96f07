"""Tasks for other people's flows: each is written once, and works in sync and in async code.

As with Prefect's own pairs (`Block.load` and `Block.aload`), call the plain name in sync code, and await the name with
an `a` in async code. The plain name can be awaited there, too.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy, CachePolicy
from prefect.context import FlowRunContext, TaskRunContext

from prefect_together_video.tasks.running.background import background
from prefect_together_video.tasks.running.retries import repetition
from together_video.errors import VideoError

#: Options of the command line, as errors name them, and their Python arguments.
_ARGUMENTS = {
    "--on-ambiguous resubmit": 'on_ambiguous="resubmit"',
    "--on-ambiguous resolve": 'on_ambiguous="resolve"',
    "--retry-failed": "retry_failed=True",
    "--price-usd": "price_usd",
    "--archive-folder DIR": 'archive=VideoArchive(folder="DIR")',
}

P = ParamSpec("P")
R = TypeVar("R")


class AsyncTask(Task[P, Coroutine[Any, Any, R]], Generic[P, R]):
    """The member of a pair that is awaited."""

    if not TYPE_CHECKING:  # Prefect's own overloads say what a call returns

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """A coroutine.

            Raises:
                TypeError: it was called in a sync flow or task, where nothing would await it.
            """
            if not _code_is_async():
                raise TypeError(
                    f"{self.fn.__name__} is awaited in async flows and tasks. Here, in sync code, call "
                    f"{self.fn.__name__.removeprefix('a')}. Nothing was done."
                )
            return super().__call__(*args, **kwargs)

    def with_options(self, *args: Any, **kwargs: Any) -> AsyncTask[P, R]:
        made = super().with_options(*args, **_of_this_task(kwargs))
        made.__class__ = type(self)
        return cast(AsyncTask[P, R], made)


class SyncTask(Task[P, R], Generic[P, R]):
    """The member of a pair that is called; in async code it delegates to the other."""

    twin: AsyncTask[P, R]

    if not TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.twin(*args, **kwargs) if _code_is_async() else super().__call__(*args, **kwargs)

    def with_options(self, *args: Any, **kwargs: Any) -> SyncTask[P, R]:
        made = super().with_options(*args, **_of_this_task(kwargs))
        made.__class__ = type(self)
        made = cast(SyncTask[P, R], made)
        made.twin = self.twin.with_options(*args, **kwargs)
        return made


def task_pair(
    core: Callable[P, Coroutine[Any, Any, R]],
    *,
    names: tuple[str, str],
    task_name: str,
    description: str,
    run_name: Callable[[], str],
) -> tuple[SyncTask[P, R], AsyncTask[P, R]]:
    """A sync and an async task that both run `core` on the process's background loop.

    The steps inside `core` have their own retries, as `retries.retried_task` describes. A caller who wants more gives
    `with_options(retries=…)`; that, too, retries only errors that a retry may help.

    Args:
        core: the work; its signature and docstring become the tasks'.
        names: the names of the two in the module of `core`, the sync one first.
        task_name: their name in Prefect.
        run_name: names a run, from `prefect.runtime.task_run.parameters`.
    """

    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        return background().begin(_in_python(core(*args, **kwargs))).wait()

    async def awaited(*args: P.args, **kwargs: P.kwargs) -> R:
        return await background().begin(_in_python(core(*args, **kwargs))).wait_async()

    options: dict[str, Any] = {
        "name": task_name,
        "description": description,
        "task_run_name": run_name,
        **repetition(),
    }
    plain, other = names
    sync_task: SyncTask[P, R] = SyncTask(_named(called, core, plain), **options)
    sync_task.twin = AsyncTask(_named(awaited, core, other), **options)
    for one in (sync_task, sync_task.twin):
        one.__doc__ = core.__doc__
    return sync_task, sync_task.twin


def _of_this_task(options: dict[str, Any]) -> dict[str, Any]:
    """The options with a cache that tells the tasks apart: Prefect goes by their source, and ours share one."""
    policy = options.get("cache_policy")
    if not isinstance(policy, CachePolicy) or policy == NO_CACHE:
        return options
    return {**options, "cache_policy": policy + CacheKeyFnPolicy(cache_key_fn=_name_of_task)}


def _name_of_task(context: TaskRunContext, _: dict[str, Any]) -> str:
    return context.task.name


async def _in_python(work: Coroutine[Any, Any, R]) -> R:
    """The same work, but its errors name arguments instead of command-line options."""
    try:
        return await work
    except VideoError as error:
        for option, argument in _ARGUMENTS.items():
            error.what = error.what.replace(option, argument)
            error.remedy = error.remedy and error.remedy.replace(option, argument)
        raise


def _named(function: Callable[..., Any], core: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function` with the signature and the docstring of `core`, under its own name."""
    functools.update_wrapper(function, core)
    function.__name__ = function.__qualname__ = name
    # `inspect` would follow this to `core`, which is async: Prefect would take both for async tasks.
    del function.__wrapped__  # type: ignore[attr-defined]
    function.__signature__ = inspect.signature(core)  # type: ignore[attr-defined]
    return function


def _code_is_async() -> bool:
    """Whether the caller can await: decided by its task or flow, or else by whether a loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        is_running = False
    else:
        is_running = True
    context = TaskRunContext.get() or FlowRunContext.get()
    if context is None:
        return is_running
    made = context.task if isinstance(context, TaskRunContext) else context.flow
    if getattr(made, "isasync", True):
        return True
    return is_running and _has_a_loop_of_its_own()


def _has_a_loop_of_its_own() -> bool:
    """Whether sync code started the running loop with `asyncio.run`, or is itself called from a loop."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in {"asyncio.base_events", "asyncio.runners"}:
            return True
        if name in {"prefect.flow_engine", "prefect.task_engine"}:
            return False
        frame = cast(Any, frame.f_back)
    return False
