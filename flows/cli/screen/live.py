"""The live display of a running command on a terminal, with rich.

What else is written meanwhile, by us, by Prefect's loggers or by `warnings`, scrolls above it.
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

#: The area is no wider, in columns: a terminal that is made narrower folds what is wider, and leaves bits of it.
_WIDEST = 79
_PER_SECOND = 4.0
#: Columns that stay free at the right, for the `^C` that a terminal writes itself: folded, it would leave a line.
_FREE = 3

#: Gives the lines for a width in columns.
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
            # What goes into a file must not end up on the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start(refresh=True)
        self._loggers = list(_redirected(streams))

    def stop(self) -> None:
        """Take it off the terminal, and show the cursor again."""
        if self._live is None:
            return
        for holder, name, stream in self._loggers:
            setattr(holder, name, stream)
        live, self._live = self._live, None
        live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Taken off while somebody is asked."""
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
    """Takes back lines that a narrower terminal has folded since they were drawn."""

    #: Columns of each line of the area as it was drawn last.
    _drawn: tuple[int, ...] = ()

    def process_renderables(self, renderables: list[Any]) -> list[Any]:
        width = self.console.width
        if self._live_render._shape is not None and any(columns > width for columns in self._drawn):
            rows = sum(max(-(-columns // width), 1) for columns in self._drawn)
            self._live_render._shape = (width, rows)
        self._drawn = tuple(line.cell_len for line in _texts(self._live_render.renderable))
        return super().process_renderables(renderables)


def _texts(shown: Any) -> Iterator[Text]:
    """The lines of what is drawn. Some versions of rich put a group into a group."""
    if isinstance(shown, Text):
        yield shown
    elif isinstance(shown, Group):
        for part in shown.renderables:
            yield from _texts(part)


def _redirected(streams: tuple[TextIO, TextIO]) -> Iterator[tuple[Any, str, Any]]:
    """Handlers of loggers that hold one of these streams get what stands in its place now; gives what to put back."""
    now = {id(before): after for before, after in zip(streams, (sys.stdout, sys.stderr), strict=True)}
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    handlers = {handler for one in loggers if isinstance(one, logging.Logger) for handler in one.handlers}
    for handler in handlers:
        # Prefect's handler writes by a console of its own.
        for holder, name in ((handler, "stream"), (getattr(handler, "console", None), "_file")):
            stream = getattr(holder, name, None)
            if stream is not None and id(stream) in now and now[id(stream)] is not stream:
                setattr(holder, name, now[id(stream)])
                yield holder, name, stream
