"""The blocks for Prefect's own discovery: it imports what the entry point `prefect.collections` names."""

from __future__ import annotations

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.credentials import TogetherCredentials

__all__ = ["TogetherCredentials", "VideoArchive"]
