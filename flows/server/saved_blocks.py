"""The blocks that `prefect.yaml` names, saved on the Prefect server from the environment.

`together-credentials/production` from TOGETHER_API_KEY and TOGETHER_BASE_URL; `video-archive/production` from
VIDEO_ARCHIVE_BUCKET or VIDEO_ARCHIVE_FOLDER, VIDEO_ARCHIVE_PREFIX, VIDEO_ARCHIVE_MONTHLY_LIMIT_USD,
VIDEO_ARCHIVE_LINK_HOURS and the AWS_* variables. For a bucket, if AWS_ACCESS_KEY_ID is set, the keys are also saved as
the block `aws-credentials/production`. Otherwise workers use what boto3 finds where they run, such as an instance's
role. Existing blocks are updated, so this is also how to rotate a key.
"""

from __future__ import annotations

import asyncio
import os
from typing import cast

from prefect_aws.client_parameters import AwsClientParameters
from prefect_aws.credentials import AwsCredentials
from pydantic import SecretStr

from prefect_together_video.blocks import TogetherCredentials, VideoArchive
from prefect_together_video.flows.server.asking import failing_clearly, reach_configured
from together_video.errors import ConfigurationError


def save_blocks(name: str) -> list[str]:
    """Save the blocks on the configured Prefect server. Returns what was saved, such as
    `video-archive/production`.

    Raises:
        ConfigurationError: the environment lacks a key or an archive or has an unusable value, or there is no Prefect
            server to save to, or it goes away in the meantime.
    """
    server = asyncio.run(reach_configured("Blocks are kept by a Prefect server: set PREFECT_API_URL."))
    together, archive = TogetherCredentials.from_env(), VideoArchive.from_env()
    credentials = None if archive.bucket is None else _aws_credentials()
    with failing_clearly(server):
        return _save(name, together, archive, credentials)


def _save(
    name: str, together: TogetherCredentials, archive: VideoArchive, credentials: AwsCredentials | None
) -> list[str]:
    saved = []
    if credentials is not None:
        credentials.save(name, overwrite=True)
        saved.append(f"aws-credentials/{name}")
    # Its other fields may have been set in the UI. They stay as they are there.
    named: dict[str, object] = {
        "bucket": archive.bucket,
        "folder": archive.folder,
        "prefix": archive.prefix,
        "credentials": credentials,
    }
    if archive.folder is not None:
        # The settings of a bucket are useless for a folder.
        named |= {"storage_class": None, "sse_kms_key_id": None, "tags": {}}
    if archive.monthly_limit_usd is not None:
        named["monthly_limit_usd"] = archive.monthly_limit_usd
    if "link_hours" in archive.model_fields_set:
        named["link_hours"] = archive.link_hours
    try:
        archive = cast(VideoArchive, VideoArchive.load(name)).model_copy(update=named)
    except ValueError:
        archive = archive.model_copy(update=named)
    for slug, block in (("together-credentials", together), ("video-archive", archive)):
        block.save(name, overwrite=True)
        saved.append(f"{slug}/{name}")
    return saved


def _aws_credentials() -> AwsCredentials | None:
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not key and not endpoint:
        return None
    if bool(key) != bool(secret):
        raise ConfigurationError("Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        raise ConfigurationError(
            "AWS_SESSION_TOKEN is set: keys of a session expire within hours and do not belong in a block. Use keys of "
            "an IAM user, or unset them: workers then use the role of the machine that they run on."
        )
    return AwsCredentials(
        aws_access_key_id=key or None,
        aws_secret_access_key=SecretStr(secret) if secret else None,
        region_name=region,
        aws_client_parameters=AwsClientParameters(endpoint_url=endpoint),
    )
