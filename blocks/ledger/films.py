"""The films of an archive: `films/<id>/`, and which image is the last frame of a clip."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import ValidationError

from prefect_together_video.blocks.store.store import Store
from together_video.errors import ArchiveError, ObjectConflict
from together_video.film.record import FilmRecord, LastFrame
from together_video.ledger.layout import Layout
from together_video.ledger.names import is_video_id


class Films:
    """Films, each written once. Raises `ArchiveError`s."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout

    async def read(self, film: str) -> FilmRecord | None:
        """The record of a film, if it was made.

        Raises:
            ArchiveError: the object there is not what this project wrote.
        """
        key = self._layout.film(film, "film.json")
        found = await self._store.get(key)
        if found is None:
            return None
        try:
            record = FilmRecord.model_validate_json(found.data)
        except ValidationError as error:
            raise self._foreign(key) from error
        if record.id != film or any(not self._is_of(film, stored.key) for stored in record.files):
            raise self._foreign(key)
        return record

    async def keep(self, record: FilmRecord) -> FilmRecord:
        """Write the record, once everything that it names is there. Returns the one that counts."""
        body = record.model_dump_json(indent=1).encode()
        if await self._store.put_once(self._layout.film(record.id, "film.json"), body):
            return record
        return await self.read(record.id) or record

    async def last_frame(self, sha256: str) -> str | None:
        """The reference of the image that was taken as the last frame of a clip of this content."""
        key = self._layout.last_frame(sha256)
        found = await self._store.get(key)
        if found is None:
            return None
        try:
            fact = LastFrame.model_validate_json(found.data)
        except ValidationError as error:
            raise self._foreign(key) from error
        if fact.clip != sha256:
            raise self._foreign(key)
        return fact.frame

    async def keep_last_frame(self, sha256: str, reference: str) -> str:
        """Store which image it is. Returns the one that counts: an image that was sent once is sent again."""
        body = LastFrame(clip=sha256, frame=reference).model_dump_json().encode()
        if await self._store.put_once(self._layout.last_frame(sha256), body):
            return reference
        if (held := await self.last_frame(sha256)) is None:
            raise ObjectConflict(f"films/frames/{sha256}.json could neither be written nor read.")
        return held

    async def all(self) -> AsyncIterator[tuple[str, dict[str, int]]]:
        """Each film with the contents of its folder: the size of each key, in bytes. Without frames."""
        start = self._layout.key("films", "")
        film, objects = "", dict[str, int]()
        async for page in self._store.pages(start):
            for one in page:
                name = one.key.removeprefix(start).partition("/")[0]
                if not is_video_id(name):
                    continue
                if name != film and objects:
                    yield film, objects
                    objects = {}
                film = name
                objects[one.key] = one.size
        if objects:
            yield film, objects

    def _is_of(self, film: str, key: str) -> bool:
        return key.startswith(self._layout.film(film, ""))

    def _foreign(self, key: str) -> ArchiveError:
        return ArchiveError(
            f"{self._store.uri(key)} is not what this project wrote.", remedy="Remove it, and run again."
        )
