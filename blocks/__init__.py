"""Prefect blocks: the credentials of the API, and the archive that videos are kept in."""

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials

__all__ = ["TogetherCredentials", "VideoArchive"]
