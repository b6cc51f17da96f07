"""The steps of a video's life, each a Prefect task: prompts, create, wait, download, archive."""

from tasks.archive import archive_video
from tasks.create import create_video
from tasks.download import download_video
from tasks.prompts import generate_prompts
from tasks.wait import wait_for_video

__all__ = ["archive_video", "create_video", "download_video", "generate_prompts", "wait_for_video"]
