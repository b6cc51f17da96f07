"""Every video that an archive knows, one after another: from the index, if it is complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prefect_together_video.blocks.ledger.index_reading import IndexUnusable
from prefect_together_video.blocks.ledger.inventory import entries_in_flight, take_inventory
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.ledger.unreadable import Unreadable
from together_video.ledger.index import Entry
from together_video.ledger.lines import standing


class Collects(Protocol):
    """A collection that receives the videos of an archive and keeps what it needs."""

    def add(self, entry: Entry) -> None:
        """Receive one video."""


Found = TypeVar("Found", bound=Collects)


@dataclass(frozen=True)
class Survey(Generic[Found]):
    """The collection, what could not be read, and whether the records had to be listed."""

    found: Found
    unreadable: list[Unreadable]
    is_slow: bool = False


async def survey(ledger: Ledger, new: Callable[[], Found], *, since: str = "") -> Survey[Found]:
    """Pass every video to a collection, each once, in no order. Only a few months' lines are in memory at a time.

    With a complete index this lists the index and what is in flight, and reads the index. Without it, every record is
    listed, and read if the index has no correct line.

    Args:
        new: makes an empty collection. A second one is made if the index turns out to be unusable.
        since: months before this one, such as `2026-11`, need not be passed.

    Raises:
        ArchiveError: the archive cannot be listed, or does not answer.

    Example:
        ```python
        class Count:
            videos = 0

            def add(self, entry):
                self.videos += 1

        (await survey(ledger, Count)).found.videos
        ```
    """
    # In flight first: a purchase that finishes in the meantime is in the index before it leaves inflight/.
    waiting = dict(await ledger.in_flight())
    found = new()
    try:
        async for lines in ledger.index.reader.months(lambda month: month >= since):
            for entry in standing(lines):
                waiting.pop(entry.id, None)
                found.add(entry)
    except IndexUnusable:
        return await _by_records(ledger, new())
    unreadable: list[Unreadable] = []
    for one in await entries_in_flight(ledger, waiting):
        if isinstance(one, Unreadable):
            unreadable.append(one)
        elif one is not None:
            found.add(one)
    return Survey(found, unreadable)


async def _by_records(ledger: Ledger, found: Found) -> Survey[Found]:
    inventory = await take_inventory(ledger)
    for entry in inventory.videos:
        found.add(entry)
    return Survey(found, inventory.unreadable, is_slow=True)
