"""The display of something that takes time: live on a terminal, otherwise a line from time to time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.text import Text

from prefect_together_video.flows.cli.screen.live import LiveDisplay
from prefect_together_video.flows.cli.screen.progress_lines import is_due
from prefect_together_video.flows.cli.screen.terminal_kind import can_be_live
from prefect_together_video.flows.reporting.tally import Standing

_BEAT_SECONDS = 1.0


class StandingDisplay:
    """Shows the progress that `standing` returns, and calls it as often as needed.

    Args:
        live_lines: the lines of the live display, for a width in columns.
        lines: the lines for a pipe, or for a terminal that cannot be live. The width is None for a pipe.
    """

    def __init__(
        self,
        console: Console,
        standing: Callable[[], Standing],
        *,
        live_lines: Callable[[Standing, int], list[str]],
        lines: Callable[[Standing, int | None], list[str]],
    ) -> None:
        self._console, self._standing, self._plain = console, standing, lines
        self._last: Standing | None = None
        self._lock = threading.Lock()
        self._live = (
            LiveDisplay(console, lambda width: live_lines(standing(), width))
            if can_be_live(console)
            else None
        )

    @property
    def is_live(self) -> bool:
        return self._live is not None

    @property
    def width(self) -> int | None:
        """The width of the terminal in columns; None for a pipe, which has no limit."""
        return self._console.width if self._console.is_terminal else None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it until the block ends; then remove the live display."""
        ended = threading.Event()
        beats = threading.Thread(target=self._keep_beating, args=(ended,), daemon=True)
        if self._live is not None:
            self._live.start()
        else:
            beats.start()
        try:
            yield
        finally:
            ended.set()
            if self._live is not None:
                self._live.stop()
            else:
                beats.join(_BEAT_SECONDS)

    def paused(self) -> AbstractContextManager[None]:
        """Stop the display while the user is asked."""
        return self._live.paused() if self._live is not None else nullcontext()

    def beat(self) -> None:
        """Print another line for a pipe, if one is due."""
        if self._live is not None:
            return
        with self._lock:
            standing = self._standing()
            if (standing.total or standing.now) and is_due(standing, self._last):
                self._last = standing
                for line in self._plain(standing, self.width):
                    self.print(line)

    def say(self, words: Callable[[Standing], str]) -> None:
        """Print a line for a pipe now. The time until the next one counts from here."""
        if self._live is not None:
            return
        with self._lock:
            self._last = self._standing()
            self.print(words(self._last))

    def print(self, line: str, style: str = "") -> None:
        """Print a line that stays, above the live display."""
        # Not with print's own style, which would also apply to the live area.
        self._console.print(Text(line, style), soft_wrap=True)

    def _keep_beating(self, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_SECONDS):
            self.beat()
