"""Marks in an archive: `reviews/<id>/<time>-<who>.json`, each written once. The newest one of a clip counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, StoreUnavailable
from together_video.ledger.layout import Layout
from together_video.ledger.reviews import Mark, newest, stored_mark
from together_video.text import printable

_log = logging.getLogger("together_video")

#: How many objects are read, written or listed at the same time.
_AT_ONCE = 16
#: For this many videos one page of all marks is read. If those pages do not have all, each video is listed by itself.
_A_PAGE = 16


@dataclass(frozen=True)
class Kept:
    """The outcome of storing marks: new ones, those that already existed, and those of videos that the archive does not
    know."""

    written: tuple[Mark, ...]
    unchanged: tuple[Mark, ...]
    unknown: tuple[Mark, ...]


class Reviews:
    """The marks of one archive. Raises `ArchiveError`s."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout

    async def keep(self, marks: Iterable[Mark]) -> Kept:
        """Write marks of videos that have a record. Writing the same mark again changes nothing."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def write(mark: Mark) -> bool | None:
            async with places:
                if await self._store.head(self._layout.record(mark.id)) is None:
                    return None
                return await self._store.put_once(
                    self._layout.review(mark.id, mark.object_name), mark.content
                )

        listed = list(marks)
        done = list(zip(listed, await asyncio.gather(*map(write, listed)), strict=True))
        return Kept(
            written=tuple(mark for mark, is_new in done if is_new),
            unchanged=tuple(mark for mark, is_new in done if is_new is False),
            unknown=tuple(mark for mark, is_new in done if is_new is None),
        )

    async def of(self, videos: Collection[str]) -> dict[str, Mark]:
        """The mark that counts for each of these videos, if there is one that was not withdrawn."""
        if not videos:
            return {}
        start = self._layout.key("reviews", "")
        listed, whole = await self._store.list_first(start, pages=max(1, len(videos) // _A_PAGE))
        keys = [found.key for found in listed]
        if not whole:
            keys = await self._listed_each(videos)
        wanted = set(videos)
        names = {video: several for video, several in self.names(keys).items() if video in wanted}
        return _standing(await self.read(names))

    async def all(self) -> dict[str, Mark]:
        """The mark that counts for every video that has one."""
        listed = await self._store.list(self._layout.key("reviews", ""))
        return _standing(await self.read(self.names([one.key for one in listed])))

    def names(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """The names of the marks of each video, from keys of a listing; what is not ours is skipped."""
        start = self._layout.key("reviews", "")
        found: dict[str, list[str]] = {}
        for key in keys:
            if self._layout.is_own("reviews", key):
                video, _, name = key.removeprefix(start).partition("/")
                found.setdefault(video, []).append(name)
        return found

    async def read(self, names: Mapping[str, Sequence[str]]) -> dict[str, Mark]:
        """The mark that counts for each video, from the marks of these names; also one that withdraws others."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def read(video: str, several: Sequence[str]) -> Mark | None:
            async with places:
                # Names sort by time: the last is the newest, unless somebody else wrote it.
                for name in sorted(several, reverse=True):
                    if (mark := await self._read(video, name)) is not None:
                        return mark
                return None

        found = await asyncio.gather(*(read(video, several) for video, several in names.items()))
        return newest(mark for mark in found if mark is not None)

    async def _read(self, video: str, name: str) -> Mark | None:
        key = self._layout.review(video, name)
        try:
            stored = await self._store.get(key)
            return None if stored is None else stored_mark(video, name, stored.data)
        except StoreUnavailable:
            raise
        except (ArchiveError, ValueError) as error:
            _log.warning("%s is not what this project wrote there and is ignored: %s", printable(key), error)
            return None

    async def _listed_each(self, videos: Iterable[str]) -> list[str]:
        places = asyncio.Semaphore(_AT_ONCE)

        async def listed(video: str) -> list[str]:
            async with places:
                return [found.key for found in await self._store.list(self._layout.review(video))]

        return [key for keys in await asyncio.gather(*map(listed, videos)) for key in keys]


def _standing(marks: Mapping[str, Mark]) -> dict[str, Mark]:
    return {video: mark for video, mark in marks.items() if not mark.is_taken_back}
