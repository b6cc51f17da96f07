"""The steps of a video's life, each a Prefect task: prompts, create, wait, download, archive."""

from prefect_together_video.tasks.archive import archive_video
from prefect_together_video.tasks.create import create_video
from prefect_together_video.tasks.download import download_video
from prefect_together_video.tasks.prompts import generate_prompts
from prefect_together_video.tasks.wait import wait_for_video

__all__ = ["archive_video", "create_video", "download_video", "generate_prompts", "wait_for_video"]
