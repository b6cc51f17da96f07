"""Whether the process may end although Prefect still has something to send.

At exit Prefect sends the events that are left, and waits seconds for each that cannot be sent: hours
after a batch of hundreds of videos, where the server is gone. What counts is in the bucket and on the
terminal by then.
"""

from __future__ import annotations

_given_up = False


def give_up_sending() -> None:
    """The server does not answer any more."""
    global _given_up
    _given_up = True


def has_given_up() -> bool:
    return _given_up
