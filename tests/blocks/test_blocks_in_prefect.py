"""The blocks as Prefect knows them: found through the entry point, registered, saved, loaded."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prefect.blocks.core import Block
from prefect_aws.credentials import AwsCredentials, MinIOCredentials

from prefect_together_video.blocks import TogetherCredentials, VideoArchive


def test_the_entry_point_names_the_blocks():
    """Prefect imports what `prefect.collections` lists at its start, and both blocks are there."""
    (entry,) = metadata.entry_points(group="prefect.collections", name="prefect_together_video")
    module = entry.load()
    for name in ("TogetherCredentials", "VideoArchive"):
        assert issubclass(getattr(module, name), Block)


def test_prefect_finds_them_by_itself():
    """A process that imports only Prefect knows both types by their slugs."""
    code = (
        "from prefect.plugins import load_prefect_collections; load_prefect_collections()\n"
        "from prefect.blocks.core import Block\n"
        "from prefect.utilities.dispatch import get_registry_for_type\n"
        "slugs = {kind.get_block_type_slug() for kind in get_registry_for_type(Block).values()}\n"
        "assert {'together-credentials', 'video-archive'} <= slugs, slugs"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_register_from_the_command_line(prefect_api):
    """`prefect block register -m prefect_together_video` makes both types known to the server."""
    prefect = Path(sys.executable).with_name("prefect")
    done = subprocess.run(
        [prefect, "block", "register", "-m", "prefect_together_video"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for slug in ("together-credentials", "video-archive"):
        kind = httpx.get(f"{prefect_api}/block_types/slug/{slug}").raise_for_status().json()
        assert kind["description"]
        assert "load" in kind["code_example"]


def test_credentials_survive_saving(prefect_api):
    """A saved block loads again with its key, which the server shows masked."""
    name = f"together-{uuid4().hex[:8]}"
    TogetherCredentials(api_key="tgp-secret", base_url="http://127.0.0.1:9").save(name)
    loaded = TogetherCredentials.load(name)
    assert loaded.api_key.get_secret_value() == "tgp-secret"
    assert loaded.base_url == "http://127.0.0.1:9"
    shown = httpx.get(f"{prefect_api}/block_types/slug/together-credentials/block_documents/name/{name}")
    assert "tgp-secret" not in shown.raise_for_status().text
    assert "********" in shown.text


@pytest.mark.parametrize(
    ("credentials", "secret"),
    [
        (
            AwsCredentials(
                aws_access_key_id="k",
                aws_secret_access_key="s3-secret",
                aws_client_parameters={"endpoint_url": "http://127.0.0.1:9"},
            ),
            "aws_secret_access_key",
        ),
        (
            MinIOCredentials(
                minio_root_user="k",
                minio_root_password="s3-secret",
                aws_client_parameters={"endpoint_url": "http://127.0.0.1:9"},
            ),
            "minio_root_password",
        ),
    ],
)
def test_an_archive_survives_saving(prefect_api, credentials, secret):
    """A saved archive loads again with the kind of credentials that it was saved with."""
    name = f"archive-{uuid4().hex[:8]}"
    credentials.save(name)
    VideoArchive(bucket="films", prefix="autumn", tags={"team": "film"}, credentials=credentials).save(name)
    loaded = VideoArchive.load(name)
    assert (loaded.bucket, loaded.prefix, loaded.tags) == ("films", "autumn", {"team": "film"})
    assert type(loaded.credentials) is type(credentials)
    assert getattr(loaded.credentials, secret).get_secret_value() == "s3-secret"
    assert loaded.credentials.aws_client_parameters.endpoint_url == "http://127.0.0.1:9"


def test_an_archive_without_credentials_survives_saving(prefect_api):
    """None stays none: boto3 then looks in its usual places."""
    name = f"archive-{uuid4().hex[:8]}"
    VideoArchive(bucket="films").save(name)
    assert VideoArchive.load(name).credentials is None
