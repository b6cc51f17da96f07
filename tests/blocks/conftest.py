"""Stores over the archives of the shared fixtures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.folder.store import FolderStore
from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.s3.store import ObjectStore
from prefect_together_video.blocks.store.store import Store

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture
def open_store() -> Iterator[Callable[..., ObjectStore]]:
    """Makes a store in an archive's bucket, at another address if one is given, with `attempts` of boto3's."""
    opened: list[ObjectStore] = []

    def make(
        archive: VideoArchive,
        url: str | None = None,
        *,
        attempts: int = 1,
        storage: Storage | None = None,
        **seams: Callable[[float], Awaitable[None]],
    ) -> ObjectStore:
        assert archive.credentials is not None
        given = archive.credentials.aws_client_parameters
        parameters = {
            "endpoint_url": url or given.endpoint_url,
            "config": {"retries": {"mode": "standard", "total_max_attempts": attempts}},
        }
        credentials = archive.credentials.model_copy(
            update={"aws_client_parameters": type(given)(**parameters)}
        )
        assert archive.bucket is not None
        store = ObjectStore(make_client(credentials, 20), archive.bucket, storage=storage, **seams)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture(params=["bucket", "folder"])
def store(request: pytest.FixtureRequest, s3_client: S3Client, tmp_path: Path) -> Iterator[Store]:
    """A store in an empty bucket of moto's, and one in an empty folder: what holds of one holds of the other."""
    store: Store
    if request.param == "bucket":
        store = ObjectStore(s3_client, request.getfixturevalue("archive").bucket)
    else:
        (tmp_path / "archive").mkdir()
        store = FolderStore(tmp_path / "archive")
    yield store
    store.close()
