"""All S3 calls of the project: write once, read, compare, list, delete, with boto3 in threads.

Nothing is ever overwritten: every PUT has `If-None-Match: *` and a SHA-256. boto3 repeats a PUT if its answer was lost,
so an object "already there" may be our own: callers compare the content.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from copy import copy
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import botocore.exceptions as aws

from prefect_together_video.blocks.s3.errors import (
    Contended,
    Taken,
    code_of,
    server_time,
    status_of,
    told_time,
    translated,
    without_answer,
)
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.store.objects import (
    LARGEST_FACT,
    ListedObject,
    StoredBytes,
    StoredHead,
    too_large,
)
from together_video.atomic_files import write_pieces
from together_video.errors import (
    ArchiveError,
    Spent,
    StoreUnavailable,
    StoreUnsafe,
)
from together_video.ledger.place import ArchivePlace

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

T = TypeVar("T")

#: Largest body of one PUT (S3's limit): 5 GB. A clip is far below.
MAX_PUT = 5 * 10**9
#: Calls at the same time, for facts and for whole files: enough for hundreds of facts a second, wherever the bucket is.
#: boto3's threads share one interpreter, and more of them mostly wait for each other.
FACTS_AT_ONCE = FILES_AT_ONCE = 16


class ObjectStore:
    """One bucket. Every method raises `ArchiveError` (see `errors`), never botocore's own errors; see `Store`."""

    gives_links = True

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        *,
        storage: Storage | None = None,
        impatient: Callable[[], S3Client] | None = None,
        profile: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.bucket = bucket
        self._client = client
        #: Makes a client that never repeats a request by itself, at the first use.
        self._make_impatient = impatient or (lambda: client)
        self._storage = storage or Storage()
        self._profile = profile
        self._sleep = sleep
        # Files take minutes on a slow connection: claims and job ids do not wait for them.
        self._facts = ThreadPoolExecutor(FACTS_AT_ONCE, thread_name_prefix="s3-facts")
        self._files = ThreadPoolExecutor(FILES_AT_ONCE, thread_name_prefix="s3-files")
        #: Whether the server refuses an upload with a wrong checksum, as far as `probe` has found out.
        self.verifies_checksums = False
        self._one_by_one = False

    def close(self) -> None:
        for threads in (self._facts, self._files):
            threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def __repr__(self) -> str:
        return f"ObjectStore({self.bucket!r})"

    @property
    def place(self) -> ArchivePlace:
        return ArchivePlace(bucket=self.bucket)

    def uri(self, key: str) -> str:
        return self.place.uri(key)

    def check_key(self, key: str) -> None:
        """Nothing to check: S3's own limit is the layout's."""

    async def probe(self, prefix: str) -> None:
        """Check that the bucket exists, is ours, and keeps write-once promises.

        A second PUT with `If-None-Match: *` must give 412, otherwise no claim would be exclusive. A wrong SHA-256 must
        give 400, otherwise every upload is read back and compared. Deleting must be allowed.

        Raises:
            BucketRefused, StoreUnsafe, StoreUnavailable, ConfigurationError
        """
        await self._call(lambda: self._is_there(prefix), f"listing {prefix or 'its keys'}", missing=False)
        marker, spoiled = f"{prefix}store.json", f"{prefix}probe-{uuid4().hex}"
        body = b'{"what": "shows that this store honours If-None-Match"}\n'
        if await self.put_once(marker, body) and await self.put_once(marker, body):
            raise StoreUnsafe(
                f"The S3 server of bucket {self.bucket} ignores If-None-Match, so two runs could pay for the "
                "same video.",
                spent=Spent.NOTHING,
                remedy="Use a server that honours it.",
            )
        self.verifies_checksums = await self._refuses_wrong_checksum(spoiled)

    async def clock(self, prefix: str) -> datetime | None:
        """The time in the server's answer, even if that is a refusal; None if it has no time.

        Raises:
            StoreUnavailable, ConfigurationError
        """

        def ask() -> datetime | None:
            try:
                answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)
                headers = answer["ResponseMetadata"]["HTTPHeaders"]
            except aws.ClientError as error:
                headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            return told_time(headers)

        return await self._call(ask, prefix, missing=None)

    async def put_once(self, key: str, data: bytes, content_type: str = "application/json") -> bool:
        """Write a small object. False if the key is taken, possibly by our own PUT with a lost answer."""
        return await self._put(
            key, data, hashlib.sha256(data).digest(), content_type, self._storage.encryption()
        )

    async def put_file_once(
        self, key: str, source: Path | bytes, sha256: str, content_type: str, *, at_hand: bool = False
    ) -> bool:
        """Upload a file in one PUT that the server verifies against `sha256` (hexadecimal).

        Returns False if the key is taken. If the server does not verify checksums, the object is read back. `at_hand`
        Returns False if the key is taken. If the server does not verify checksums, the object is read back. `at_hand`
        leaves out the storage class and the tags of videos, because objects of some classes cannot be read at once.
        """
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MAX_PUT:
            raise ArchiveError(f"{key} would have {size} bytes, more than S3 accepts in one PUT.")
        options = self._storage.encryption() if at_hand else self._storage.media()
        written = await self._put(key, source, bytes.fromhex(sha256), content_type, options)
        if written and not self.verifies_checksums and await self.content_sha256(key) != sha256:
            await self.delete([key])
            raise StoreUnavailable(
                f"What was stored under {key} differs from what was sent; it was removed again."
            )
        return written

    async def get(self, key: str) -> StoredBytes | None:
        """A small object, or None if it does not exist."""

        def read() -> StoredBytes:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            with closing(answer["Body"]) as body:
                if answer["ContentLength"] > LARGEST_FACT:
                    raise too_large(self.uri(key))
                data = body.read()
            headers = answer["ResponseMetadata"]["HTTPHeaders"]
            written_at = answer["LastModified"]
            age = (server_time(headers) - written_at).total_seconds()
            return StoredBytes(data=data, written_at=written_at, age_seconds=age, etag=answer.get("ETag"))

        return await self._call(read, key, missing=None)

    async def head(self, key: str) -> StoredHead | None:
        """Size and SHA-256 of an object, or None if it does not exist."""

        def look() -> StoredHead:
            answer = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            given = answer["Metadata"].get("sha256")
            checksum = answer.get("ChecksumSHA256")
            sha256 = base64.b64decode(checksum).hex() if checksum and "-" not in checksum else given
            return StoredHead(size=answer["ContentLength"], sha256=sha256)

        return await self._call(look, key, missing=None)

    async def content_sha256(self, key: str) -> str | None:
        """The SHA-256 of what is really stored, by reading all of it."""

        def read() -> str:
            digest = hashlib.sha256()
            with closing(self._client.get_object(Bucket=self.bucket, Key=key)["Body"]) as body:
                for piece in body.iter_chunks(1 << 20):
                    digest.update(piece)
            return digest.hexdigest()

        return await self._call(read, key, missing=None, threads=self._files)

    async def fetch(self, key: str, path: Path) -> bool:
        """Copy an object to a file (written beside it, then renamed). False if it does not exist."""

        def copy() -> bool:
            with closing(self._client.get_object(Bucket=self.bucket, Key=key)["Body"]) as body:
                write_pieces(path, body.iter_chunks(1 << 20))
            return True

        return await self._call(copy, key, missing=False, threads=self._files)

    async def fetch_from(self, bucket: str, key: str, path: Path, *, max_bytes: int) -> bool:
        """Copy an object of any bucket that these credentials can read. False if it does not exist.

        Raises:
            ArchiveError: it is larger than `max_bytes`, or cannot be read.
        """
        elsewhere = self._beside(bucket)
        head = await elsewhere.head(key)
        if head is not None and head.size > max_bytes:
            raise ArchiveError(f"s3://{bucket}/{key} has {head.size / 1e6:.0f} MB, which is too large.")
        return head is not None and await elsewhere.fetch(key, path)

    def _beside(self, bucket: str) -> ObjectStore:
        """The same server and credentials, another bucket."""
        other = copy(self)
        other.bucket = bucket
        return other

    async def pages(self, prefix: str, *, after: str = "") -> AsyncIterator[list[ListedObject]]:
        """Everything below `prefix` after the key `after`, in the order of keys; one request per page of 1,000."""
        pages = iter(self._pages(prefix, after))
        while (page := await self._call(lambda: next(pages, None), prefix, missing=None)) is not None:
            yield _listed(page)

    async def list(self, prefix: str) -> list[ListedObject]:
        """Everything below `prefix`, in the order of keys; one request per 1,000."""

        def read() -> list[ListedObject]:
            return [found for page in self._pages(prefix) for found in _listed(page)]

        return await self._call(read, prefix, missing=[])

    async def list_first(self, prefix: str, *, pages: int) -> tuple[Sequence[ListedObject], bool]:
        """As `list`, with at most `pages` requests, and whether this is everything."""

        def read() -> tuple[Sequence[ListedObject], bool]:
            seen = tuple(itertools.islice(self._pages(prefix), pages))
            whole = not seen or not seen[-1].get("IsTruncated")
            return [found for page in seen for found in _listed(page)], whole

        return await self._call(read, prefix, missing=([], True))

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove finished facts, in no order, with one request per 1,000. Missing keys are fine."""
        wanted = tuple(keys)

        def remove() -> None:
            for start in range(0, len(wanted), 1000):
                self._remove(wanted[start : start + 1000])

        await self._call(remove, "its facts in flight", missing=None)

    def _remove(self, keys: Sequence[str]) -> None:
        if len(keys) > 1 and not self._one_by_one:
            try:
                answer = self._client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
                )
                # Refused for some keys: deleted one by one, each gives its own error.
                keys = [error["Key"] for error in answer.get("Errors", []) if "Key" in error]
            except aws.ClientError as error:
                if status_of(error) not in {400, 405, 411, 501}:
                    raise
                # Not every server supports it, and some want a kind of checksum that boto3 no longer sends.
                self._one_by_one = True
        for key in keys:
            self._client.delete_object(Bucket=self.bucket, Key=key)

    @cached_property
    def _impatient(self) -> S3Client:
        return self._make_impatient()

    async def delete_version(self, key: str, etag: str | None) -> bool:
        """Remove one object with a single request, if it is still the one that was read with this ETag.

        False if the server says that it is another one now. Many servers do not support conditional deletes: those that
        say so get the request without the condition, and those that ignore the condition remove what they find. There,
        a request that is executed very late may remove what another process has written in the meantime. So an unclear
        answer is an error, and nothing is repeated blindly.
        """

        def remove() -> bool:
            if etag is not None:
                try:
                    self._impatient.delete_object(Bucket=self.bucket, Key=key, IfMatch=etag)
                    return True
                except aws.ClientError as error:
                    if status_of(error) != 501:
                        raise
            self._impatient.delete_object(Bucket=self.bucket, Key=key)
            return True

        try:
            return await self._call(remove, key, missing=True)
        except (Taken, Contended):
            return False

    def presign(self, key: str, *, seconds: int) -> str:
        """A link to an object for people without credentials, valid for `seconds` (at most 7 days)."""
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=seconds
        )

    async def links(self, keys: Iterable[str], *, seconds: int) -> dict[str, str]:
        """As `presign`, in a thread, for many: credentials may have to be fetched first."""
        listed = list(keys)
        if not listed:
            return {}
        return await self._call(
            lambda: {key: self.presign(key, seconds=seconds) for key in listed}, "links to media", missing={}
        )

    def _pages(self, prefix: str, after: str = "") -> Iterable[ListObjectsV2OutputTypeDef]:
        behind: dict[str, Any] = {"StartAfter": after} if after else {}
        pages: Iterable[ListObjectsV2OutputTypeDef] = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, **behind
        )
        return pages

    def _is_there(self, prefix: str) -> bool:
        # Listed first: some servers create a missing bucket at the first PUT, even if its name is a typo.
        # Within the prefix: a policy may allow no more (s3:prefix).
        self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)
        return True

    async def _put(
        self, key: str, source: bytes | Path, sha256: bytes, content_type: str, options: dict[str, str]
    ) -> bool:
        def put() -> bool:
            arguments: dict[str, Any] = {
                "Bucket": self.bucket,
                "Key": key,
                "ContentType": content_type,
                "ChecksumSHA256": base64.b64encode(sha256).decode(),
                "Metadata": {"sha256": sha256.hex()},
                "IfNoneMatch": "*",
                **options,
            }
            if isinstance(source, bytes):
                self._client.put_object(Body=source, ContentLength=len(source), **arguments)
            else:
                with source.open("rb") as body:
                    self._client.put_object(Body=body, ContentLength=source.stat().st_size, **arguments)
            return True

        threads = self._facts if isinstance(source, bytes) else self._files
        for pause in (0.2, 0.5, 1.0, 2.0, None):
            try:
                return await self._call(put, key, missing=False, threads=threads)
            except Taken:
                return False
            except Contended:
                # 409: another conditional write of this key is running; S3 asks to try again.
                if pause is None:
                    break
                await self._sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter, not a secret
        raise StoreUnavailable(
            f"Bucket {self.bucket} keeps answering that {key} is being written by another."
        )

    async def _refuses_wrong_checksum(self, key: str) -> bool:
        def put() -> bool:
            wrong = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
            verifies = False
            try:
                self._client.put_object(
                    Bucket=self.bucket, Key=key, Body=b"probe", ChecksumSHA256=wrong, IfNoneMatch="*"
                )
            except aws.ClientError as error:
                if status_of(error) != 400:
                    raise
                verifies = True
            # Also if nothing was written: a failed claim must be removable.
            self._client.delete_object(Bucket=self.bucket, Key=key)
            return verifies

        return await self._call(put, key, missing=False)

    async def _call(
        self, work: Callable[[], T], key: str, *, missing: T, threads: ThreadPoolExecutor | None = None
    ) -> T:
        """Run boto3 in a thread and translate its errors. `missing` is the answer to "no such key"."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads or self._facts, work)
        except aws.ClientError as error:
            if code_of(error) in {"NoSuchKey", "404", "NotFound"}:
                return missing
            raise translated(error, self.bucket, key) from error
        except (aws.BotoCoreError, aws.HTTPClientError, RecursionError) as error:
            raise without_answer(error, self.bucket, profile=self._profile) from error
        except OSError as error:
            raise ArchiveError(
                f"This machine's disk cannot store a copy of {key}: {error.strerror or error}.",
                remedy="Make room and run again.",
            ) from error


def _listed(page: ListObjectsV2OutputTypeDef) -> list[ListedObject]:
    return [
        ListedObject(key=entry["Key"], size=entry["Size"], written_at=entry["LastModified"])
        for entry in page.get("Contents", [])
        # Consoles create empty objects to show folders.
        if not (entry["Size"] == 0 and entry["Key"].endswith("/"))
    ]
