"""Public task: download the finished file to this machine."""

from __future__ import annotations

from prefect_together_video.tasks.job_ref import JobState, VideoJobRef
from prefect_together_video.tasks.public_steps import (
    GivenArchive,
    GivenTogether,
    completed_job,
    paid_for,
    place_of_job,
    run_name,
)
from prefect_together_video.tasks.running.public_task import task_pair
from prefect_together_video.tasks.steps.purchase import Purchase


async def _download(
    ref: VideoJobRef, *, together: GivenTogether = None, archive: GivenArchive = None
) -> VideoJobRef:
    """Stream the finished video to disk, check its length and open it. It costs nothing.

    The file stays in the spool folder (TOGETHER_VIDEO_SPOOL) until it is archived.

    Args:
        ref: what `wait_for_video` returned.
        together: needed if the job was created with a block that was never saved.
        archive: as `together`.

    Returns:
        The same job in state `downloaded`, with `path`; or in state `archived`, where
        `ref.archived.download(path)` gets the file.

    Raises:
        DownloadError: the file cannot be downloaded; the job is billed and stays at the provider.
        JobFailed, JobDeadlinePassed: see `wait_for_video`, if you did not call it before.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import create_video, download_video, wait_for_video

        @flow
        def fetch():
            clip = download_video(wait_for_video(create_video("a fox in the snow")))
            return clip.path
        ```
    """
    ref = VideoJobRef.of(ref)
    if ref.state is JobState.ARCHIVED or (
        ref.state is JobState.DOWNLOADED and ref.path is not None and ref.path.exists()
    ):
        return ref
    async with place_of_job(ref, together, archive) as place:
        purchase = await place.purchase(ref)
        if not isinstance(purchase, Purchase):
            return VideoJobRef.of_archived(place.finished(purchase, resumed=ref.resumed))
        async with paid_for(purchase, place.session):
            job = await completed_job(place, purchase)
            clip = await place.session.finisher(None).download(purchase, job)
        place.session.remember(purchase, job=job, clip=clip)
    return ref.model_copy(update={"state": JobState.DOWNLOADED, "path": clip.file.path})


download_video, adownload_video = task_pair(
    _download,
    names=("download_video", "adownload_video"),
    task_name="download-video",
    description="Stream the finished video to disk, check its length and open it.",
    run_name=lambda: run_name("download", "ref"),
)
