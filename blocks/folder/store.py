"""An archive in a folder, on a local or a shared file system: the same keys as in a bucket, as paths below it.

Nothing is ever overwritten: a file is written under its own name and then linked to its key, and only one of several
writers can create that link.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from prefect_together_video.blocks.folder.errors import translated
from prefect_together_video.blocks.folder.files import Files, pieces_of, version_of
from prefect_together_video.blocks.store.objects import (
    LARGEST_FACT,
    ListedObject,
    StoredBytes,
    StoredHead,
    too_large,
)
from together_video.atomic_files import write_pieces
from together_video.errors import ArchiveError, ConfigurationError, Spent
from together_video.ledger.place import ArchivePlace

T = TypeVar("T")

#: Calls at the same time, for facts and for whole files.
_FACTS_AT_ONCE, _FILES_AT_ONCE = 16, 8
#: Longest name of a file and longest path, in bytes (Linux and macOS).
_MAX_NAME, _MAX_PATH = 255, 1023

_log = logging.getLogger("together_video")


#: A file with a date this many seconds in the future was written with a wrong clock.
_FUTURE = 3600.0
#: The age of such a file: old enough to be left behind.
_OLD = 10.0 * 365 * 86_400


def _age(written: float, now: float) -> float:
    """In seconds. A date in the future must not keep a claim alive until then."""
    return _OLD if written - now > _FUTURE else max(now - written, 0.0)


class FolderStore:
    """One folder. Every method raises `ArchiveError`s, never `OSError`s; see `Store`."""

    #: Files are compared with their checksum before they get their names.
    verifies_checksums = True
    gives_links = False

    def __init__(self, folder: str | Path, *, files: Files | None = None) -> None:
        self._files = files or Files(Path(folder))
        # Files take time: claims and job ids do not wait for them.
        self._facts = ThreadPoolExecutor(_FACTS_AT_ONCE, thread_name_prefix="folder-facts")
        self._copies = ThreadPoolExecutor(_FILES_AT_ONCE, thread_name_prefix="folder-files")

    def close(self) -> None:
        for threads in (self._facts, self._copies):
            threads.shutdown(wait=False, cancel_futures=True)

    def __repr__(self) -> str:
        return f"FolderStore({self.place.location!r})"

    @property
    def place(self) -> ArchivePlace:
        return self._files.place

    def uri(self, key: str) -> str:
        return self.place.uri(key)

    def check_key(self, key: str) -> None:
        longest = max(len(piece.encode()) for piece in key.split("/"))
        whole = len(os.path.join(self.place.location, key).encode())
        if longest > _MAX_NAME or whole > _MAX_PATH:
            raise ConfigurationError(
                f"The path of this video's file would have {whole} bytes, with a name of {longest}: a file system "
                f"accepts {_MAX_PATH} and {_MAX_NAME}.",
                spent=Spent.NOTHING,
                remedy="Shorten the folder, the prefix or the file name template.",
            )

    async def probe(self, prefix: str) -> None:
        """Create the folder unless it exists, and check that it is writable and that one of two writers wins.

        Raises:
            BucketRefused, StoreUnsafe, StoreUnavailable
        """

        def prove() -> bool:
            made = self._files.make()
            self._files.prove_exclusive()
            self._files.sweep()
            self._files.put(f"{prefix}store.json", b'{"what": "shows that this store writes once"}\n')
            return made

        if await self._call(prove, f"{prefix}store.json"):
            _log.warning(
                "Created the folder %s for a new archive. If an archive should be there, stop this run: its disk may "
                "not be mounted.",
                self.place.location,
            )

    async def clock(self, prefix: str) -> datetime | None:
        """The time by the clock of the folder's file system."""
        return datetime.fromtimestamp(await self._call(self._files.time, prefix), UTC)

    async def put_once(self, key: str, data: bytes, content_type: str = "application/json") -> bool:
        """Write a small file. False if the key is taken."""
        return await self._call(lambda: self._files.put(key, data), key)

    async def put_file_once(
        self, key: str, source: Path | bytes, sha256: str, content_type: str, *, at_hand: bool = False
    ) -> bool:
        """Copy a file, and compare it with `sha256` (hexadecimal) before it gets its name.

        Returns False if the key is taken.

        Raises:
            FileNotFoundError: the source does not exist.
        """
        if isinstance(source, bytes):
            content = source
            return await self._call(
                lambda: self._files.put(key, content, bytes.fromhex(sha256)), key, threads=self._copies
            )

        def copy() -> bool | FileNotFoundError:
            try:
                file = source.open("rb")
            except FileNotFoundError as gone:
                # Returned as a value: raised here, it would look like the loss of the folder.
                return gone
            with file:
                return self._files.put(key, file, bytes.fromhex(sha256))

        done = await self._call(copy, key, threads=self._copies)
        if isinstance(done, FileNotFoundError):
            raise done
        return done

    async def get(self, key: str) -> StoredBytes | None:
        """A small file, or None if it does not exist. Its age is by the file system's own clock."""

        def read() -> StoredBytes:
            with self._files.opened(key) as file:
                data, found = file.read(LARGEST_FACT + 1), os.fstat(file.fileno())
            if len(data) > LARGEST_FACT:
                raise too_large(self.uri(key))
            age = _age(found.st_mtime, self._files.time())
            written_at = datetime.fromtimestamp(found.st_mtime, UTC)
            return StoredBytes(data=data, written_at=written_at, age_seconds=age, etag=version_of(found))

        return await self._read(read, key, missing=None)

    async def head(self, key: str) -> StoredHead | None:
        """The size of a file, or None if it does not exist. Its SHA-256 is not known without reading it."""

        def look() -> StoredHead:
            with self._files.opened(key) as file:
                return StoredHead(size=os.fstat(file.fileno()).st_size, sha256=None)

        return await self._read(look, key, missing=None)

    async def content_sha256(self, key: str) -> str | None:
        """The SHA-256 of a file, by reading all of it."""

        def read() -> str:
            digest = hashlib.sha256()
            with self._files.opened(key) as file:
                for piece in pieces_of(file):
                    digest.update(piece)
            return digest.hexdigest()

        return await self._read(read, key, missing=None, threads=self._copies)

    async def fetch(self, key: str, path: Path) -> bool:
        """Copy a file to another (written beside it, then renamed). False if it does not exist."""

        def copy() -> bool:
            with self._files.opened(key) as file:
                try:
                    write_pieces(path, pieces_of(file))
                except OSError as error:
                    raise ArchiveError(
                        f"This machine's disk cannot store a copy of {key}: {error.strerror or error}.",
                        remedy="Make room and run again.",
                    ) from error
            return True

        return await self._read(copy, key, missing=False, threads=self._copies)

    async def fetch_from(self, bucket: str, key: str, path: Path, *, max_bytes: int) -> bool:
        """Raises ArchiveError: an archive in a folder has no access to a bucket."""
        raise ArchiveError(
            f"s3://{bucket}/{key} cannot be read by an archive in a folder.",
            spent=Spent.NOTHING,
            remedy="Copy it to this machine and use that file.",
        )

    async def pages(self, prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        """Everything below `prefix` after the key `after`, in the order of keys, 1,000 at a time."""
        found = self._listed(prefix, after)
        while page := await self._call(lambda: list(islice(found, 1000)), prefix or "its files"):
            yield page

    async def list(self, prefix: str) -> list[ListedObject]:
        """Everything below `prefix`, in the order of keys."""
        return await self._call(lambda: list(self._listed(prefix)), prefix or "its files")

    def _listed(self, prefix: str, after: str = "") -> Iterator[ListedObject]:
        moment, utc = datetime.fromtimestamp, UTC
        for key, found in self._files.walk(prefix, after):
            yield ListedObject(key, found.st_size, moment(found.st_mtime, utc))

    async def list_first(self, prefix: str, *, pages: int) -> tuple[Sequence[ListedObject], bool]:
        """As `list`: a folder is always read completely."""
        return await self.list(prefix), True

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove finished facts, and then folders that are empty. Missing keys are fine."""
        wanted = tuple(keys)

        def remove() -> None:
            for key in wanted:
                self._files.remove(key)

        await self._call(remove, "its facts in flight")

    async def delete_version(self, key: str, etag: str | None) -> bool:
        """Remove one file if it is still the one that was read with this ETag. False if it is another one now."""
        return await self._call(lambda: self._files.remove(key, etag), key)

    async def links(self, keys: Iterable[str], *, seconds: int) -> dict[str, str]:
        """No links: nobody else can open a file of this machine."""
        return {}

    async def _read(
        self, work: Callable[[], T], key: str, *, missing: T, threads: ThreadPoolExecutor | None = None
    ) -> T:
        """As `_call`. `missing` is the answer if there is no such file."""

        def read() -> T:
            try:
                return work()
            except FileNotFoundError:
                # If the folder itself is gone, this means nothing.
                self._files.check()
                return missing

        return await self._call(read, key, threads=threads)

    async def _call(self, work: Callable[[], T], key: str, *, threads: ThreadPoolExecutor | None = None) -> T:
        """Run it in a thread and translate its errors."""

        def checked() -> T:
            try:
                return work()
            except FileNotFoundError:
                self._files.check()
                raise

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads or self._facts, checked)
        except OSError as error:
            raise translated(error, self.place.location, key) from error
