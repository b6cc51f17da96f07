"""The runs of `together-video serve`, and how they end when it is stopped: none is left half started.

On Ctrl-C, Prefect's own runner drops everything. Runs that it was starting stay Submitting, active runs stay Running,
and both occupy the concurrency slots of their deployments for five minutes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TextIO
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.runner import Runner
from prefect.states import Cancelled

NOT_BEGUN = "together-video serve was stopped before this run began. It bought nothing."
GOING_ON = (
    "together-video serve was stopped during this run. Jobs that it had created keep running at the provider and are "
    "billed. Run it again, or run collect-videos, to archive them without paying twice."
)

#: Seconds that a run being started gets to become a process.
_STARTING = 10.0
#: Seconds that one call to the Prefect server may take here. Its client would retry for a minute.
_ONE_CALL = 10.0
#: Seconds between checks of which runs have ended.
_BETWEEN_CHECKS = 0.05

_UNREACHABLE = (httpx.HTTPError, PrefectHTTPStatusError, TimeoutError)


class ServedRunner(Runner):
    """Prefect's runner, with an orderly end.

    `end` needs to know which runs this process has claimed, and which of them have a process. Prefect has no public API
    for either. All uses of its private parts are in this class; tests/deployments/test_stopping_serve.py fails when
    they change. They are the same in Prefect 3.8.8 and 3.9.1.
    """

    def __init__(self, *, limit: int, on_sigterm: Callable[[], None]) -> None:
        # `serve` pauses schedules itself, with its own messages.
        super().__init__(pause_on_shutdown=False, limit=limit)
        self._on_sigterm = on_sigterm
        self._signalled: set[UUID] = set()

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """Prefect installs this when the runner starts. Its own version lets starting runs continue to their end."""
        self._on_sigterm()

    async def __aenter__(self) -> ServedRunner:
        await super().__aenter__()
        if not self._is_known:
            return self
        starter_of = self._scheduled_run_poller._resolve_starter

        def apart(flow_run: FlowRun) -> Any:
            starter: Any = starter_of(flow_run)
            # A terminal sends Ctrl-C to all its processes. A run that gets it during its imports ends in a
            # traceback, and an active run would get it in addition to our signal.
            starter._isolate_process_group = True
            starter._stream_output = (_UntilTheEnd(self, sys.stdout), _UntilTheEnd(self, sys.stderr))
            return starter

        self._scheduled_run_poller._resolve_starter = apart
        return self

    @property
    def _is_known(self) -> bool:
        """Whether this Prefect's runner has the parts that `end` knows. If not, it ends in Prefect's way."""
        parts = ("_process_manager", "_control_channel", "_loops_task_group", "_runs_task_group")
        poller = getattr(self, "_scheduled_run_poller", None)
        return all(hasattr(self, part) for part in parts) and all(
            hasattr(poller, part) for part in ("_resolve_starter", "_submitting_flow_run_ids")
        )

    @property
    def signalled(self) -> set[UUID]:
        """Runs whose process got a signal from `end`."""
        return self._signalled

    @property
    def claimed(self) -> set[UUID]:
        """Runs from the moment they are claimed until their process has ended."""
        if not self._is_known or (not self.started and not self.stopping):
            return set()
        return set(self._scheduled_run_poller._submitting_flow_run_ids)

    async def has_started(self, serving: asyncio.Task[None], *, within: float) -> bool:
        """Whether the runner has started. Waits for its start, at most this many seconds."""
        until = time.monotonic() + within
        while not (self.started or serving.done()) and time.monotonic() < until:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(_BETWEEN_CHECKS)
        return self.started and not serving.done()

    async def end(self, *, patience: float, reachable: bool) -> None:
        """Claim no more runs, and stop those that are claimed. `start` returns soon afterwards.

        A run that is being started becomes a process first, which takes a moment, and is then stopped like the others.

        Args:
            patience: seconds that runs get to store what they have paid for. Then they are killed.
            reachable: whether the Prefect server answers.
        """
        # We stop the processes: do not log how they end.
        logging.getLogger("prefect.runner").setLevel(logging.CRITICAL)
        if not self._is_known:
            await self.astop()
            return
        self.stopping = True
        self._loops_task_group.cancel_scope.cancel()
        stopping: dict[UUID, asyncio.Task[None]] = {}
        started_by = time.monotonic() + (_STARTING if reachable else 0)
        killed_at = time.monotonic() + patience
        while claimed := self.claimed:
            processes = {run for run in claimed if self._process_manager.get(run) is not None}
            for run in processes - stopping.keys():
                stopping[run] = asyncio.create_task(self._stop(run, reachable=reachable))
            if time.monotonic() > killed_at:
                for run in processes:
                    await self._process_manager.kill(run, force=True)
            if not processes and time.monotonic() > started_by:
                # The remaining runs wait for a server that does not answer.
                self._runs_task_group.cancel_scope.cancel()
                break
            await asyncio.sleep(_BETWEEN_CHECKS)
        await asyncio.gather(*stopping.values())

    async def _stop(self, run: UUID, *, reachable: bool) -> None:
        """Send one signal to the run's process. After a second one it would not wait for the answer to a create."""
        seen: StateType | None = None
        if reachable:
            # First, so that a process that ends before its run has begun does not look crashed.
            with suppress(*_UNREACHABLE):
                async with get_client() as client:
                    seen = await _cancel(client, run, {StateType.PENDING: NOT_BEGUN})
        if (handle := self._process_manager.get(run)) is None or handle.pid is None:
            return
        # Tell the process that the next signal is meant to cancel its run. It may be too busy buying to listen.
        told = await self._control_channel.signal(run, "cancel")
        if told.name == "ALREADY_CONCLUDED":
            return
        self._signalled.add(run)
        # If the server does not answer, we do not know whether it has begun.
        may_have_begun = not reachable or seen is StateType.RUNNING or told.name == "ACKNOWLEDGED"
        with suppress(ProcessLookupError):
            if may_have_begun and _takes_sigint():
                # asyncio then cancels the flow. Prefect's SIGTERM handler raises wherever the event loop is. If that
                # is between two callbacks, the flow is never woken again.
                os.kill(handle.pid, signal.SIGINT)
            else:
                # This gives no traceback if Python is still importing.
                handle.graceful_kill()


