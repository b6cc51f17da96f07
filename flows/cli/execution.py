"""Run the work of a flow and show progress, warnings and errors on the terminal. Prefect is not needed."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from prefect_together_video.flows.cli.confirmation import Confirmation
from prefect_together_video.flows.cli.options import PlaceOptions
from prefect_together_video.flows.cli.screen.terminal import Terminal
from prefect_together_video.flows.cli.screen.under_way import UnderWay
from prefect_together_video.flows.cli.servers import shutdown
from prefect_together_video.flows.engine.decision import deciding
from prefect_together_video.flows.reporting.happenings import watching
from prefect_together_video.flows.reporting.progress import listening
from prefect_together_video.flows.reporting.results import Ending
from together_video.errors import VideoError
from together_video.ledger.audit import AuditReport
from together_video.ledger.settings import archive_from_env
from together_video.ledger.summary import Summary
from together_video.text import counted

INTERRUPTED = 130
#: Most warnings of a run that are shown. Hundreds of videos can have the same one.
_MOST_WARNINGS = 30


def run_without_prefect(
    work: Callable[..., Coroutine[Any, Any, Ending]],
    parameters: dict[str, Any],
    place: PlaceOptions,
    terminal: Terminal,
    asking: Confirmation | None = None,
) -> tuple[int, Summary | AuditReport | None]:
    """Run the work of a flow with the environment's key and archive. Each step has its retries and its time limit, but
    the run is not recorded. See `execute`.
    """
    # Keep the log lines of other libraries off the terminal, as when Prefect is imported.
    logging.getLogger().addHandler(logging.NullHandler())

    async def run() -> Ending:
        with warnings_shown(terminal):
            if place.archive_folder is None:
                return await work(**parameters)
            return await work(**parameters, archive=archive_from_env(place.archive_folder))

    return execute(run, terminal, asking)


def execute(
    work: Callable[[], Coroutine[Any, Any, Ending]], terminal: Terminal, asking: Confirmation | None = None
) -> tuple[int, Summary | AuditReport | None]:
    """Run to the end and show progress on the terminal. Returns the exit code and the result, if there is one.

    `asking` shows plan and price before anything is bought.

    Exit codes: 0 done, 1 not everything is done, 2 bad input, 130 interrupted.
    """
    _spare_the_collector()
    shutdown.begin()
    under_way = UnderWay()
    try:
        with (
            terminal.showing(),
            listening(under_way.hear),
            watching(under_way.watch),
            listening(terminal.progress),
            watching(terminal.happening),
            deciding(asking),
        ):
            ending = asyncio.run(_stopped_by_sigterm(work))
    except _interruptions():
        early = asking is not None and asking.is_open
        terminal.clear_line()
        terminal.complain("Interrupted. Nothing was bought." if early else under_way.words)
        return INTERRUPTED, None
    except VideoError as error:
        terminal.complain(error.message)
        return error.exit_code, None
    finally:
        # The event loop removed the handler.
        signal.signal(signal.SIGTERM, shutdown.stop_on_sigterm)
    if asking is not None and asking.is_shown:
        return 0, None
    result = ending.result
    if isinstance(result, VideoError):
        terminal.complain(result.message)
        return result.exit_code, None
    if isinstance(result, Summary | AuditReport):
        return (0 if ending.is_completed else 1), result
    terminal.complain(f"The run ended as {ending.name}: {ending.message or result}")
    return 1, None


async def _stopped_by_sigterm(work: Callable[[], Coroutine[Any, Any, Ending]]) -> Ending:
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work()


def _interruptions() -> tuple[type[BaseException], ...]:
    if (prefect := sys.modules.get("prefect.exceptions")) is None:
        return KeyboardInterrupt, asyncio.CancelledError
    # SIGTERM raises this while Prefect records the run.
    return KeyboardInterrupt, asyncio.CancelledError, prefect.TerminationSignal


def _spare_the_collector() -> None:
    """Exclude imported objects from garbage collection: scanning them repeatedly takes a twelfth of a batch's CPU.

    A video leaves about 35 kB in reference cycles, which are collected every thousand videos or so.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.set_threshold(5_000, 10, 5)


@contextmanager
def warnings_shown(terminal: Terminal) -> Iterator[None]:
    """Show the warnings of our loggers and of Prefect's run loggers on the terminal as well."""
    warnings = _Warnings(terminal)
    loggers = [logging.getLogger(n) for n in ("together_video", "prefect.flow_runs", "prefect.task_runs")]
    for logger in loggers:
        logger.addHandler(warnings)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(warnings)
        if (more := warnings.count - _MOST_WARNINGS) > 0:
            terminal.note(f"… and {counted(more, 'warning')} more, in the run's log.")


class _Warnings(logging.Handler):
    """Warnings that Prefect's UI shows too: why a run waits, what the check found. Errors are reported elsewhere."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno != logging.WARNING or getattr(record, "is_last_line", False):
            return
        if (error := getattr(record, "retry_of", None)) is not None:
            self._terminal.retry(record.getMessage(), error)
        else:
            self.count += 1
            if self.count <= _MOST_WARNINGS:
                self._terminal.note(record.getMessage())
