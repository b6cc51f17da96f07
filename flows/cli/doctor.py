"""`together-video doctor`: check whether a run can succeed here, with one line for each thing that it needs."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, suppress
from typing import TYPE_CHECKING, Any

from rich.text import Text

from prefect_together_video.flows.checkup.checkup import Patient, examine
from prefect_together_video.flows.checkup.line import NAMES, SERVER, CheckLine, State
from prefect_together_video.flows.checkup.redaction import Secrets
from prefect_together_video.flows.cli.options import PlaceOptions
from prefect_together_video.flows.cli.preamble import import_prefect, keep_prefect_quiet
from prefect_together_video.flows.cli.screen.encoding import holds_all
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.flows.server.address import refuse_wrong_address
from together_video.errors import ConfigurationError
from together_video.network.proxies import ProxySettings, make_usable_for_httpx, proxies_from_env
from together_video.text import counted

if TYPE_CHECKING:
    from prefect_together_video.blocks import TogetherCredentials, VideoArchive

_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.SKIPPED: "dim"}
_NAME_WIDTH = max(map(len, NAMES))
_STATE_WIDTH = max(map(len, State))
_GAP = 2
#: Width of the lines in a file or a pipe, unless COLUMNS says otherwise.
_PASTED = 90
_WORDS_BEGIN = _NAME_WIDTH + _STATE_WIDTH + 2 * _GAP


def doctor(*, place: PlaceOptions = PlaceOptions()) -> int:  # noqa: B008 - frozen
    """Check everything that a run needs, and say how to fix problems. Costs nothing, and shows no secrets."""
    terminal = Terminal(quiet=place.json)
    if not terminal.out.is_terminal:
        # People paste it into reports.
        terminal.out.width = shutil.get_terminal_size((_PASTED, 24)).columns
    keep_prefect_quiet(verbose=place.verbose)
    # The lines already report what Prefect and our own clients warn about.
    logging.getLogger("together_video").addHandler(logging.NullHandler())
    # A check that hangs leaves a thread behind, and Prefect has nothing to send: wait for neither at exit.
    shutdown.give_up_sending()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with terminal.waiting("Checking …", in_pipe=False):
            lines = asyncio.run(_lines(place))
    found = Counter(line.state for line in lines)
    if place.json:
        terminal.document(
            {
                "ok": not found[State.FAILED],
                "problems": found[State.FAILED],
                "warnings": found[State.WARNING],
                "checks": [line.model_dump(mode="json") for line in lines],
            }
        )
    else:
        for line in lines:
            show(line, terminal)
        style = "bold red" if found[State.FAILED] else "bold yellow" if found[State.WARNING] else "bold green"
        terminal.out.print(f"\n{closing(found[State.FAILED], found[State.WARNING])}", style=style)
    return 1 if found[State.FAILED] else 0


def closing(problems: int, warned: int) -> str:
    """The last sentence."""
    counts = [
        counted(number, what) for number, what in ((problems, "problem"), (warned, "warning")) if number
    ]
    if problems:
        return f"{', '.join(counts)}."
    return f"{counts[0]}, no problems: runs can start." if counts else "No problems: runs can start."


def show(line: CheckLine, terminal: Terminal) -> None:
    """Print the name, the coloured state and the words in a row, and below the words what to do."""
    out, width = terminal.out, max(terminal.out.width - _WORDS_BEGIN, 20)
    # Text, not markup: some of the words come from others.
    state = Text(f"{line.state:<{_STATE_WIDTH + _GAP}}", _COLOURS[line.state])
    begin = Text.assemble(f"{line.name:<{_NAME_WIDTH + _GAP}}", state)
    remedy, command = Text(line.remedy or "", "cyan"), Text(line.command or "", "bold")
    if remedy and command and len(remedy) + 1 + len(command) <= width:
        remedy, command = Text(" ").join([remedy, command]), Text()
    for row in (*Text(line.words).wrap(out, width), *(remedy.wrap(out, width) if remedy else ())):
        row.rstrip()
        out.print(begin + row, soft_wrap=True)
        begin = Text(" " * _WORDS_BEGIN)
    if command:
        # A folded command cannot be copied: start a long one further left.
        indent = max(_GAP, min(_WORDS_BEGIN, out.width - len(command)))
        out.print(Text(" " * indent) + command, soft_wrap=True)


async def _lines(place: PlaceOptions) -> list[CheckLine]:
    proxies = _proxy_settings()
    server, usable = _server_address()

    async def together() -> TogetherCredentials:
        usable()
        from prefect_together_video.flows.cli.running import credentials_of

        return await credentials_of(place)

    async def archive() -> VideoArchive:
        usable()
        from prefect_together_video.flows.cli.running import archive_of

        return await archive_of(place)

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    patient = Patient(together, archive, server, proxies, encoding, holds_all(sys.stdout), place.together)
    lines = await examine(patient)
    secrets = Secrets(os.environ, _prefect_secrets())
    return [secrets.removed_from(line) for line in lines]


def _server_address() -> tuple[Callable[[], str | None], Callable[[], None]]:
    """Two functions: one returns the address of the Prefect server, one raises if Prefect cannot be used at all."""
    try:
        refuse_wrong_address()
    except ConfigurationError as error:
        # With some wrong addresses Prefect cannot be imported, and the other checks need it.
        os.environ.pop("PREFECT_API_URL", None)
        return _raising(error), lambda: None
    try:
        # The lines report what it prints, such as missing certificates.
        with redirect_stderr(io.StringIO()):
            import_prefect()
    except ConfigurationError as error:
        unusable = ConfigurationError(f"Not checked because Prefect cannot be used: see {SERVER} below.")
        return _raising(error), _raising(unusable)
    except Exception:  # noqa: BLE001 - each check that needs Prefect says so
        return lambda: None, lambda: None

    def address() -> str | None:
        from prefect.settings import PREFECT_API_URL

        return PREFECT_API_URL.value() or None

    return address, lambda: None


def _proxy_settings() -> Callable[[], ProxySettings]:
    """A function that returns the environment's proxy settings, which are then rewritten for Prefect's clients."""
    try:
        settings = proxies_from_env()
        make_usable_for_httpx()
    except ConfigurationError as error:
        return _raising(error)
    return lambda: settings


def _raising(error: ConfigurationError) -> Callable[[], Any]:
    def give() -> None:
        raise error

    return give


def _prefect_secrets() -> Iterator[str]:
    """The secrets in Prefect's settings, which can come from a profile instead of the environment."""
    with suppress(Exception):
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY

        for setting in (PREFECT_API_KEY, PREFECT_API_AUTH_STRING):
            yield str(setting.value() or "")
