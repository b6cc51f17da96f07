"""Stores over the archives of the shared fixtures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from prefect_together_video.blocks.archive import VideoArchive
from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.s3.store import ObjectStore

if TYPE_CHECKING:
    pass


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
