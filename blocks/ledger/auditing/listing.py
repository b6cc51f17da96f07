"""Listing an archive into the tables of an audit: each folder once, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from prefect_together_video.blocks.ledger.auditing.book import AuditBook
from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.blocks.store.objects import ListedObject
from prefect_together_video.blocks.store.store import Store

#: Names that start with a hexadecimal digit are listed by sixteen listings at once.
_DIGITS = "123456789abcdef"

Take = Callable[[list[ListedObject]], None]


class ArchiveListing:
    """Lists the folders of an archive. `foreign` has the objects in the ledger's folders that are not ours."""

    def __init__(self, ledger: Ledger, book: AuditBook) -> None:
        self._ledger, self._book = ledger, book
        self.foreign: list[str] = []

    def own(self, folder: str, listed: Iterable[ListedObject]) -> list[ListedObject]:
        """The objects that this project writes; the others are added to `foreign`."""
        own: list[ListedObject] = []
        for one in listed:
            if self._ledger.layout.is_own(folder, one.key):
                own.append(one)
            else:
                self.foreign.append(one.key)
        return own

    async def list_files(self) -> None:
        """List the videos and posters."""
        async for page in self._pages("videos"):
            self._book.take_listed("files", page)

    async def list_media(self) -> None:
        """List the images, videos and audio that requests name."""
        async for page in self._pages("media"):
            self._book.take_listed("media", page)

    async def list_marks(self) -> None:
        """List the names of the marks of each video; in a large archive by several listings at once."""

        def take(page: list[ListedObject]) -> None:
            names = self._ledger.reviews.names(one.key for one in self.own("reviews", page))
            rows = ((video, name) for video, several in names.items() for name in several)
            self._book.tell("INSERT OR REPLACE INTO marks VALUES (?, ?)", rows)

        await spread(self._ledger.store, self._ledger.layout.key("reviews", ""), take)

    async def list_spending(self, month: str) -> None:
        """List what the monthly limit counts for this month (`2026-11`)."""
        start = self._ledger.layout.spending(month, "")
        async for page in self._pages("spending"):
            of_month = [one for one in self.own("spending", page) if one.key.startswith(start)]
            self._book.take_listed("spending", of_month)

    async def list_records(self) -> None:
        """List the records; in a large archive by several listings at once."""
        start = len(self._ledger.layout.key("records", ""))

        def take(page: list[ListedObject]) -> None:
            self._book.take_listed("records", self.own("records", page), lambda key: key[start:])

        await spread(self._ledger.store, self._ledger.layout.key("records", ""), take)

    def _pages(self, folder: str) -> AsyncIterator[list[ListedObject]]:
        return self._ledger.store.pages(self._ledger.layout.key(folder, ""))


async def spread(store: Store, start: str, take: Take) -> None:
    """Pass everything below `start` to `take`, page by page, in no order. If it fits into one page of a bucket, this
    costs one listing. Otherwise it is listed in ranges at the same time, by the first digit of each name.
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
    """Pass on everything with keys greater than the first of the range, up to the second."""
    after, end = range_
    async for page in store.pages(start, after=after):
        # A server that ignores where to start is read from the beginning.
        take([one for one in page if one.key > after and (end is None or one.key <= end)])
        if end is not None and page and page[-1].key > end:
            break
