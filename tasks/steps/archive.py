"""Task: put the video, its poster and its record into the archive."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.assets import show_as_asset
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import current_run, run_logger
from prefect_together_video.tasks.steps.download import Clip
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.errors import DownloadError, JobFailed, ObjectConflict, VideoError
from together_video.jobs import VideoJob
from together_video.ledger.records import StoredObject, VideoRecord
from together_video.ledger.spool import Spool
from together_video.media.clips import compare


@retried_task(
    "archive-video",
    "Upload the video and its poster, compare checksums, write the record.",
    run_name="archive: {purchase.title}",
)
async def store_clip(
    purchase: Purchase, job: VideoJob, clip: Clip, ledger: Ledger, spool: Spool
) -> VideoRecord:
    """Returns the final record. Order: video, poster, record (the commit), then the clean-up.

    A poster that cannot be made or stored is left out, and the record's notes say why.

    Raises:
        ObjectConflict: the video's key has other content.
        DownloadError: the downloaded file is gone.
        StoreUnavailable, BucketRefused: the job stays in flight; a later run resumes here.
    """
    claim, file = purchase.claim, clip.file
    try:
        video = await _stored(ledger, claim.video_key, file.path, file.size, file.sha256)
    except FileNotFoundError as error:
        # Another run of the same job on this machine removes the files once its record is written.
        written = await ledger.record(claim.id)
        if written is None:
            raise DownloadError(
                f"The file of job {purchase.job_id} vanished from {clip.file.path.parent} before it was "
                "archived. A later run downloads it again."
            ) from error
        return written
    notes = (*compare(clip.info, claim.plan.request), *clip.notes)
    poster: StoredObject | None = None
    if (picture := clip.poster) is not None:
        sha256 = hashlib.sha256(picture).hexdigest()
        try:
            poster = await _stored(ledger, claim.poster_key, picture, len(picture), sha256, any_content=True)
        except VideoError as error:
            notes = (*notes, f"There is no poster: {error.message}")
    if poster is None:
        run_logger().warning("job %s: archived without a poster; its record says why", purchase.job_id)
    record = await ledger.finish(
        VideoRecord.of(
            claim,
            "archived",
            submission=purchase.submission,
            job=job,
            video=video,
            poster=poster,
            clip=clip.info,
            notes=notes,
            run=current_run(),
        ),
        claim,
    )
    file.path.unlink(missing_ok=True)
    spool.drop_submission(claim)
    run_logger().info("job %s: archived as %s", purchase.job_id, claim.video_key)
    show_as_asset(record, ledger.store.uri(claim.video_key))
    return record


async def record_failure(purchase: Purchase, error: JobFailed, ledger: Ledger) -> VideoRecord:
    """Record that the provider gave up on a job, with its reason and its raw answer."""
    claim, job = purchase.claim, error.job
    return await ledger.finish(
        VideoRecord.of(
            claim,
            "failed",
            submission=purchase.submission,
            job=job,
            error=error.message,
            error_code=job.fault.code if job.fault else None,
            run=current_run(),
        ),
        claim,
    )


async def _stored(
    ledger: Ledger, key: str, source: Path | bytes, size: int, sha256: str, *, any_content: bool = False
) -> StoredObject:
    """Upload once. A key that exists is fine if it has the same bytes: our own upload may have lost its answer.

    With `any_content` an existing object is accepted as it is: a poster is only a picture of the video.
    """
    content_type = mimetypes.guess_type(Path(key).name)[0] or "application/octet-stream"
    if not await ledger.store.put_file_once(key, source, sha256, content_type):
        head = await ledger.store.head(key)
        there = head.sha256 if head and head.sha256 else await ledger.store.content_sha256(key)
        if there != sha256 and not (any_content and head and there):
            raise ObjectConflict(
                f"{ledger.store.uri(key)} differs from the download. Move it away and run again."
            )
        if head and there:
            size, sha256 = head.size, there
    return StoredObject(key=key, size=size, sha256=sha256, content_type=content_type)
