"""The live display of a running command on a terminal, with rich.

Other output, from us, from Prefect's loggers or from `warnings`, scrolls above it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

#: Widest area, in columns. If a terminal is made narrower, it folds wider lines and leaves bits of them behind.
_WIDEST = 79
_PER_SECOND = 4.0
#: Columns that stay free at the right for the terminal's own `^C`, which would otherwise fold the line.
_FREE = 3

#: Returns the lines for a width in columns.
Lines = Callable[[int], list[str]]


class LiveDisplay:
    """Shows `lines` at the bottom of the terminal, several times a second, until it is stopped."""

    def __init__(self, console: Console, lines: Lines) -> None:
        self._console = console
        self._lines = lines
        self._live: Live | None = None
        self._loggers: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        if self._live is not None:
            return
        streams = (sys.stdout, sys.stderr)
        self._live = _Resizable(
            console=self._console,
            get_renderable=self._rendered,
            refresh_per_second=_PER_SECOND,
            transient=True,
            # Output that goes to a file must not end up on the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start(refresh=True)
        self._loggers = list(_redirected(streams))

    def stop(self) -> None:
        """Remove it from the terminal and show the cursor again."""
        if self._live is None:
            return
        for holder, name, stream in self._loggers:
            setattr(holder, name, stream)
        live, self._live = self._live, None
        live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hide it while the user is asked."""
        was_there = self._live is not None
        self.stop()
        try:
            yield
        finally:
            if was_there:
                self.start()

    def _rendered(self) -> RenderableType:
        width = min(self._console.width - _FREE, _WIDEST)
        texts = [Text(line, no_wrap=True) for line in self._lines(width)]
        for text in texts:
            # Some characters are two columns wide.
            text.truncate(width, overflow="ellipsis")
        return Group(*texts)


class _Resizable(Live):
    """Also erases lines that the terminal folded when it was made narrower."""

    #: Columns of each line when the area was last drawn.
    _drawn: tuple[int, ...] = ()

    def process_renderables(self, renderables: list[Any]) -> list[Any]:
        width = self.console.width
        if self._live_render._shape is not None and any(columns > width for columns in self._drawn):
            rows = sum(max(-(-columns // width), 1) for columns in self._drawn)
            self._live_render._shape = (width, rows)
        self._drawn = tuple(line.cell_len for line in _texts(self._live_render.renderable))
        return super().process_renderables(renderables)


def _texts(shown: Any) -> Iterator[Text]:
    """The lines that are drawn. Some versions of rich put a group into a group."""
    if isinstance(shown, Text):
        yield shown
    elif isinstance(shown, Group):
        for part in shown.renderables:
            yield from _texts(part)


def _redirected(streams: tuple[TextIO, TextIO]) -> Iterator[tuple[Any, str, Any]]:
    """Give log handlers that use one of these streams its replacement. Yields what to restore later."""
    now = {id(before): after for before, after in zip(streams, (sys.stdout, sys.stderr), strict=True)}
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    handlers = {handler for one in loggers if isinstance(one, logging.Logger) for handler in one.handlers}
    for handler in handlers:
        # Prefect's handler writes through its own console.
        for holder, name in ((handler, "stream"), (getattr(handler, "console", None), "_file")):
            stream = getattr(holder, name, None)
            if stream is not None and id(stream) in now and now[id(stream)] is not stream:
                setattr(holder, name, now[id(stream)])
                yield holder, name, stream
