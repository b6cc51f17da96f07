"""The display of a run: live on a terminal, otherwise a line from time to time; and a line for each problem."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from rich.console import Console
from rich.markup import escape

from prefect_together_video.flows.cli.screen.progress_lines import (
    PROBLEMS,
    change_words,
    elapsed,
    heartbeat,
    live_lines,
    problem_lines,
)
from prefect_together_video.flows.cli.screen.standing_display import StandingDisplay
from prefect_together_video.flows.reporting.happenings import Happening, Phase, Planned
from prefect_together_video.flows.reporting.progress import Progress
from prefect_together_video.flows.reporting.tally import ENDED, Standing, Tally
from together_video.ledger.short_reasons import short_reason
from together_video.text import printable

#: Most problems that get their own line. The others are counted, and are in the table.
MOST_PROBLEMS = 20
_COLOURS = {
    "created": "cyan",
    "resumed": "cyan",
    "finished": "blue",
    "again": "yellow",
    "archived": "green",
    "reused": "green",
    "submitted": "yellow",
    "skipped": "yellow",
    **PROBLEMS,
}


class RunDisplay:
    """The display of one run. `verbose` adds a line for each change of a video."""

    def __init__(
        self, console: Console, *, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._verbose = verbose
        self._clock = clock
        self._start = clock()
        self._tally = Tally(clock)
        self._now = ""
        self._problems = self._retries = 0
        self._retried = ""
        self._lock = threading.Lock()
        self._display = StandingDisplay(console, self._standing, live_lines=live_lines, lines=heartbeat)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it until the block ends; then remove the live display."""
        try:
            with self._display.shown():
                yield
        finally:
            if (more := self._problems - MOST_PROBLEMS) > 0 and not self._verbose:
                words = f"… and {more} more that failed, were refused or are ambiguous."
                self._display.print(words, "red")

    def paused(self) -> AbstractContextManager[None]:
        """Stop the display while the user is asked."""
        return self._display.paused()

    def hear(self, change: Progress) -> None:
        """Record a change of one video."""
        self._tally.hear(change)
        self._now = change_words(change)
        if self._verbose:
            self._print_detail(change)
        elif change.stage in PROBLEMS:
            self._problems += 1
            if self._problems <= MOST_PROBLEMS:
                for line in problem_lines(change, self._display.width):
                    self._display.print(line, PROBLEMS[change.stage])
        self._display.beat()

    def watch(self, happening: Happening) -> None:
        """Record an event of the whole run."""
        self._tally.watch(happening)
        self._now = ""
        if isinstance(happening, Phase):
            words = happening.words
            self._display.say(lambda standing: f"{elapsed(standing.seconds)}  {words} …")
        elif not isinstance(happening, Planned) or happening.total:
            self._display.beat()

    def count_retry(self, error: str) -> None:
        """Count a retry of a step that failed with this error."""
        with self._lock:
            self._retries += 1
            self._retried = short_reason(error, 60)

    def _standing(self) -> Standing:
        standing = self._tally.standing()
        return replace(standing, now=standing.now or self._now, retries=self._retries, retried=self._retried)

    def _print_detail(self, change: Progress) -> None:
        """`   12 s   2/4  archived   a fox in the snow`"""
        if change.stage in {"creating", "stopped"}:
            return
        count = f"{change.done}/{change.total}" if change.stage in ENDED else ""
        colour = _COLOURS.get(change.stage, "white")
        detail = f"  [dim]{escape(printable(change.detail, 200))}[/]" if change.detail else ""
        self._console.print(
            f"[dim]{self._clock() - self._start:5.0f} s[/]  {count:>9}  [{colour}]{change.stage:<9}[/]  "
            f"{escape(printable(change.plan.title_in(60), 60))}{detail}",
            soft_wrap=True,
        )
