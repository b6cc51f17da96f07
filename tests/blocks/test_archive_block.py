"""VideoArchive: what it takes, what it hides, and how it reaches a bucket."""

from typing import Any

import pytest
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect_aws.credentials import AwsCredentials, MinIOCredentials
from pydantic import ValidationError

from prefect_together_video.blocks import VideoArchive
from together_video.errors import ConfigurationError

SECRET = "very-secret-s3-key"


class TestStandards(BlockStandardTestSuite):
    """What Prefect asks of every block."""

    @pytest.fixture
    def block(self) -> type[VideoArchive]:
        return VideoArchive

    def test_has_a_valid_image(self, block: Any) -> None:
        """The logo has an https address. The suite would open it on the internet, which tests must not need."""
        assert str(block._logo_url).startswith("https://")


def test_from_env(monkeypatch):
    """Bucket and prefix come from the environment; credentials are left to boto3."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", "s3://films/")
    monkeypatch.setenv("VIDEO_ARCHIVE_PREFIX", "/autumn/")
    archive = VideoArchive.from_env()
    assert (archive.bucket, archive.prefix, archive.credentials) == ("films", "autumn", None)


@pytest.mark.parametrize(
    ("bucket", "prefix", "said"), [("", "", "VIDEO_ARCHIVE_BUCKET"), ("films", "a/../b", "prefix")]
)
def test_from_env_refuses(monkeypatch, bucket, prefix, said):
    """A missing bucket, or a prefix that is not a path, is named."""
    monkeypatch.setenv("VIDEO_ARCHIVE_BUCKET", bucket)
    monkeypatch.setenv("VIDEO_ARCHIVE_PREFIX", prefix)
    with pytest.raises(ConfigurationError, match=said):
        VideoArchive.from_env()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("bucket", "", "bucket"),
        ("bucket", "films/autumn", "prefix"),
        ("bucket", "two words", "not a bucket name"),
        ("prefix", "a//b", "plain path"),
        ("prefix", "../up", "plain path"),
        ("prefix", "a\nb", "plain path"),
        ("prefix", "ü" * 300, "has 600 bytes; at most 512"),
        ("template", "{date}/{slug}", "needs {id}"),
        ("template", "{id}/{weather}", "unknown fields: weather"),
        ("template", "../{id}", "relative path"),
        ("template", "/{id}", "relative path"),
        ("template", "{id", "malformed"),
        ("template", "{id!r}", "needs {id}"),
        ("storage_class", "GLACIER", "cannot be read back at once"),
        ("storage_class", "deep_archive", "cannot be read back at once"),
        ("link_hours", -1, "greater than or equal to 0"),
        ("link_hours", 169, "less than or equal to 168"),
        ("tags", {f"tag{number}": "x" for number in range(11)}, "10 tags"),
    ],
)
def test_fields_are_checked(field, value, said):
    """Each field refuses what cannot work, in words that say why."""
    with pytest.raises(ValidationError, match=said):
        VideoArchive(**{"bucket": "films", field: value})


def test_the_whole_form():
    """What is right is taken, and the layout follows from it."""
    tags = {f"tag{number}": "x" for number in range(10)}
    archive = VideoArchive(bucket="films", prefix="autumn/", template="{year}/{id}", tags=tags)
    assert archive.layout.record("abc") == "autumn/records/abc.json"
    assert archive.layout.template == "{year}/{id}"


@pytest.mark.parametrize(
    "credentials",
    [
        AwsCredentials(aws_access_key_id="k", aws_secret_access_key=SECRET),
        MinIOCredentials(minio_root_user="k", minio_root_password=SECRET),
    ],
)
def test_secrets_are_masked(credentials):
    """No text or document that a block is shown as holds the S3 secret."""
    archive = VideoArchive(bucket="films", credentials=credentials)
    shown = f"{archive!r} {archive} {archive.model_dump()} {archive.model_dump_json()}"
    assert "films" in shown
    assert SECRET not in shown


@pytest.mark.anyio
async def test_opens_by_the_environment(moto_url, archive, monkeypatch):
    """Without a credentials block boto3's own variables are used, the endpoint for S3 too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with VideoArchive(bucket=archive.bucket, prefix="here").open() as ledger:
        await ledger.check()
        assert [found.key for found in await ledger.store.list("")] == ["here/store.json"]


@pytest.mark.anyio
async def test_opens_with_minio_credentials(seaweed, new_archive):
    """MinIO's block reaches a server that checks signatures."""
    bucket = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key)).bucket
    credentials = MinIOCredentials(
        minio_root_user=seaweed.access_key,
        minio_root_password=seaweed.secret_key,
        aws_client_parameters={"endpoint_url": seaweed.url},
    )
    async with VideoArchive(bucket=bucket, credentials=credentials).open() as ledger:
        await ledger.check()
        assert await ledger.store.get("store.json")
