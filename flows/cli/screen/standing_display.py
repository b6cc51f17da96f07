"""What is shown of something that takes time: a live display on a terminal, else a line from time to time."""

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
    """Asks `standing` how it stands, as often as it needs to know.

    Args:
        live_lines: the lines of the live display, for a width in columns.
        lines: what a pipe gets, or a terminal that cannot be live; the width is None for a pipe.
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
        """Of a terminal, in columns: nothing needs to fit into a pipe."""
        return self._console.width if self._console.is_terminal else None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """From now on, until the block ends; then the live display is taken away."""
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
        """Nothing moves while somebody is asked."""
        return self._live.paused() if self._live is not None else nullcontext()

    def beat(self) -> None:
        """Another line for a pipe, where one is due."""
        if self._live is not None:
            return
        with self._lock:
            standing = self._standing()
            if (standing.total or standing.now) and is_due(standing, self._last):
                self._last = standing
                for line in self._plain(standing, self.width):
                    self.print(line)

    def say(self, words: Callable[[Standing], str]) -> None:
        """A line for a pipe now; the next one is due by the time that has passed since."""
        if self._live is not None:
            return
        with self._lock:
            self._last = self._standing()
            self.print(words(self._last))

    def print(self, line: str, style: str = "") -> None:
        """A line that stays, above the live display."""
        # Not by print's own style, which the live area would get as well.
        self._console.print(Text(line, style), soft_wrap=True)

    def _keep_beating(self, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_SECONDS):
            self.beat()
