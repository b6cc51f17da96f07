"""A Prefect collection that turns a brief or a list of prompts into generated videos in an archive.

Names are imported when they are first used: the package itself loads neither Prefect nor boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect_together_video.blocks.archive import VideoArchive
    from prefect_together_video.blocks.credentials import TogetherCredentials
    from prefect_together_video.flows.audit import audit_archive
    from prefect_together_video.flows.batch import generate_batch
    from prefect_together_video.flows.collect import collect_videos
    from prefect_together_video.flows.inbox import watch_inbox
    from prefect_together_video.flows.reporting.results import RunIncomplete
    from prefect_together_video.flows.video import generate_video
    from prefect_together_video.tasks.steps.archive import archive_video
    from prefect_together_video.tasks.steps.create import create_video
    from prefect_together_video.tasks.steps.download import download_video
    from prefect_together_video.tasks.steps.prompts import generate_prompts
    from prefect_together_video.tasks.steps.wait import wait_for_video

    __version__: str

__all__ = [
    "RunIncomplete",
    "TogetherCredentials",
    "VideoArchive",
    "archive_video",
    "audit_archive",
    "collect_videos",
    "create_video",
    "download_video",
    "generate_batch",
    "generate_prompts",
    "generate_video",
    "wait_for_video",
    "watch_inbox",
]

_MODULES = {
    "RunIncomplete": "flows.reporting.results",
    "TogetherCredentials": "blocks.credentials",
    "VideoArchive": "blocks.archive",
    "archive_video": "tasks.archive",
    "audit_archive": "flows.audit",
    "collect_videos": "flows.collect",
    "create_video": "tasks.create",
    "download_video": "tasks.download",
    "generate_batch": "flows.batch",
    "generate_prompts": "tasks.prompts",
    "generate_video": "flows.video",
    "wait_for_video": "tasks.wait",
    "watch_inbox": "flows.inbox",
}


if not TYPE_CHECKING:  # else any misspelt name would be one of ours

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return import_module("importlib.metadata").version("prefect-together-video")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__", "__doc__", "__name__", "__path__", "__version__"])
