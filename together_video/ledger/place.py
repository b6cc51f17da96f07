"""Which bucket or folder an archive is, and how objects in it are named to people and programs."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class ArchivePlace(BaseModel):
    """A bucket by its name, or a folder by its absolute path: one of the two."""

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    folder: str | None = None

    def uri(self, key: str) -> str:
        """`s3://bucket/key`, or `file:///folder/key` with what a URI cannot hold percent-encoded."""
        if self.folder is not None:
            return Path(self.folder, key).as_uri()
        return f"s3://{self.bucket}/{key}"

    @property
    def location(self) -> str:
        """`s3://bucket`, or the folder's path."""
        return self.folder if self.folder is not None else f"s3://{self.bucket}"

    def under(self, prefix: str) -> str:
        """The location with a prefix behind it: `s3://bucket/prefix/`, `/folder/prefix/`."""
        return f"{self.location.rstrip('/')}/{prefix}"
