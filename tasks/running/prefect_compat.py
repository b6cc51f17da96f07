"""The parts of Prefect that we use although they are not public, in one place: what each is for, and where it was seen.

Seen in Prefect 3.8.8 to 3.9.1; `tests/tasks/test_prefect_compat.py` fails if one of them changes.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.assets import Asset
from prefect.blocks.core import Block

# Raised by `rate_limit` if the server does not answer; no public module has it.
from prefect.concurrency._asyncio import ConcurrencySlotAcquisitionError
from prefect.context import AssetContext, FlowRunContext, TaskRunContext

__all__ = [
    "ConcurrencySlotAcquisitionError",
    "document_id",
    "document_name",
    "materialise",
    "run_is_stopping",
    "without_results",
]


def without_results(context: FlowRunContext) -> FlowRunContext:
    """The same flow run, for one step, with a copy of the results that its tasks passed to each other. The copy is
    dropped with the step.

    Prefect keeps a state for every field of every result until the run ends, to find out which task passed what to
    which. The memory of a large batch would grow by 30 kB per video.
    """
    return context.model_copy(update={"run_results": {}, "task_run_assets": {}})


def document_id(block: Block) -> UUID | None:
    """The id of a block on the server that it was loaded from; None if it was not loaded."""
    return block._block_document_id


def document_name(block: Block) -> str | None:
    """The name that a block is saved under; None if it was not saved or loaded."""
    return block._block_document_name


def run_is_stopping() -> bool:
    """Whether the task runner of this thread's flow run has asked its tasks to stop.

    It then waits for the threads that run them, and informs nobody but Prefect's own engine.
    """
    flow, task = FlowRunContext.get(), TaskRunContext.get()
    if flow is None or task is None:
        return False
    events = getattr(flow.task_runner, "_cancel_events", {})
    asked = events.get(task.task_run.id)
    return asked is not None and asked.is_set()


def materialise(key: str, metadata: dict[str, Any]) -> None:
    """Have the current task run materialise an asset whose key was not known when the run started.

    `prefect.assets.materialize` wants all keys when a task is declared.
    """
    if (context := AssetContext.get()) is None:
        return
    context.downstream_assets.add(Asset(key=key))
    context.add_asset_metadata(key, metadata)
    context.update_tracked_assets()