class _UntilTheEnd:
    """The output of runs until they are stopped: Prefect would report a requested end as an error."""

    def __init__(self, runner: ServedRunner, stream: TextIO) -> None:
        self._runner = runner
        self._stream = stream

    def write(self, text: str) -> None:
        if not self._runner.stopping:
            self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


def _takes_sigint() -> bool:
    """Whether our children receive SIGINT. In the background of a script it is ignored, by them too."""
    return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


async def record_as_cancelled(runs: Collection[UUID], *, signalled: Collection[UUID]) -> int:
    """Give each run that has not ended by itself a final state, which frees its slot in the deployment's limit.

    Args:
        signalled: those that got a signal to end. If one of these crashed, the signal is the reason.

    Returns:
        How many of them the Prefect server did not record.
    """
    messages = {
        StateType.PENDING: NOT_BEGUN,
        StateType.RUNNING: GOING_ON,
        StateType.CANCELLING: GOING_ON,
    }
    after_a_signal = {**messages, StateType.CRASHED: GOING_ON}
    async with get_client() as client:
        cancelling = [_cancel(client, run, after_a_signal if run in signalled else messages) for run in runs]
        results = await asyncio.gather(*cancelling, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if unexpected := [error for error in errors if not isinstance(error, _UNREACHABLE)]:
        raise unexpected[0]
    return len(errors)


async def _cancel(client: PrefectClient, run: UUID, messages: dict[StateType, str]) -> StateType | None:
    """Cancel a run with the message for its current state. Without a message the run is not changed.

    Returns:
        The state that it was in.
    """
    async with asyncio.timeout(_ONE_CALL):
        try:
            state = (await client.read_flow_run(run)).state
        except ObjectNotFound:
            return None
        if state is None:
            return None
        if message := messages.get(state.type):
            await client.set_flow_run_state(run, Cancelled(message=message), force=True)
        return state.type
