"""Task: download the finished file to this machine's disk, and inspect it."""

from __future__ import annotations

from pathlib import Path

from anyio import to_thread

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from prefect_together_video.tasks.steps.decoding import decode
from prefect_together_video.tasks.steps.purchase import Purchase
from prefect_together_video.tasks.steps.ready_link import download_ready
from together_video.api.client import TogetherClient
from together_video.api.downloads import DownloadedFile, hash_file
from together_video.errors import DownloadBroken, DownloadInterrupted
from together_video.jobs import VideoJob
from together_video.ledger.spool import Spool
from together_video.media.clips import Inspection, inspect_clip
from together_video.text import sentences

#: Larger than any clip of 30 s that the documents promise, in bytes.
MAX_BYTES = 4 * 10**9


class Clip(Inspection):
    """A complete video on disk, its properties, and its poster: a JPEG, or the reason why there is none."""

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
    purchase: Purchase,
    job: VideoJob,
    client: TogetherClient,
    ledger: Ledger,
    spool: Spool,
    link_seconds: float | None = None,
) -> Clip:
    """Returns the file in the spool: left by an earlier process, copied from the archive, or downloaded.

    A file that might come from a broken download is downloaded a second time: if the same bytes come again, they are
    what the provider has, and are archived.

    Args:
        link_seconds: how long to try again if the link is refused; by default the client's setting.

    Raises:
        DownloadBroken: this is not a complete video. The file is kept in the spool for inspection.
        DownloadTooLarge, LinkRefused, DownloadError: the video stays at the provider.
        ArchiveError: the archive does not answer whether there was an earlier upload.
    """
    logger = run_logger()
    path = spool.video(purchase.claim, purchase.job_id)
    if path.exists() and (clip := await _opened(path)) is not None and not clip.doubt:
        logger.info("job %s: using the file that an earlier run left", purchase.job_id)
        return clip
    if purchase.resumed and await ledger.store.fetch(purchase.claim.video_key, path):
        clip = await _opened(path)
        if clip is not None:
            logger.info("job %s: an earlier run uploaded it", purchase.job_id)
            return clip
    if link_seconds is None:
        link_seconds = client.timeouts.link_seconds

    async def download() -> Clip:
        try:
            file = await download_ready(
                job, path, client, max_bytes=MAX_BYTES, seconds=link_seconds, log=logger.info
            )
            return Clip.of(file, await decode(inspect_clip, path))
        except FileNotFoundError:
            raise DownloadBroken(
                f"Another run of job {job.id} on this machine removed its file. Download it again."
            ) from None
        except DownloadInterrupted:
            raise
        except DownloadBroken as error:
            await _keep(spool, purchase, path, error)
            raise

    clip = await download()
    if clip.doubt:
        logger.info("job %s: %s Downloading it again to compare.", purchase.job_id, clip.doubt)
        first, clip = clip, await download()
        if clip.doubt and clip.file.sha256 != first.file.sha256:
            raise DownloadBroken(f"Two downloads of job {job.id} differ. Download it again.")
    if clip.info is None:
        logger.warning("job %s: %s", purchase.job_id, clip.notes[0])
    logger.info("job %s: downloaded %.1f MB", purchase.job_id, clip.file.size / 1e6)
    return clip


async def _keep(spool: Spool, purchase: Purchase, path: Path, error: DownloadBroken) -> None:
    """Keep the file that came instead of a video, and name its path in the error."""
    try:
        kept = await to_thread.run_sync(spool.refuse, path)
    except FileNotFoundError:
        return
    except OSError as trouble:
        run_logger().warning("job %s: what came cannot be kept: %s", purchase.job_id, trouble)
    else:
        error.what = sentences(error.what, f"What came is kept as {kept}.")


async def _opened(path: Path) -> Clip | None:
    """The file as a clip; None, with the file removed, if it is not a clip.

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
