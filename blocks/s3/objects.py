"""Objects of the bucket as they are listed, read and stored."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict


class Storage(BaseModel):
    """How objects are stored: class and tags for videos and posters, the KMS key for everything."""

    model_config = ConfigDict(frozen=True)

    storage_class: str | None = None
    sse_kms_key_id: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    def encryption(self) -> dict[str, str]:
        if self.sse_kms_key_id is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.sse_kms_key_id}

    def media(self) -> dict[str, str]:
        options = self.encryption()
        if self.storage_class:
            options["StorageClass"] = self.storage_class
        if self.tags:
            options["Tagging"] = urlencode(self.tags)
        return options


class StoredBytes(BaseModel):
    """A small object as read: its bytes, its age in seconds by the server's own clock, its version's ETag."""

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
    """An object's size in bytes and, where known, its SHA-256 in hexadecimal."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str | None
