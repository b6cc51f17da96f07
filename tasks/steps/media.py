"""Tasks: store an image, a video or audio of a request in the archive, once per content."""

from __future__ import annotations

from pathlib import Path

from prefect_together_video.blocks.ledger.ledger import Ledger
from prefect_together_video.tasks.running.retries import retried_task
from prefect_together_video.tasks.running.runs import run_logger
from together_video.api.link_downloads import download_link
from together_video.errors import ArchiveError, MediaRefused
from together_video.inputs.media import bucket_and_key
from together_video.media.files import LARGEST, MediaFile
from together_video.media.sources import MediaKind
from together_video.network.trusted_hosts import TrustedHosts


@retried_task(
    "store-media",
    "Upload an image, a video or audio to the archive, unless its content is already there.",
    run_name="store: {file.name}",
)
async def store_media(file: MediaFile, ledger: Ledger) -> str:
    """Returns the reference by which requests name the content.

    Raises:
        MediaRefused: the file was changed or removed since it was inspected.
        ArchiveError: the bucket cannot be written.
    """
    new = await ledger.media.keep(file)
    run_logger().info("%s: %s (%s)", file.name, "stored" if new else "already stored", file.reference)
    return file.reference


@retried_task(
    "fetch-media",
    "Copy an object that a request names by its s3:// address to this machine.",
    run_name="fetch: {address}",
)
async def fetch_media(address: str, folder: Path, ledger: Ledger) -> Path:
    """Returns the copy, under the object's own name. It is read with the archive's credentials.

    Raises:
        MediaRefused: there is no such object, or these credentials may not read it.
        StoreUnavailable: the S3 server does not answer.
    """
    bucket, key = bucket_and_key(address)
    path = folder / (key.rstrip("/").rpartition("/")[2] or "object")
    try:
        found = await ledger.store.fetch_from(bucket, key, path, max_bytes=max(LARGEST.values()))
    except ArchiveError as error:
        if error.retryable:
            raise
        raise MediaRefused(error.message) from error
    if not found:
        raise MediaRefused("there is no such object, or these credentials may not see it")
    return path


@retried_task(
    "download-sound",
    "Download a sound file that a storyboard names by its link to this machine.",
    run_name="download: {place}",
    retries=2,
)
async def download_sound(link: str, path: Path, place: str, trusted: TrustedHosts) -> Path:
    """Returns the path. `place` names where the storyboard has the link.

    Raises:
        MediaRefused: it cannot be downloaded, or is too large.
    """
    await download_link(link, path, max_bytes=LARGEST[MediaKind.AUDIO], trusted=trusted)
    run_logger().info("%s: downloaded %.1f MB", place, path.stat().st_size / 1e6)
    return path
