"""Parts of Prefect that are not its public interface, in one place: what each is for, and where it was seen.

Seen in Prefect 3.8.8 to 3.9.1; `tests/tasks/test_prefect_compat.py` fails where one of them changes.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.assets import Asset
from prefect.blocks.core import Block

# Raised by `rate_limit` where the server cannot be asked; no public module has it.
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
    """The same flow run, for one step, with what its tasks gave to each other in a copy that ends with it.

    Prefect keeps a state for every field of every result until the run ends, to find out which task gave what to
    which: the memory of a large batch would grow by 30 kB a video.
    """
    return context.model_copy(update={"run_results": {}, "task_run_assets": {}})


def document_id(block: Block) -> UUID | None:
    """Under which id a block is saved on the server that it was loaded from; None for one that was not."""
    return block._block_document_id


def document_name(block: Block) -> str | None:
    """The name that a block is saved under; None for one that was not saved or loaded."""
    return block._block_document_name


def run_is_stopping() -> bool:
    """Whether the task runner of this thread's flow run has asked its tasks to stop.

    It then waits for the threads that run them, and tells nobody but Prefect's own engine.
    """
    flow, task = FlowRunContext.get(), TaskRunContext.get()
    if flow is None or task is None:
        return False
    events = getattr(flow.task_runner, "_cancel_events", {})
    asked = events.get(task.task_run.id)
    return asked is not None and asked.is_set()


def materialise(key: str, metadata: dict[str, Any]) -> None:
    """Have the task run that is under way materialise an asset whose key was not known before it began.

    `prefect.assets.materialize` wants all keys when a task is declared.
    """
    if (context := AssetContext.get()) is None:
        return
    context.downstream_assets.add(Asset(key=key))
    context.add_asset_metadata(key, metadata)
    context.update_tracked_assets()
