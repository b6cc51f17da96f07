"""The video models that the API lists, stored in the archive: one write-once object per day and API.

So at most one run a day requests the lists; all others read a small object. Losing one costs two calls.
"""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from pydantic import ValidationError

from prefect_together_video.blocks.store.store import Store
from together_video.catalogue.live import LiveModels
from together_video.ledger.layout import Layout, slug_of_name


class ModelLists:
    """Keys under `models/`, for the API at one address. Raises `ArchiveError`s; see `store`."""

    def __init__(self, store: Store, layout: Layout, base_url: str) -> None:
        self._store = store
        self._layout = layout
        # What a sandbox offers says nothing about the real service.
        self._api = slug_of_name(urlsplit(base_url).netloc.rpartition("@")[2], "api")

    async def of_day(self, day: date) -> LiveModels | None:
        """What was read on this day in UTC, if anything: one read."""
        stored = await self._store.get(self._key(day))
        if stored is None:
            return None
        try:
            return LiveModels.model_validate_json(stored.data)
        except ValidationError:
            # Whatever this is, it is not usable, and tomorrow has another key.
            return None

    async def keep(self, live: LiveModels) -> bool:
        """Store it, unless another run of this day has done so."""
        return await self._store.put_once(self._key(live.read_at.date()), live.model_dump_json().encode())

    def _key(self, day: date) -> str:
        return self._layout.models(f"{day:%Y-%m-%d}-{self._api}.json")
