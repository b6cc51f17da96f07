"""How objects of a bucket are stored."""

from __future__ import annotations

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
