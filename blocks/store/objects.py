"""Objects of an archive as they are listed and read, in any store."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from together_video.errors import ArchiveError


class StoredBytes(BaseModel):
    """A small object as read: its bytes, when it was written, its age in seconds by the store's own clock, and the ETag
    of its version.
    """

    model_config = ConfigDict(frozen=True)

    data: bytes
    written_at: datetime
    age_seconds: float
    etag: str | None = None


#: Largest object that is read into memory, in bytes: ten times the summary of 10,000 videos.
LARGEST_FACT = 64 * 2**20


class ListedObject(NamedTuple):
    """An object in a listing: its key, its size in bytes, when it was written. Listings are long, so it is a tuple."""

    key: str
    size: int
    written_at: datetime


class StoredHead(BaseModel):
    """An object's size in bytes and, if known without reading the object, its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str | None


def too_large(uri: str) -> ArchiveError:
    """The error for an object that is too large to be a fact: reading it would fill the memory."""
    return ArchiveError(
        f"{uri} has more than {LARGEST_FACT // 2**20} MiB, so it is not what this project wrote.",
        remedy="Inspect it by hand.",
    )
