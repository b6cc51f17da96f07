"""Select the videos and batches that `list` shows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from prefect_together_video.blocks.ledger.ledger import Ledger
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.ledger.account import Account
from together_video.ledger.index import Costs, Entry
from together_video.ledger.lines import Newest
from together_video.ledger.names import BATCH_ID, VideoId
from together_video.ledger.spend import Period
from together_video.ledger.summary import GOOD, VideoState
from together_video.ledger.titles import varied
from together_video.text import one_line

#: Batches whose summaries are read at the same time.
_AT_ONCE = 8

Said = TypeVar("Said", bound=BaseModel)


@dataclass(frozen=True)
class Wanted:
    """The conditions that listed videos meet."""

    batch: str | None = None
    #: The videos that the batch reports, including those that another run bought.
    reported: frozenset[str] = frozenset()
    since: Period = field(default_factory=Period)
    model: str | None = None
    state: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    mark: str | None = None
    search: str | None = None

    def takes(self, entry: Entry) -> bool:
        since = self.since.since
        return (
            (self.batch is None or entry.batch == self.batch or entry.id in self.reported)
            and (since is None or entry.at[:10] >= since.isoformat())
            and (self.model is None or self.model.casefold() in entry.model.casefold())
            and (self.state is None or entry.state == self.state)
            and all(entry.labels.get(name) == text for name, text in self.labels.items())
            and (self.mark is None or (entry.mark or "none") == self.mark)
            and (self.search is None or self._is_found(self.search.casefold(), entry))
        )

    @staticmethod
    def _is_found(text: str, entry: Entry) -> bool:
        places = (entry.prompt, entry.varies, entry.note, *entry.labels.values())
        return any(text in place.casefold() for place in places)


@dataclass
class Batch:
    """One batch: what its run reported at the end, and its own purchases."""

    id: str
    has_page: bool = False
    title: str = ""
    videos: int = 0
    archived: int = 0
    costs: Costs = field(default_factory=Costs)
    starred: int = 0
    rejected: int = 0

    @property
    def account(self) -> Account:
        return self.costs.account


class Batches:
    """All batches: those that bought something, and those whose run has ended."""

    def __init__(self, ended: Collection[str], since: Period) -> None:
        self._first = "" if since.since is None else since.since.strftime("%Y%m%d")
        self._found = {name: Batch(name, has_page=True) for name in ended if BATCH_ID.fullmatch(name)}

    def add(self, entry: Entry) -> None:
        """Count a video in its batch."""
        if entry.batch is None:
            return
        batch = self._found.get(entry.batch)
        if batch is None:
            if not BATCH_ID.fullmatch(entry.batch):
                return
            batch = self._found[entry.batch] = Batch(entry.batch)
        batch.videos += 1
        batch.archived += entry.state == "archived"
        batch.costs.add(entry)
        batch.starred += entry.mark == "star"
        batch.rejected += entry.mark == "reject"

    @property
    def newest_first(self) -> list[Batch]:
        return sorted(
            (one for one in self._found.values() if one.id >= self._first),
            key=attrgetter("id"),
            reverse=True,
        )


class BatchesBegunSo:
    """Collects the ids of batches that begin with a text."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning
        self.names: set[str] = set()

    def add(self, entry: Entry) -> None:
        if entry.batch is not None and entry.batch.startswith(self._beginning):
            self.names.add(entry.batch)


class _Row(BaseModel):
    state: VideoState


class _Ended(BaseModel):
    """The fields of `batch.json` that are read."""

    title: str = ""
    videos: tuple[_Row, ...] = ()


class _Reported(BaseModel):
    """A video in `batch.json`, with the fields that a list shows."""

    id: VideoId
    state: VideoState
    model: str = Field(default="", max_length=200)
    prompt: str | None = None
    error: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    varies: dict[str, str] = Field(default_factory=dict)

    def entry(self, batch: str) -> Entry:
        """A line for a video that has no record, because nothing was bought."""
        return Entry(
            name=f"{self.id}.json",
            size=0,
            written=0,
            state=self.state.value,
            at=f"{moment_of(batch)[:-1]}.000000Z",
            model=self.model,
            prompt=one_line(self.prompt or "", 1_000),
            batch=batch,
            cost=None,
            key=None,
            job=None,
            edition="",
            take=1,
            seconds=None,
            error=None if self.error is None else one_line(self.error, 300),
            labels=self.labels,
            varies=varied(self.varies),
        )


class _Report(BaseModel):
    videos: tuple[_Reported, ...] = ()


async def reported(ledger: Ledger, batch: str) -> dict[str, Entry]:
    """The videos that a batch's run reported at its end, by id. Empty while it runs, or if they cannot be read.

    Raises:
        StoreUnavailable: the archive does not answer.
    """
    said = await _at_its_end(ledger, batch, _Report)
    return {} if said is None else {row.id: row.entry(batch) for row in said.videos}


async def _at_its_end(ledger: Ledger, batch: str, kind: type[Said]) -> Said | None:
    """Read `batch.json`. None if there is none, or this project did not write it: then the batch is listed by its
    purchases.
    """
    try:
        stored = await ledger.store.get(ledger.layout.batch(batch, "batch.json"))
        return None if stored is None else kind.model_validate_json(stored.data)
    except StoreUnavailable:
        raise
    except (ArchiveError, ValidationError):
        return None


class Videos(Newest):
    """The wanted videos. For a batch, also those that were refused or skipped, which have no record."""

    def __init__(self, wanted: Wanted, limit: int | None, reported: Mapping[str, Entry]) -> None:
        super().__init__(limit, wanted.takes)
        unbought = (VideoState.REFUSED.value, VideoState.SKIPPED.value)
        self._unbought = {video: one for video, one in reported.items() if one.state in unbought}

    def add(self, entry: Entry) -> None:
        self._unbought.pop(entry.id, None)
        super().add(entry)

    def end(self) -> Videos:
        """Add the videos that the batch reports and that have no record."""
        for entry in self._unbought.values():
            super().add(entry)
        self._unbought = {}
        return self


def moment_of(batch: str) -> str:
    """When a batch began, according to its id: `2026-11-27T20:00:00Z`."""
    return f"{batch[:4]}-{batch[4:6]}-{batch[6:11]}:{batch[11:13]}:{batch[13:15]}Z"


async def titled(ledger: Ledger, batches: Sequence[Batch]) -> None:
    """Add what the run of each reported at its end: the title, and the number of videos, reused ones included."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def read(batch: Batch) -> None:
        async with places:
            said = await _at_its_end(ledger, batch.id, _Ended)
        if said is not None:
            batch.title = one_line(said.title, 200)
            batch.videos = max(batch.videos, len(said.videos))
            batch.archived = max(batch.archived, sum(row.state in GOOD for row in said.videos))

    await asyncio.gather(*(read(batch) for batch in batches if batch.has_page))
