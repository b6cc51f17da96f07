"""What a command does before it imports Prefect, or calls anybody.

httpx is imported late, too: what is wrong with the input is said before.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr

from pydantic import ValidationError

from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from together_video.errors import ConfigurationError
from together_video.ledger.settings import archive_from_env
from together_video.text import printable


def begin(place: LookOptions, *, asks_api: bool = True) -> Terminal:
    """The terminal of a command that runs a flow, once the environment has all that it needs and Prefect is imported.

    Prefect takes seconds to import: what is missing is told before.

    Raises:
        ConfigurationError: a key, a bucket or folder, or an address is missing or cannot be used.
    """
    from together_video.api.settings import api_from_env

    terminal = Terminal(quiet=place.json, verbose=place.is_verbose)
    prepare(terminal, verbose=place.is_verbose)
    if asks_api and place.together is None:
        api_from_env()
    place.refuse_two_archives()
    if place.archive is None:
        archive_from_env(place.archive_folder)
    with terminal.waiting("Starting …", in_pipe=False):
        import_prefect()
        # With most of what flows need.
        import prefect_together_video.flows.cli.running  # noqa: F401
    return terminal


def prepare(terminal: Terminal, *, verbose: bool = False, prefect: bool = True) -> None:
    """Make this process's environment one in which Prefect and our own clients work.

    Args:
        prefect: whether the command imports Prefect afterwards.

    Raises:
        ConfigurationError: certificates, a proxy or an address that the environment names cannot be used; names the
            variable.
    """
    from prefect_together_video.flows.server.address import refuse_wrong_address
    from together_video.network.certificates import check_certificate_variables
    from together_video.network.proxies import make_usable_for_httpx

    check_certificate_variables()
    for warning in make_usable_for_httpx():
        terminal.note(warning)
    if prefect:
        refuse_wrong_address()
    keep_prefect_quiet(verbose=verbose)


def keep_prefect_quiet(*, verbose: bool = False) -> None:
    """Keep Prefect's log lines out of the terminal; they still go to the server and its UI.

    PREFECT_LOGGING_* variables that are set win.
    """
    if not verbose:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
        # What it could not send to a server that is away, it would print whole.
        os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")


def import_prefect() -> None:
    """Import Prefect, and have it read its settings.

    Raises:
        ConfigurationError: a variable, or a line of its profile, has a value that Prefect does not take.
    """
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            from prefect.settings import get_current_settings

            get_current_settings()
    except ValidationError as error:
        found = error.errors()[0]
        given = str(found["input"])
        variables = (
            name for name, value in os.environ.items() if name.startswith("PREFECT_") and value == given
        )
        name = next(variables, "_".join(map(str, found["loc"])))
        raise ConfigurationError(
            f"Prefect cannot use its setting {name}, which is {printable(given, 60)!r}: {found['msg']}. Correct it; "
            "nothing was created."
        ) from error
    sys.stderr.write(said.getvalue())
