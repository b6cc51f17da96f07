"""Public task: put a video into the archive."""

from __future__ import annotations

from prefect_together_video.tasks.archived_video import ArchivedVideo
from prefect_together_video.tasks.job_ref import VideoJobRef
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


async def _archive(
    ref: VideoJobRef, *, together: GivenTogether = None, archive: GivenArchive = None
) -> ArchivedVideo:
    """Store the video and its poster, compare checksums, and write the record.

    Works on any machine: if the file is not on this one, it is downloaded again.

    Args:
        ref: what `download_video` returned.
        together: needed if the job was created with a block that was never saved.
        archive: as `together`.

    Raises:
        ArchiveError: the archive cannot be written; the job is billed and kept, and can be archived later.
        DownloadError, JobError: see `download_video` and `wait_for_video`.

    Example:
        ```python
        from prefect import flow
        from prefect_together_video import archive_video, create_video, download_video, wait_for_video

        @flow
        def one():
            ref = create_video("a fox in the snow")
            return archive_video(download_video(wait_for_video(ref))).uri
        ```
    """
    ref = VideoJobRef.of(ref)
    if ref.archived is not None:
        return ref.archived
    async with place_of_job(ref, together, archive) as place:
        session = place.session
        purchase = await place.purchase(ref)
        if not isinstance(purchase, Purchase):
            return place.finished(purchase, resumed=ref.resumed)
        finisher = session.finisher(None)
        async with paid_for(purchase, session):
            job = await completed_job(place, purchase)
            clip = session.clip(ref.video_id) or await finisher.download(purchase, job)
            record = await finisher.archive(purchase, job, clip)
        session.forget(ref.video_id)
        return place.finished(record, resumed=ref.resumed)


archive_video, aarchive_video = task_pair(
    _archive,
    names=("archive_video", "aarchive_video"),
    task_name="archive-video",
    description="Store the video and its poster, compare checksums, write the record.",
    run_name=lambda: run_name("archive", "ref"),
)
