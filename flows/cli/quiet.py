"""Settings of the process that must stand before Prefect is imported."""

from __future__ import annotations

import os


def quiet_prefect(*, verbose: bool = False) -> None:
    """Keep Prefect's log lines out of the terminal; they still go to the server and its UI.

    Whoever sets PREFECT_LOGGING_* gets what they asked for.
    """
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
        # What it could not send to a server that is away, it would print whole.
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
