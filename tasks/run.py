"""Which Prefect run this is, for the ledger."""

from __future__ import annotations

import socket

from prefect.runtime import flow_run

from together_video.records import RunRef


def current_run() -> RunRef:
    """The flow run that is under way in this context; empty outside of one."""
    return RunRef(flow_run_id=flow_run.id, flow_run_name=flow_run.name, host=socket.gethostname())
