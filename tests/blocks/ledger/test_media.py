"""Media of requests in the archive: how they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prefect_together_video.blocks import VideoArchive
from together_video.media.files import inspect_file
from together_video.media.sources import MediaKind

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.mark.anyio
async def test_media_are_at_hand_whatever_the_class_of_videos(
    archive: VideoArchive, s3_client: S3Client, media_folder: Path
) -> None:
    """The provider reads them at once, and often, so the class of videos is not theirs."""
    cold = archive.model_copy(update={"storage_class": "STANDARD_IA", "tags": {"kind": "video"}})
    picture = inspect_file(media_folder / "red.png", MediaKind.IMAGE)
    async with cold.open() as ledger:
        assert await ledger.media.keep(picture)
        assert not await ledger.media.keep(picture)
        await ledger.store.put_file_once("film.png", media_folder / "red.png", picture.sha256, "image/png")
        key = ledger.layout.referenced(picture.reference)
    kept = s3_client.head_object(Bucket=archive.bucket, Key=key)
    film = s3_client.head_object(Bucket=archive.bucket, Key="film.png")
    assert (kept.get("StorageClass"), film.get("StorageClass")) == (None, "STANDARD_IA")
    assert kept["ContentType"] == "image/png"
