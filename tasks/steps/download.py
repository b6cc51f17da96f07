"""Task: bring the finished file to this machine's disk, and show that it is a video."""

from __future__ import annotations

from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.steps.decoding import decode
from prefect_together_video.tasks.steps.purchase import Purchase
from together_video.api.client import TogetherClient
from together_video.api.downloads import DownloadedFile, hash_file
from together_video.errors import DownloadBroken, LinkExpired
from together_video.jobs import VideoJob
from together_video.ledger.spool import Spool
from together_video.media.clips import Inspection, inspect_clip

#: Larger than any clip of 30 s that the documents promise, in bytes.
MAX_BYTES = 4 * 10**9


class Clip(Inspection):
    """A whole video on disk, what it says about itself, and its poster: a JPEG, or why there is none."""

    file: DownloadedFile

    @classmethod
    def of(cls, file: DownloadedFile, found: Inspection) -> Clip:
        return cls(file=file, **dict(found))


@retried_task(
    "download-video",
    "Stream the finished video to disk, check its length and open it.",
    run_name="download: {purchase.title}",
)
async def fetch_clip(
    purchase: Purchase, job: VideoJob, client: TogetherClient, ledger: Ledger, spool: Spool
) -> Clip:
    """Returns the file in the spool: one left by an earlier process, the archive's own, or a download.

    Raises:
        DownloadBroken, DownloadTooLarge, LinkExpired, DownloadError: it stays at the provider.
        ArchiveError: the bucket cannot be asked for an earlier upload.
    """
    logger = run_logger()
    path = spool.video(purchase.claim, purchase.job_id)
    if path.exists() and (clip := await _opened(path)) is not None:
        logger.info("job %s: uses the file that an earlier run left", purchase.job_id)
        return clip
    if purchase.resumed and await ledger.store.fetch(purchase.claim.video_key, path):
        clip = await _opened(path)
        if clip is not None:
            logger.info("job %s: was uploaded by an earlier run", purchase.job_id)
            return clip
    file = await _download(job, path, client)
    try:
        found = await decode(inspect_clip, path)
    except FileNotFoundError:
        raise DownloadBroken(
            f"Another run of job {job.id} on this machine took its file away. Download it again."
        ) from None
    logger.info("job %s: downloaded %.1f MB", purchase.job_id, file.size / 1e6)
    return Clip.of(file, found)


async def _download(job: VideoJob, path: Path, client: TogetherClient) -> DownloadedFile:
    """Download; after an expired link, ask the job once for a fresh one."""
    try:
        return await client.download(job.video_url or "", path, max_bytes=MAX_BYTES)
    except LinkExpired:
        fresh = await client.retrieve(job.id)
        if not fresh.video_url:
            raise
        return await client.download(fresh.video_url, path, max_bytes=MAX_BYTES)


async def _opened(path: Path) -> Clip | None:
    """The file as a clip, or None (and the file removed) where it is none.

    Another run of the same job on this machine may remove it at any time, once it is archived.
    """
    try:
        found = await decode(inspect_clip, path)
        return Clip.of(await to_thread.run_sync(hash_file, path), found)
    except FileNotFoundError:
        return None
    except DownloadBroken:
        path.unlink(missing_ok=True)
        return None
