"""The bucket or folder of an archive, and the names of its objects for people and programs."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class ArchivePlace(BaseModel):
    """Either a bucket by name or a folder by absolute path."""

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    folder: str | None = None

    def uri(self, key: str) -> str:
        """`s3://bucket/key`, or `file:///folder/key` with percent-encoding."""
        if self.folder is not None:
            return Path(self.folder, key).as_uri()
        return f"s3://{self.bucket}/{key}"

    @property
    def location(self) -> str:
        """`s3://bucket`, or the folder's path."""
        return self.folder if self.folder is not None else f"s3://{self.bucket}"

    def under(self, prefix: str) -> str:
        """The location followed by a prefix: `s3://bucket/prefix/`, `/folder/prefix/`."""
        return f"{self.location.rstrip('/')}/{prefix}"
