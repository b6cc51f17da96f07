"""How the process ends: on SIGTERM as on Ctrl-C, and whether to exit although Prefect still has something to send.

At exit Prefect sends the remaining events, and waits seconds for each that it cannot send. After a batch of
hundreds of videos this takes hours if the server is gone. Everything that matters is in the archive and on the
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
    """A flow begins: from now on, something may have been created."""
    global _begun
    _begun = True


def has_begun() -> bool:
    return _begun


def stop_on_sigterm(*_: object) -> None:
    """SIGTERM ends a command as Ctrl-C does. It does not send SIGINT, which scripts' background jobs ignore."""
    raise KeyboardInterrupt


@contextmanager
def when_done() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the block ends: in the middle of an import they can become any error."""
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
    """Everything is done: from now on, a signal ends the process at once, with this exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(code))


def give_up_sending() -> None:
    """The server no longer answers, so do not wait for it at exit."""
    global _given_up
    _given_up = True


def has_given_up() -> bool:
    return _given_up
