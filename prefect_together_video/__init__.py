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
    from prefect_together_video.flows.film import generate_film
    from prefect_together_video.flows.inbox import watch_inbox
    from prefect_together_video.flows.reporting.results import RunIncomplete
    from prefect_together_video.flows.spend import report_spend
    from prefect_together_video.flows.video import generate_video
    from prefect_together_video.tasks.archive import aarchive_video, archive_video
    from prefect_together_video.tasks.archived_video import ArchivedVideo
    from prefect_together_video.tasks.create import acreate_video, create_video
    from prefect_together_video.tasks.download import adownload_video, download_video
    from prefect_together_video.tasks.job_ref import VideoJobRef
    from prefect_together_video.tasks.make import amake_video, make_video
    from prefect_together_video.tasks.prompts import agenerate_prompts, generate_prompts
    from prefect_together_video.tasks.wait import await_for_video, wait_for_video

    __version__: str

__all__ = [
    "ArchivedVideo",
    "RunIncomplete",
    "TogetherCredentials",
    "VideoArchive",
    "VideoJobRef",
    "aarchive_video",
    "acreate_video",
    "adownload_video",
    "agenerate_prompts",
    "amake_video",
    "archive_video",
    "audit_archive",
    "await_for_video",
    "collect_videos",
    "create_video",
    "download_video",
    "generate_batch",
    "generate_film",
    "generate_prompts",
    "generate_video",
    "make_video",
    "report_spend",
    "wait_for_video",
    "watch_inbox",
]

_MODULES = {
    "ArchivedVideo": "tasks.archived_video",
    "RunIncomplete": "flows.reporting.results",
    "TogetherCredentials": "blocks.credentials",
    "VideoArchive": "blocks.archive",
    "VideoJobRef": "tasks.job_ref",
    "aarchive_video": "tasks.archive",
    "acreate_video": "tasks.create",
    "adownload_video": "tasks.download",
    "agenerate_prompts": "tasks.prompts",
    "amake_video": "tasks.make",
    "archive_video": "tasks.archive",
    "audit_archive": "flows.audit",
    "await_for_video": "tasks.wait",
    "collect_videos": "flows.collect",
    "create_video": "tasks.create",
    "download_video": "tasks.download",
    "generate_batch": "flows.batch",
    "generate_film": "flows.film",
    "generate_prompts": "tasks.prompts",
    "generate_video": "flows.video",
    "make_video": "tasks.make",
    "report_spend": "flows.spend",
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
