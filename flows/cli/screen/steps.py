"""Show the steps of a command that take a while, such as writing a ZIP file, and their progress, n of m."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from prefect_together_video.flows.cli.screen.folding import fold
from prefect_together_video.flows.cli.screen.progress_lines import bar_line, elapsed, time_words
from prefect_together_video.flows.cli.screen.standing_display import StandingDisplay
from prefect_together_video.flows.reporting.tally import Standing, rest_by_pace
from together_video.text import printable


class Steps:
    """Receives the steps and shows nothing. Can be called from several threads."""

    def begin(self, words: str, total: int = 0, noun: str = "file") -> None:
        """A step begins. `words` describe it; `total` is the number of `noun` in it, if known."""

    def advance(self) -> None:
        """One more item is done."""


#: For programs.
SILENT = Steps()


class ShownSteps(Steps):
    """Shows steps on a console: live on a terminal; in a pipe, a line when each begins and some in between."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = self._began = clock()
        self._words, self._noun = "", "file"
        self._total = self._done = 0
        self._lock = threading.Lock()
        self._display = StandingDisplay(console, self._standing, live_lines=_live_lines, lines=_lines)

    @contextmanager
    def shown(self) -> Iterator[Steps]:
        with self._display.shown():
            yield self

    def begin(self, words: str, total: int = 0, noun: str = "file") -> None:
        with self._lock:
            self._words, self._total, self._noun, self._done = words, total, noun, 0
            self._began = self._clock()
        self._display.say(lambda standing: _line(standing, f"{printable(words, 500)} …"))

    def advance(self) -> None:
        with self._lock:
            self._done += 1
        self._display.beat()

    def _standing(self) -> Standing:
        with self._lock:
            now = self._clock()
            return Standing(
                total=self._total,
                done=min(self._done, self._total),
                noun=self._noun,
                seconds=now - self._start,
                to_go=rest_by_pace(self._done, self._total - self._done, now - self._began),
                now=self._words,
            )


def _live_lines(standing: Standing, width: int) -> list[str]:
    lines = [bar_line(standing, width)] if standing.total else []
    lines += [time_words(standing), f"{standing.now} …"]
    return [printable(line, width) for line in lines]


def _lines(standing: Standing, width: int | None) -> list[str]:
    far = f": {standing.headline}" if standing.total else " …"
    words = _line(standing, f"{printable(standing.now, 500)}{far}")
    return [words] if width is None else fold(words, width, "      ")


def _line(standing: Standing, words: str) -> str:
    return f"{elapsed(standing.seconds)}  {words}"
