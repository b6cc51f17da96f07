"""Listeners in this process that get news as it happens, such as a display. There need not be any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

News = TypeVar("News")


class Audience(Generic[News]):
    """The listeners of this context and of contexts that it starts. Make one per module: it is never removed."""

    def __init__(self, name: str) -> None:
        self._listeners: ContextVar[tuple[Callable[[News], None], ...]] = ContextVar(name, default=())

    @contextmanager
    def joined_by(self, listener: Callable[[News], None]) -> Iterator[None]:
        """Call `listener` with all news until the block ends, in addition to earlier listeners."""
        token = self._listeners.set((*self._listeners.get(), listener))
        try:
            yield
        finally:
            self._listeners.reset(token)

    def tell(self, news: News) -> None:
        """Call every listener."""
        for listener in self._listeners.get():
            listener(news)
