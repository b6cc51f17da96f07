"""The current Prefect run, if there is one, found without importing Prefect.

Prefect takes seconds to import, and a command without a server does not need it. If nothing has imported it, there is
no run.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.context import FlowRunContext, TaskRunContext


def is_loaded() -> bool:
    """Whether Prefect is imported in this process."""
    return "prefect.context" in sys.modules


def flow_context() -> FlowRunContext | None:
    """The context of the current flow run; None outside of one."""
    if not is_loaded():
        return None
    from prefect.context import FlowRunContext

    return FlowRunContext.get()


def task_context() -> TaskRunContext | None:
    """The context of the current task run; None outside of one."""
    if not is_loaded():
        return None
    from prefect.context import TaskRunContext

    return TaskRunContext.get()
