"""What a ledger needs of the store that it lies in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from prefect_together_video.blocks.store.objects import ListedObject, StoredBytes, StoredHead
from together_video.ledger.place import ArchivePlace


class Store(Protocol):
    """Objects under keys, each written once. Every method raises `ArchiveError`s only, unless it says otherwise.

    `ObjectStore` keeps them in an S3 bucket, `FolderStore` in a folder.
    """

    #: Whether a store that is given other bytes than their checksum says refuses them, as far as `probe` found out.
    verifies_checksums: bool

    @property
    def place(self) -> ArchivePlace:
        """Which bucket or folder it is."""

    @property
    def gives_links(self) -> bool:
        """Whether `links` opens objects for those who have no access of their own, such as the provider."""

    def close(self) -> None:
        """Begin nothing new."""

    def uri(self, key: str) -> str:
        """Where an object is, for people and programs: `s3://bucket/key` or `file:///folder/key`."""

    def check_key(self, key: str) -> None:
        """Refuse a key that this store could never take, before anything is paid for it.

        Raises:
            ConfigurationError: it could not.
        """

    async def probe(self, prefix: str) -> None:
        """Show that the place is there, is ours to write, and keeps write-once promises.

        Raises:
            BucketRefused, StoreUnsafe, StoreUnavailable, ConfigurationError
        """

    async def clock(self, prefix: str) -> datetime | None:
        """The store's own time; None where it tells none."""

    async def put_once(self, key: str, data: bytes, content_type: str = "application/json") -> bool:
        """Write a small object. False where the key is taken, possibly by our own lost answer."""

    async def put_file_once(
        self, key: str, source: Path | bytes, sha256: str, content_type: str, *, at_hand: bool = False
    ) -> bool:
        """Write a file whose content is checked against `sha256` (hexadecimal). False where the key is taken.

        `at_hand` is for content that is read soon after: it must not go to a slow class of storage.
        """

    async def get(self, key: str) -> StoredBytes | None:
        """A small object, or None where there is none."""

    async def head(self, key: str) -> StoredHead | None:
        """Size and, where known, SHA-256 of an object, or None where there is none."""

    async def content_sha256(self, key: str) -> str | None:
        """The SHA-256 of what is really stored, by reading all of it."""

    async def fetch(self, key: str, path: Path) -> bool:
        """Copy an object to a file (written beside it, then renamed). False where there is none."""

    async def fetch_from(self, bucket: str, key: str, path: Path, *, max_bytes: int) -> bool:
        """Copy an object of any bucket that the archive's credentials can read. False where there is none."""

    def pages(self, prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        """Everything below `prefix` behind the key `after`, in the order of keys, a page at a time: it may not fit into
        memory.
        """

    async def list(self, prefix: str) -> list[ListedObject]:
        """Everything below `prefix`, in the order of keys."""

    async def list_first(self, prefix: str, *, pages: int) -> tuple[Sequence[ListedObject], bool]:
        """As `list`, with at least so many times 1,000 objects, and whether this is everything."""

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove facts that are done with, in no order. Missing keys are fine."""

    async def delete_version(self, key: str, etag: str | None) -> bool:
        """Remove one object, if it still is what was read with this ETag. False where it is another by now."""

    async def links(self, keys: Iterable[str], *, seconds: int) -> dict[str, str]:
        """Links that open objects for `seconds` to those without access; none where `gives_links` is False."""
