"""Parts of Prefect that are not its public interface, in one place: what each is for, and where it was seen.

Seen in Prefect 3.8.8 to 3.9.1; `tests/tasks/test_prefect_compat.py` fails where one of them changes.
"""

from __future__ import annotations

from uuid import UUID

from prefect.blocks.core import Block

# Raised by `rate_limit` where the server cannot be asked; no public module has it.
from prefect.concurrency._asyncio import ConcurrencySlotAcquisitionError
from prefect.context import FlowRunContext

__all__ = ["ConcurrencySlotAcquisitionError", "document_id", "without_results"]


def without_results(context: FlowRunContext) -> FlowRunContext:
    """The same flow run, for one step, with what its tasks gave to each other in a copy that ends with it.

    Prefect keeps a state for every field of every result until the run ends, to find out which task gave what to
    which: the memory of a large batch would grow by 30 kB a video.
    """
    return context.model_copy(update={"run_results": {}, "task_run_assets": {}})


def document_id(block: Block) -> UUID | None:
    """Under which id a block is saved on the server that it was loaded from; None for one that was not."""
    return block._block_document_id
