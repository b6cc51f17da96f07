"""Reading many facts one by one: unreadable ones are named, and the others count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.errors import StoreUnavailable, VideoError
from together_video.ledger.records import VideoRecord

T = TypeVar("T")


@dataclass(frozen=True)
class Unreadable:
    """A key whose fact could not be read, and why. Its cost is not known."""

    key: str
    reason: str


async def readable(key: str, read: Callable[[], Awaitable[T]]) -> T | Unreadable:
    """The result of `read`, or why the object under `key` cannot be read.

    Raises:
        StoreUnavailable: the archive does not answer.
    """
    try:
        return await read()
    except StoreUnavailable:
        raise
    except VideoError as error:
        return Unreadable(key, error.message)


async def listed_record(ledger: Ledger, key: str) -> VideoRecord | Unreadable:
    """The record under a key of a listing, or why there is none.

    Raises:
        StoreUnavailable: the archive does not answer.
    """
    found = await readable(key, lambda: ledger.read_record(key))
    return found or Unreadable(key, "was listed, but could not be read")
