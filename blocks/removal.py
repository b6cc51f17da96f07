"""Removing what is done with, for many at once by one request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from blocks.store import ObjectStore
from together_video.errors import ArchiveError


class Removal:
    """One request at a time; whoever comes meanwhile is served together with all others by the next one.

    So a lone caller waits for nobody, and hundreds of videos that finish together cost a few requests.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._waiting: dict[asyncio.Future[ArchiveError | None], list[str]] = {}

    async def remove(self, keys: Iterable[str]) -> None:
        """Returns once they are gone.

        Raises:
            ArchiveError: some of what was to be removed with them may still be there.
        """
        ours: asyncio.Future[ArchiveError | None] = asyncio.get_running_loop().create_future()
        self._waiting[ours] = list(keys)
        async with self._turn:
            if not ours.done():
                # If this is cancelled, the others are still waiting and the next of them asks again.
                together = dict(self._waiting)
                trouble = None
                try:
                    await self._store.delete(key for keys in together.values() for key in keys)
                except ArchiveError as error:
                    trouble = error
                for waiting in together:
                    del self._waiting[waiting]
                    waiting.set_result(trouble)
        if (trouble := ours.result()) is not None:
            raise trouble
