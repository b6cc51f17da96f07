"""Those in this process who hear of something as it happens, such as a display. Nobody needs to listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

News = TypeVar("News")


class Audience(Generic[News]):
    """The listeners of this context, and of what it begins. Make one for a module: it is never given up."""

    def __init__(self, name: str) -> None:
        self._listeners: ContextVar[tuple[Callable[[News], None], ...]] = ContextVar(name, default=())

    @contextmanager
    def joined_by(self, listener: Callable[[News], None]) -> Iterator[None]:
        """Call `listener` with all news until the block ends, beside those who listen already."""
        token = self._listeners.set((*self._listeners.get(), listener))
        try:
            yield
        finally:
            self._listeners.reset(token)

    def tell(self, news: News) -> None:
        """Call every listener."""
        for listener in self._listeners.get():
            listener(news)
