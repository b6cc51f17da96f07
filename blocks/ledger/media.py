"""The images, videos and audio of requests, each stored once under the name of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.store.store import Store
from together_video.api.downloads import hash_file
from together_video.errors import MediaRefused, ObjectConflict, Spent
from together_video.ledger.layout import Layout
from together_video.media.files import MediaFile
from together_video.media.inline import data_url, why_not_inline
from together_video.media.references import LINK_SECONDS, sha256_of


class MediaStore:
    """Media of an archive, which requests name by their references."""

    def __init__(self, store: Store, layout: Layout) -> None:
        self._store, self._layout = store, layout

    async def keep(self, file: MediaFile) -> bool:
        """Store an image, a video or audio under its content's name. False if it is already there.

        Raises:
            MediaRefused: the file has changed since it was inspected.
            ObjectConflict: its key has another content.
        """
        key = self._layout.referenced(file.reference)
        if await self._holds(key, file):
            return False
        source: Path | bytes | None = file.data
        if source is None:
            source = file.path or Path(file.name)
            try:
                now = await to_thread.run_sync(hash_file, source)
            except OSError as error:
                raise MediaRefused(f"{source}: can no longer be read: {error.strerror}.") from error
            if now.sha256 != file.sha256:
                raise MediaRefused(
                    f"{source}: changed while it was read.", spent=Spent.NOTHING, remedy="Run again."
                )
        if await self._store.put_file_once(key, source, file.sha256, file.content_type, at_hand=True):
            return True
        if not await self._holds(key, file):
            raise ObjectConflict(f"{self._store.uri(key)} could neither be written nor read.")
        return False

    async def _holds(self, key: str, file: MediaFile) -> bool:
        head = await self._store.head(key)
        if head is None:
            return False
        sha256 = head.sha256 or await self._store.content_sha256(key)
        if head.size != file.size or sha256 != file.sha256:
            raise self._conflict(key)
        return True

    async def lacks(self, references: Iterable[str]) -> list[str]:
        """Which of these references name nothing in the archive.

        Raises:
            ObjectConflict: its key has another content, by the checksum that the store knows.
        """
        missing: list[str] = []
        for reference in references:
            head = await self._store.head(key := self._layout.referenced(reference))
            if head is None:
                missing.append(reference)
            elif head.sha256 not in {None, sha256_of(reference)}:
                raise self._conflict(key)
        return missing

    def _conflict(self, key: str) -> ObjectConflict:
        return ObjectConflict(
            f"{self._store.uri(key)} differs from what its name says: remove it and run again."
        )

    async def unsendable(self, references: Iterable[str], files: Mapping[str, MediaFile]) -> dict[str, str]:
        """Which of these references cannot reach the provider, and why. `files` are the inspected files."""
        if self._store.gives_links:
            return {}
        found: dict[str, str] = {}
        for reference in references:
            file = files.get(reference)
            known = file or await self._store.head(self._layout.referenced(reference))
            if known is not None and (why := why_not_inline(reference, known.size)):
                found[reference] = why
        return found

    async def links(self, references: Iterable[str]) -> dict[str, str]:
        """What the provider gets for each reference: a link that works without credentials for up to seven days, or, if
        the archive gives no links, the content itself as a data URL.

        Raises:
            InputError: one is not a reference.
            MediaRefused: its content is missing, or cannot be sent in this way.
        """
        keys = {reference: self._layout.referenced(reference) for reference in references}
        if self._store.gives_links:
            signed = await self._store.links(keys.values(), seconds=LINK_SECONDS)
            return {reference: signed[key] for reference, key in keys.items()}
        return {reference: await self._inline(reference, key) for reference, key in keys.items()}

    async def _inline(self, reference: str, key: str) -> str:
        head = await self._store.head(key)
        why = why_not_inline(reference, head.size) if head else "the archive has no such content"
        stored = None if why else await self._store.get(key)
        if stored is None:
            raise MediaRefused(f"{reference}: {why or 'it was removed from the archive'}.")
        if hashlib.sha256(stored.data).hexdigest() != sha256_of(reference):
            raise MediaRefused(
                f"{self._store.uri(key)} differs from what its name says.",
                remedy="Remove it and run again.",
            )
        return data_url(reference, stored.data)
