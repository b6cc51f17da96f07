"""What happens to each video, told as it happens to whoever listens in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from together_video.records import VideoPlan


@dataclass(frozen=True)
class Progress:
    """One change of one video: `stage` is a verb in the past ("created"), `done` of `total` are over."""

    plan: VideoPlan
    stage: str
    detail: str = ""
    done: int = 0
    total: int = 0


Listener = Callable[[Progress], None]

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of every change until the block ends."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(progress: Progress) -> None:
    if (listener := _listener.get()) is not None:
        listener(progress)
