"""What a command does before it imports Prefect, or calls anybody."""

from __future__ import annotations

import os

from flows.cli.terminal import Terminal
from together_video.certificates import check_certificate_variables
from together_video.proxies import make_usable_for_httpx


def prepare(terminal: Terminal, *, verbose: bool = False) -> None:
    """Make this process's environment one in which Prefect and our own clients work.

    Prefect's log lines are kept out of the terminal; they still go to the server and its UI.

    PREFECT_LOGGING_* variables that are set win.

    Raises:
        ConfigurationError: certificates or a proxy that the environment names cannot be used; names the variable.
    """
    check_certificate_variables()
    for warning in make_usable_for_httpx():
        terminal.note(warning)
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
        # What it could not send to a server that is away, it would print whole.
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
