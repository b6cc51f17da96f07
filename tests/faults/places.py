"""Where a disturbed video is archived, a bucket or a folder, and a look at it that no fault touches."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.folder.files import Files


class Place(Protocol):
    """One archive, and what lies in it."""

    @property
    def archive(self) -> VideoArchive: ...

    def make(self) -> None:
        """As a first run does, unless it is there."""

    def listed(self) -> list[str]: ...

    def read(self, key: str) -> bytes: ...

    def write(self, key: str, body: bytes) -> None: ...

    def remove(self, key: str) -> None: ...


@dataclass(frozen=True)
class BucketPlace:
    """A bucket; `client` goes past the unruly server."""

    url: str
    pair: tuple[str, str]
    archive: VideoArchive
    client: Any

    def make(self) -> None:
        """Every test of a session has the same one."""

    def listed(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.archive.bucket).get("Contents", [])
        return [one["Key"] for one in found]

    def read(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.archive.bucket, Key=key)["Body"].read()
        return body

    def write(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.archive.bucket, Key=key, Body=body)

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.archive.bucket, Key=key)


@dataclass
class FolderPlace:
    """A folder of this machine. `strike` decides about each call of its files as it does about S3 calls: a PUT to the
    path of a key, or a POST with ?delete. It gives an error number, "lost" (done, and told as an I/O error), "reset"
    (not done, and told so), or None.
    """

    folder: Path
    strike: Callable[[str, str, dict[str, str]], Any] = lambda *_: None
    archive: VideoArchive = field(init=False)

    def __post_init__(self) -> None:
        self.archive = VideoArchive(folder=str(self.folder))

    def make(self) -> None:
        self.folder.mkdir()

    def listed(self) -> list[str]:
        paths = self.folder.rglob("*") if self.folder.is_dir() else ()
        found = (path.relative_to(self.folder).as_posix() for path in paths if path.is_file())
        return sorted(key for key in found if not key.startswith("."))

    def read(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()

    def write(self, key: str, body: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def remove(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)

    def disturb(self, patch: pytest.MonkeyPatch) -> None:
        """Let `strike` decide about the calls of every store in this folder."""
        put, delete = Files.put, Files.remove
        patch.setattr(Files, "put", self._struck("PUT", "", put))
        patch.setattr(Files, "remove", self._struck("POST", "?delete", delete))

    def _struck(self, method: str, query: str, call: Callable[..., bool]) -> Callable[..., bool]:
        def struck(files: Files, key: str, *rest: Any) -> bool:
            verdict = self.strike(method, f"/{key}{query}", {})
            if verdict == "lost":
                call(files, key, *rest)
            if verdict in {"lost", "reset"}:
                verdict = errno.EIO
            if verdict is not None:
                raise OSError(verdict, os.strerror(verdict))
            return call(files, key, *rest)

        return struck
