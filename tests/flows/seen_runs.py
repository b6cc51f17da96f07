"""Runs of flows as a Prefect server has them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State, TaskRun

from prefect_together_video.flows.reporting.results import result_of
from together_video.ledger.summary import Summary


class Seen:
    """A run as it ended here, and as the server has it."""

    def __init__(self, state: State[Any], result: Any, flow_run: FlowRun, task_runs: list[TaskRun]) -> None:
        self.state, self.result, self.flow_run = state, result, flow_run
        self.tasks = {found.name: found for found in task_runs}

    @property
    def summary(self) -> Summary:
        assert isinstance(self.result, Summary), self.result
        return self.result

    def attempts(self, name: str) -> int:
        return self.tasks[name].run_count


async def look(state: State[Any]) -> Seen:
    """What the server has of the run that ended so. It records task runs a moment after they end."""
    flow_run_id = state.state_details.flow_run_id
    assert flow_run_id is not None
    result = result_of(await state.aresult(raise_on_failure=False))
    async with get_client() as client:
        flow_run = await client.read_flow_run(flow_run_id)
        only = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
        task_runs: list[TaskRun] = []
        for _ in range(100):
            task_runs = await client.read_task_runs(flow_run_filter=only)
            if all(found.state and found.state.is_final() for found in task_runs):
                break
            await asyncio.sleep(0.1)
        return Seen(state, result, flow_run, task_runs)


def follow(run: Coroutine[Any, Any, State[Any]]) -> Seen:
    """Run a flow to its end, then read it back from the server."""

    async def both() -> Seen:
        return await look(await run)

    seen = asyncio.run(both())
    # Here, where it is expected, not in the middle of another test.
    gc.collect()
    return seen
