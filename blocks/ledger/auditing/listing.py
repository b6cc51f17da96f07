"""What lies in an archive, listed into the tables of an audit: each folder once, and by pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from prefect_together_video.blocks.ledger.auditing.book import AuditBook
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store

#: Names that begin with a hexadecimal digit are listed by sixteen listings at once.
_DIGITS = "123456789abcdef"

Take = Callable[[list[ListedObject]], None]


class ArchiveListing:
    """Lists the folders of an archive. `foreign` is what this project does not write into those of the ledger."""

    def __init__(self, ledger: Ledger, book: AuditBook) -> None:
        self._ledger, self._book = ledger, book
        self.foreign: list[str] = []

    def own(self, folder: str, listed: Iterable[ListedObject]) -> list[ListedObject]:
        """Those that this project writes; the others are kept in `foreign`."""
        own: list[ListedObject] = []
        for one in listed:
            if self._ledger.layout.is_own(folder, one.key):
                own.append(one)
            else:
                self.foreign.append(one.key)
        return own

    async def list_files(self) -> None:
        """The videos and posters."""
        async for page in self._pages("videos"):
            self._book.take_listed("files", page)

    async def list_media(self) -> None:
        """The images, videos and audio that requests name."""
        async for page in self._pages("media"):
            self._book.take_listed("media", page)

    async def list_marks(self) -> None:
        """The names of the marks of each video. In a large archive by several listings at once."""

        def take(page: list[ListedObject]) -> None:
            names = self._ledger.reviews.names(one.key for one in self.own("reviews", page))
            rows = ((video, name) for video, several in names.items() for name in several)
            self._book.tell("INSERT OR REPLACE INTO marks VALUES (?, ?)", rows)

        await spread(self._ledger.store, self._ledger.layout.key("reviews", ""), take)

    async def list_spending(self, month: str) -> None:
        """What the monthly limit counts, of this month (`2026-11`)."""
        start = self._ledger.layout.spending(month, "")
        async for page in self._pages("spending"):
            of_month = [one for one in self.own("spending", page) if one.key.startswith(start)]
            self._book.take_listed("spending", of_month)

    async def list_records(self) -> None:
        """The records. In a large archive by several listings at once."""
        start = len(self._ledger.layout.key("records", ""))

        def take(page: list[ListedObject]) -> None:
            self._book.take_listed("records", self.own("records", page), lambda key: key[start:])

        await spread(self._ledger.store, self._ledger.layout.key("records", ""), take)

    def _pages(self, folder: str) -> AsyncIterator[list[ListedObject]]:
        return self._ledger.store.pages(self._ledger.layout.key(folder, ""))


async def spread(store: Store, start: str, take: Take) -> None:
    """Give `take` everything below `start`, page by page, in no order. What fills no more than a page of a bucket costs
    one listing. What is more is listed in ranges at the same time, by the first digit of each name.
    """
    if store.place.folder is not None:
        async for page in store.pages(start):
            take(page)
        return
    first, whole = await store.list_first(start, pages=1)
    take(list(first))
    if not whole:
        last = first[-1].key
        ends = [end for digit in _DIGITS if (end := f"{start}{digit}") > last]
        ranges = zip([last, *ends], [*ends, None], strict=True)
        await asyncio.gather(*(_take_range(store, start, range_, take) for range_ in ranges))


async def _take_range(store: Store, start: str, range_: tuple[str, str | None], take: Take) -> None:
    """Everything with keys greater than the first of two, up to the second."""
    after, end = range_
    async for page in store.pages(start, after=after):
        # A server that ignores where to begin is read from the start.
        take([one for one in page if one.key > after and (end is None or one.key <= end)])
        if end is not None and page and page[-1].key > end:
            break
