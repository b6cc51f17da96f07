"""A bucket as a store, over one client that all threads of a run share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.s3.store import FACTS_AT_ONCE, FILES_AT_ONCE, ObjectStore

if TYPE_CHECKING:
    from prefect_aws.credentials import AwsCredentials, MinIOCredentials

_CONNECTIONS = FACTS_AT_ONCE + FILES_AT_ONCE


def open_bucket(
    bucket: str,
    credentials: AwsCredentials | MinIOCredentials | None,
    storage: Storage | None = None,
    *,
    attempts: int = 5,
) -> ObjectStore:
    """The store of this bucket. It sends each call up to `attempts` times.

    Raises:
        ConfigurationError: boto3 finds no credentials, no region or no such profile.
    """
    return ObjectStore(
        make_client(credentials, _CONNECTIONS, attempts=attempts),
        bucket,
        storage=storage or Storage(),
        impatient=lambda: make_client(credentials, _CONNECTIONS, attempts=1),
        profile=getattr(credentials, "profile_name", None),
    )
