"""How the process ends: by SIGTERM as by Ctrl-C, and whether it may although Prefect still has something to send.

At exit Prefect sends the events that are left, and waits seconds for each that cannot be sent: hours
after a batch of hundreds of videos, where the server is gone. What counts is in the bucket and on the
terminal by then.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_begun = False
_given_up = False


def begin() -> None:
    """A flow begins: from here on something may have been created."""
    global _begun
    _begun = True


def has_begun() -> bool:
    return _begun


def stop_on_sigterm(*_: object) -> None:
    """SIGTERM ends a command as Ctrl-C does. Not by way of SIGINT, which scripts' background jobs ignore."""
    raise KeyboardInterrupt


@contextmanager
def when_done() -> Iterator[None]:
    """Ctrl-C and SIGTERM in here count when it is over: in the middle of an import they can become any error."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: came.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def leave_on_signals(code: int) -> None:
    """All is done and said: a signal from here on ends the process at once, with this exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(code))


def give_up_sending() -> None:
    """The server does not answer any more."""
    global _given_up
    _given_up = True


def has_given_up() -> bool:
    return _given_up
