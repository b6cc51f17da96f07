"""Objects of an archive as they are listed and read, whatever store they lie in."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class StoredBytes(BaseModel):
    """A small object as read: its bytes, its age in seconds by the store's own clock, its version's ETag."""

    model_config = ConfigDict(frozen=True)

    data: bytes
    age_seconds: float
    etag: str | None = None


class ListedObject(BaseModel):
    """An object in a listing: its key, its size in bytes, when it was written."""

    model_config = ConfigDict(frozen=True)

    key: str
    size: int
    written_at: datetime


class StoredHead(BaseModel):
    """An object's size in bytes and, where it is known without reading the object, its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str | None
