"""Prefect blocks: the credentials of the API, and the archive that videos are kept in."""

from blocks.archive import VideoArchive
from blocks.credentials import TogetherCredentials

__all__ = ["TogetherCredentials", "VideoArchive"]
