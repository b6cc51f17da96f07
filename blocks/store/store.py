"""What a ledger needs from its store."""

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

    #: Whether the store refuses bytes that do not match their checksum, as far as `probe` found out.
    verifies_checksums: bool

    @property
    def place(self) -> ArchivePlace:
        """Which bucket or folder it is."""

    @property
    def gives_links(self) -> bool:
        """Whether `links` opens objects for others without access, such as the provider."""

    def close(self) -> None:
        """Start nothing new."""

    def uri(self, key: str) -> str:
        """Where an object is, for people and programs: `s3://bucket/key` or `file:///folder/key`."""

    def check_key(self, key: str) -> None:
        """Refuse a key that this store could never accept, before anything is paid for it.

        Raises:
            ConfigurationError: it could not accept the key.
        """

    async def probe(self, prefix: str) -> None:
        """Check that the place exists, is writable, and keeps write-once promises.

        Raises:
            BucketRefused, StoreUnsafe, StoreUnavailable, ConfigurationError
        """

    async def clock(self, prefix: str) -> datetime | None:
        """The store's own time; None if it does not report it."""

    async def put_once(self, key: str, data: bytes, content_type: str = "application/json") -> bool:
        """Write a small object. False if the key is taken, possibly by our own call with a lost answer."""

    async def put_file_once(
        self, key: str, source: Path | bytes, sha256: str, content_type: str, *, at_hand: bool = False
    ) -> bool:
        """Write a file and verify its content against `sha256` (hexadecimal). False if the key is taken.

        `at_hand` is for content that is read soon after: it must not go to a slow storage class.
        """

    async def get(self, key: str) -> StoredBytes | None:
        """A small object, or None if it does not exist."""

    async def head(self, key: str) -> StoredHead | None:
        """Size and, if known, SHA-256 of an object, or None if it does not exist."""

    async def content_sha256(self, key: str) -> str | None:
        """The SHA-256 of what is really stored, by reading all of it."""

    async def fetch(self, key: str, path: Path) -> bool:
        """Copy an object to a file (written beside it, then renamed). False if it does not exist."""

    async def fetch_from(self, bucket: str, key: str, path: Path, *, max_bytes: int) -> bool:
        """Copy an object of any bucket that the archive's credentials can read. False if it does not exist."""

    def pages(self, prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        """Everything below `prefix` after the key `after`, in the order of keys, a page at a time: it may not fit into
        memory.
        """

    async def list(self, prefix: str) -> list[ListedObject]:
        """Everything below `prefix`, in the order of keys."""

    async def list_first(self, prefix: str, *, pages: int) -> tuple[Sequence[ListedObject], bool]:
        """As `list`, with at least `pages` times 1,000 objects, and whether this is everything."""

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove finished facts, in no order. Missing keys are fine."""

    async def delete_version(self, key: str, etag: str | None) -> bool:
        """Remove one object if it is still the one that was read with this ETag. False if it is another one now."""

    async def links(self, keys: Iterable[str], *, seconds: int) -> dict[str, str]:
        """Links that open objects for `seconds` to people without access; none if `gives_links` is False."""
