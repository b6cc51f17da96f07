"""What a command does before it imports Prefect or calls a server.

httpx is imported late, too, so that errors in the input are reported first.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr

from pydantic import ValidationError

from prefect_together_video.flows.cli.options import LookOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.server.configured import QUIET, may_have_server
from together_video.errors import ConfigurationError
from together_video.ledger.settings import archive_from_env
from together_video.text import printable


def begin(place: LookOptions, *, asks_api: bool = True, prefect: bool = True) -> Terminal:
    """Check the environment, import Prefect, and return the terminal of a command that runs a flow.

    Prefect takes seconds to import, so missing settings are reported first.

    Args:
        prefect: False if the command does not need Prefect; see `needs_prefect`.

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
        # These imports load most of what flows need.
        if prefect:
            import_prefect()
            import prefect_together_video.flows.cli.running
        else:
            import prefect_together_video.flows.cli.execution  # noqa: F401
    return terminal


def needs_prefect(place: LookOptions) -> bool:
    """Whether a Prefect server may record the run or has its blocks, or Prefect's log lines are wanted."""
    return place.is_verbose or place.together is not None or place.archive is not None or may_have_server()


def prepare(terminal: Terminal, *, verbose: bool = False, prefect: bool = True) -> None:
    """Adjust the environment of this process so that Prefect and our own clients work.

    Args:
        prefect: whether the command imports Prefect afterwards.

    Raises:
        ConfigurationError: certificates, a proxy or an address in the environment cannot be used. The error names the
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
    """Keep Prefect's log lines off the terminal. They still go to the server and its UI.

    PREFECT_LOGGING_* variables take precedence.
    """
    if not verbose:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)


def import_prefect() -> None:
    """Import Prefect and let it read its settings.

    Raises:
        ConfigurationError: a variable, or a setting in its profile, has a value that Prefect does not accept.
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
            f"Prefect cannot use its setting {name}, which is {printable(given, 60)!r}: {found['msg']}. Correct it. "
            "Nothing was created."
        ) from error
    sys.stderr.write(said.getvalue())
