"""What S3 says when it refuses or fails, and what the user reads then."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import botocore.exceptions as aws
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.s3.errors import without_answer
from together_video.errors import (
    ArchiveError,
    BucketRefused,
    ConfigurationError,
    StoreFull,
    StoreUnavailable,
    StoreUnsafe,
)


def refusal(status, code, message="as told", region="us-east-1"):
    """An answer as S3 words its errors."""
    xml = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, xml, {"content-type": "application/xml", "x-amz-bucket-region": region}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (refusal(404, "NoSuchBucket"), BucketRefused, "There is no bucket"),
        (refusal(403, "AccessDenied"), BucketRefused, "refuses these credentials .AccessDenied"),
        (refusal(403, "InvalidAccessKeyId"), BucketRefused, "InvalidAccessKeyId"),
        (refusal(403, "SignatureDoesNotMatch"), BucketRefused, "SignatureDoesNotMatch"),
        (403, BucketRefused, "403"),
        (refusal(400, "ExpiredToken"), BucketRefused, "have expired"),
        (refusal(301, "PermanentRedirect", region="eu-west-3"), BucketRefused, "another region"),
        (refusal(400, "AuthorizationHeaderMalformed"), BucketRefused, "another region"),
        (refusal(503, "SlowDown"), StoreUnavailable, "SlowDown"),
        (refusal(500, "InternalError"), StoreUnavailable, "InternalError"),
        (refusal(429, "TooManyRequests"), StoreUnavailable, "TooManyRequests"),
        (refusal(400, "RequestTimeout"), StoreUnavailable, "RequestTimeout"),
        (refusal(400, "BadDigest"), StoreUnavailable, "BadDigest"),
        (refusal(400, "XAmzContentSHA256Mismatch"), StoreUnavailable, "XAmzContentSHA256Mismatch"),
        (refusal(501, "NotImplemented"), StoreUnsafe, "does not implement what a ledger needs"),
        (501, StoreUnsafe, "Use a server that does"),
        (refusal(403, "QuotaExceeded"), StoreFull, "quota is used up"),
        (refusal(507, "XMinioStorageFull"), StoreFull, "is full"),
        (507, StoreFull, "Make room"),
        (refusal(403, "AccountProblem"), BucketRefused, "The account of bucket"),
        (refusal(400, "KMS.DisabledException"), BucketRefused, "The KMS key"),
        (refusal(403, "InvalidObjectState"), ArchiveError, "must be restored"),
        (refusal(403, "RequestTimeTooSkewed"), BucketRefused, "The clock of this machine is"),
        (502, StoreUnavailable, "502"),
        ("reset", StoreUnavailable, "does not answer"),
        (refusal(400, "InvalidStorageClass", "not that class"), ArchiveError, "not that class"),
    ],
)
async def test_table(archive, unruly_s3, open_store, answer, kind, said):
    """Each refusal becomes one error of ours, which says whether to try again and names the bucket."""
    unruly_s3.strike = lambda *_: answer
    store = open_store(archive, unruly_s3.url)
    for call in (lambda: store.put_once("fact.json", b"{}"), lambda: store.get("fact.json")):
        with pytest.raises(ArchiveError, match=said) as caught:
            await call()
        assert type(caught.value) is kind
        assert caught.value.retryable is (kind is StoreUnavailable)
        assert caught.value.exit_code == (2 if issubclass(kind, BucketRefused | StoreUnsafe) else 1)
        assert archive.bucket in caught.value.message


@pytest.mark.anyio
@pytest.mark.parametrize(("hours", "said"), [(-2, "120 minutes ahead"), (25, "1500 minutes behind")])
async def test_a_wrong_clock_is_told_in_minutes(archive, unruly_s3, open_store, hours, said):
    """By the time that the server gives with its refusal."""
    theirs = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    status, body, headers = refusal(403, "RequestTimeTooSkewed")
    unruly_s3.strike = lambda *_: (status, body, {**headers, "date": theirs})
    with pytest.raises(BucketRefused, match=said) as caught:
        await open_store(archive, unruly_s3.url).get("fact.json")
    assert "Set the clock" in caught.value.message


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (aws.UnauthorizedSSOTokenError(), ConfigurationError, "Run aws sso login --profile films, and"),
        (aws.SSOTokenLoadError(error_msg="no token"), ConfigurationError, "aws sso login --profile films"),
        (aws.TokenRetrievalError(provider="sso", error_msg="expired"), ConfigurationError, "aws sso login"),
        (aws.NoCredentialsError(), ConfigurationError, "Set AWS_ACCESS_KEY_ID"),
        (aws.ProfileNotFound(profile="films"), ConfigurationError, "films"),
        (aws.CredentialRetrievalError(provider="process", error_msg="exit 1"), ConfigurationError, "process"),
        (
            aws.MetadataRetrievalError(error_msg="no role"),
            ConfigurationError,
            "The source of the AWS credentials",
        ),
        (aws.SSLError(endpoint_url="https://s3", error="self-signed"), StoreUnavailable, "AWS_CA_BUNDLE"),
        (aws.ProxyConnectionError(proxy_url="http://p:1", error="no"), StoreUnavailable, "HTTPS_PROXY"),
        (aws.EndpointConnectionError(endpoint_url="https://s3"), StoreUnavailable, "and the network"),
        (aws.ReadTimeoutError(endpoint_url="https://s3"), StoreUnavailable, "does not answer"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_kept_a_call_from_its_answer_is_named(monkeypatch, error, kind, said):
    """An ended sign-in is no matter of the network: each cause has its own remedy."""
    monkeypatch.setenv("AWS_PROFILE", "films")
    found = without_answer(error, "bucket-of-ours", profile=None)
    assert type(found) is kind
    assert said in found.message
    assert "bucket-of-ours" in found.message


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["moto", "seaweed"])
async def test_no_such_bucket(archive, seaweed, new_archive, open_store, server):
    """A bucket that does not exist is named by the probe, and not made by it: SeaweedFS would at a first PUT."""
    if server == "seaweed":
        archive = new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key))
    store = open_store(archive.model_copy(update={"bucket": "no-such-bucket-here"}))
    for _ in range(2):
        with pytest.raises(BucketRefused, match="There is no bucket no-such-bucket-here"):
            await store.probe("")


@pytest.mark.anyio
@pytest.mark.parametrize("wrong", ["key", "secret"])
async def test_wrong_keys(seaweed, new_archive, open_store, wrong):
    """A server that checks signatures refuses a wrong key and a wrong secret; neither shows in the words."""
    pair = (seaweed.access_key, seaweed.secret_key)
    archive = new_archive(seaweed.url, pair)
    field = "aws_access_key_id" if wrong == "key" else "aws_secret_access_key"
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), pair, strict=True)) | {field: "wrong-one"}
    parameters = archive.credentials.aws_client_parameters
    credentials = type(archive.credentials)(**keys, aws_client_parameters=parameters)
    store = open_store(archive.model_copy(update={"credentials": credentials}))
    with pytest.raises(BucketRefused, match="refuses these credentials") as caught:
        await store.probe("")
    assert seaweed.secret_key not in caught.value.message


@pytest.mark.anyio
async def test_no_credentials(monkeypatch, moto_url):
    """Where boto3 finds no keys, the names of the variables are said."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    async with VideoArchive(bucket="films").open() as ledger:
        with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
            await ledger.check()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_PROFILE": "nobody"}, "nobody"),
        ({"AWS_ACCESS_KEY_ID": "half"}, "Partial credentials"),
        ({"AWS_ENDPOINT_URL_S3": "no address"}, "no address"),
    ],
)
async def test_settings_that_cannot_work(monkeypatch, variables, said):
    """A profile, half a pair of keys or an address that boto3 cannot use is named before any call."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=said):
        async with VideoArchive(bucket="films").open() as ledger:
            await ledger.check()


@pytest.mark.anyio
async def test_a_role_that_may_not_be_assumed(monkeypatch, archive, unruly_s3):
    """A refusal by AWS's token service is an error of ours, too."""
    unruly_s3.strike = lambda *_: (
        403,
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        "<Message>not authorized to assume</Message></Error></ErrorResponse>",
        {"content-type": "text/xml"},
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", unruly_s3.url)
    role = archive.credentials.model_copy(update={"assume_role_arn": "arn:aws:iam::123456789012:role/film"})
    with pytest.raises(ConfigurationError, match="not authorized to assume"):
        async with archive.model_copy(update={"credentials": role}).open():
            pass


@pytest.mark.anyio
async def test_nobody_answers(archive, unruly_s3, open_store):
    """A server that is down is worth another try."""
    unruly_s3.close()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await open_store(archive, unruly_s3.url).probe("")


@pytest.mark.anyio
async def test_redirects_in_a_circle(archive, unruly_s3, open_store):
    """A server that sends http on to https, say, is named as a wrong address."""
    unruly_s3.strike = lambda *_: (301, "", {"location": "https://elsewhere/"})
    with pytest.raises(ConfigurationError, match="http or https"):
        await open_store(archive, unruly_s3.url).get("fact.json")


@pytest.mark.anyio
async def test_a_name_that_no_bucket_has(archive, open_store):
    """A name with characters that S3 does not allow is refused, quoted."""
    store = open_store(archive.model_copy(update={"bucket": "Films!"}))
    with pytest.raises(BucketRefused, match="'Films!' is not the name"):
        await store.probe("")


@pytest.mark.anyio
async def test_a_conflict_passes(archive, unruly_s3, open_store, turned_clock):
    """409 means that another conditional write is under way: after a pause the PUT is made again."""
    conflicts = iter([refusal(409, "ConditionalRequestConflict")] * 2)
    unruly_s3.strike = lambda *_: next(conflicts, None)
    store = open_store(archive, unruly_s3.url, sleep=turned_clock.sleep)
    assert await store.put_once("claim.json", b"{}") is True
    assert len(turned_clock.slept) == 2


@pytest.mark.anyio
async def test_a_conflict_that_lasts(archive, unruly_s3, open_store, turned_clock):
    """After five conflicts in a row the store gives up, with an error that is worth another try."""
    unruly_s3.strike = lambda *_: refusal(409, "ConditionalRequestConflict")
    store = open_store(archive, unruly_s3.url, sleep=turned_clock.sleep)
    with pytest.raises(StoreUnavailable, match="written by another"):
        await store.put_once("claim.json", b"{}")
    assert len(unruly_s3.calls) == 5
    for slept, pause in zip(turned_clock.slept, (0.2, 0.5, 1.0, 2.0), strict=True):
        assert pause / 2 <= slept <= pause * 1.5
