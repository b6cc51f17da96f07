"""The store: what it writes, reads, compares and lists, against real S3 servers on loopback."""

import asyncio
import hashlib
import io
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from prefect_aws.credentials import MinIOCredentials
from urllib3 import HTTPResponse

from prefect_together_video.blocks.s3.client import make_client
from prefect_together_video.blocks.s3.objects import Storage
from prefect_together_video.blocks.store.objects import StoredBytes, StoredHead
from together_video.errors import BucketRefused, StoreUnavailable, StoreUnsafe

BODY = b"a film, in a manner of speaking"
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def film(tmp_path):
    """A file to upload."""
    path = tmp_path / "film.mp4"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def solid(seaweed, new_archive):
    """An archive on the server that checks signatures and checksums."""
    return new_archive(seaweed.url, (seaweed.access_key, seaweed.secret_key))


@pytest.fixture
def unruly_seaweed(seaweed, new_unruly):
    """The unruly server in front of SeaweedFS."""
    return new_unruly(seaweed.url)


@pytest.mark.anyio
async def test_a_race_has_one_winner(solid, open_store):
    """Of twenty concurrent PUTs of one key exactly one is told that it won, and its bytes lie there."""
    store = open_store(solid)
    won = await asyncio.gather(*(store.put_once("claim.json", b"%d" % number) for number in range(20)))
    assert won.count(True) == 1
    found = await store.get("claim.json")
    assert found
    assert found.data == b"%d" % won.index(True)


@pytest.mark.anyio
async def test_a_lost_answer_is_not_taken_for_a_refusal(archive, unruly_s3, open_store):
    """boto3 repeats a PUT whose answer was lost, and the store tells its callers that the key is taken."""
    store = open_store(archive, unruly_s3.url, attempts=2)
    lost = iter(["lost"])
    unruly_s3.strike = lambda method, *_: next(lost, None)
    assert await store.put_once("claim.json", b"mine") is False
    found = await store.get("claim.json")
    assert found
    assert found.data == b"mine"


@pytest.mark.anyio
async def test_age_is_by_the_servers_clock(archive, unruly_s3, open_store):
    """An object that the server dates ten minutes before its own now is ten minutes old, whatever our clock says."""
    dates = {
        "last-modified": "Mon, 01 Jan 2001 00:00:00 GMT",
        "date": "Mon, 01 Jan 2001 00:10:00 GMT",
    }
    unruly_s3.strike = lambda *_: (200, "{}", dates)
    found = await open_store(archive, unruly_s3.url).get("fact")
    assert found == StoredBytes(data=b"{}", written_at=datetime(2001, 1, 1, tzinfo=UTC), age_seconds=600)


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["moto", "seaweed"])
async def test_put_file_once_and_head(server, archive, request, open_store, film):
    """A file is uploaded once; size and SHA-256 come back, and so does the content."""
    store = open_store(archive if server == "moto" else request.getfixturevalue("solid"))
    await store.probe("")
    assert await store.put_file_once("v/film.mp4", film, SHA256, "video/mp4") is True
    assert await store.put_file_once("v/film.mp4", film, SHA256, "video/mp4") is False
    assert await store.head("v/film.mp4") == StoredHead(size=len(BODY), sha256=SHA256)
    assert await store.content_sha256("v/film.mp4") == SHA256
    assert await store.head("v/other.mp4") is None
    assert await store.content_sha256("v/other.mp4") is None


@pytest.mark.anyio
async def test_head_of_parts_gives_the_whole_checksum(archive, unruly_s3, open_store):
    """A checksum of parts is not one of the content: then our own note of it counts, or nothing."""
    headers = {"x-amz-checksum-sha256": "AAAA-2", "x-amz-meta-sha256": SHA256, "content-length": "5"}
    store = open_store(archive, unruly_s3.url)
    unruly_s3.strike = lambda *_: (200, "", headers)
    assert await store.head("film") == StoredHead(size=5, sha256=SHA256)
    del headers["x-amz-meta-sha256"]
    assert await store.head("film") == StoredHead(size=5, sha256=None)


@pytest.mark.anyio
async def test_what_was_written_wrongly_is_found_and_removed(archive, unruly_s3, open_store, film):
    """Where a store does not verify checksums, the upload is read back: spoiled bytes do not stay."""
    store = open_store(archive, unruly_s3.url)
    await store.probe("")
    unruly_s3.strike = lambda method, path, _: "spoil" if method == "PUT" and "film" in path else None
    with pytest.raises(StoreUnavailable, match="differs from what was sent"):
        await store.put_file_once("film.mp4", film, SHA256, "video/mp4")
    assert await store.head("film.mp4") is None
    unruly_s3.strike = lambda *_: None
    assert await store.put_file_once("film.mp4", film, SHA256, "video/mp4") is True


@pytest.mark.anyio
async def test_a_store_that_verifies_refuses_spoiled_bytes(solid, unruly_seaweed, open_store, film):
    """SeaweedFS refuses other bytes than the checksum says; nothing lies there, and nothing is read back."""
    store = open_store(solid, unruly_seaweed.url)
    await store.probe("")
    unruly_seaweed.strike = lambda method, path, _: "spoil" if method == "PUT" and "film" in path else None
    with pytest.raises(StoreUnavailable):
        await store.put_file_once("film.mp4", film, SHA256, "video/mp4")
    unruly_seaweed.strike = lambda *_: None
    assert await store.head("film.mp4") is None
    unruly_seaweed.calls.clear()
    assert await store.put_file_once("film.mp4", film, SHA256, "video/mp4") is True
    assert [method for method, _ in unruly_seaweed.calls] == ["PUT"]


@pytest.mark.anyio
async def test_probe_lists_within_the_prefix(archive, unruly_s3, open_store):
    """A policy may allow the archive's own prefix and no more (the condition s3:prefix)."""
    store = open_store(archive, unruly_s3.url)
    denied = (403, "<Error><Code>AccessDenied</Code></Error>")
    unruly_s3.strike = lambda method, path, _: (
        denied if "list-type=2" in path and "prefix=films%2F&" not in path else None
    )
    await store.probe("films/")
    with pytest.raises(BucketRefused, match=r"\(AccessDenied\) for listing its keys: check the keys"):
        await store.probe("")


@pytest.mark.anyio
async def test_probe_leaves_one_marker(solid, open_store):
    """A probe of a server that verifies checksums passes, again and again, and leaves nothing but its marker."""
    store = open_store(solid)
    await store.probe("here/")
    await store.probe("here/")
    assert [found.key for found in await store.list("")] == ["here/store.json"]


@pytest.mark.anyio
@pytest.mark.parametrize("probed_before", [False, True])
async def test_probe_refuses_a_store_without_conditions(archive, unruly_s3, open_store, probed_before):
    """A store that ignores If-None-Match is refused, also where the marker lies there already."""
    store = open_store(archive, unruly_s3.url)
    if probed_before:
        await store.probe("")
    unruly_s3.without = {"if-none-match"}
    with pytest.raises(StoreUnsafe, match="ignores If-None-Match"):
        await store.probe("")


@pytest.mark.anyio
async def test_list_reads_all_pages(archive, open_store):
    """More keys than fit one answer come back in order, with the time of each, and only those below the prefix."""
    from moto.backends import get_backend

    # Straight into the server's memory: a thousand PUTs would take seconds.
    bucket = get_backend("s3")["123456789012"]["aws"]
    for number in range(1005):
        bucket.put_object(archive.bucket, f"inflight/{number:04}/claim.json", b"{}")
    bucket.put_object(archive.bucket, "inflight-not/claim.json", b"{}")
    store = open_store(archive)
    found = await store.list("inflight/")
    assert [entry.key for entry in found] == [f"inflight/{number:04}/claim.json" for number in range(1005)]
    assert all(abs(datetime.now(UTC) - entry.written_at) < timedelta(minutes=5) for entry in found)
    assert {entry.size for entry in found} == {2}
    assert await store.list("nothing/") == []


@pytest.mark.anyio
async def test_a_fetch_cut_short_leaves_nothing(archive, unruly_s3, open_store, tmp_path):
    """A body that ends early is an error worth repeating, and no file."""
    unruly_s3.strike = lambda *_: (200, "half", {"content-length": "8"})
    with pytest.raises(StoreUnavailable):
        await open_store(archive, unruly_s3.url).fetch("film", tmp_path / "new" / "copy.mp4")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.anyio
async def test_delete_many_by_one_request(solid, open_store, unruly_seaweed):
    """One request for up to 1,000 keys; those that are not there are no error. One key is deleted plainly."""
    store = open_store(solid, unruly_seaweed.url)
    for name in ("a", "b", "c"):
        await store.put_once(name, b"")
    unruly_seaweed.calls.clear()
    await store.delete(["b", "nothing", "a"])
    await store.delete(["c"])
    await store.delete(f"never/{number}" for number in range(1001))
    assert [method for method, _ in unruly_seaweed.calls] == ["POST", "DELETE", "POST", "DELETE"]
    assert await store.list("") == []


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 405, 501])
async def test_a_server_that_cannot_delete_many(archive, unruly_s3, open_store, status):
    """It is asked once, and then each key has a request of its own."""
    store = open_store(archive, unruly_s3.url)
    for name in ("a", "b", "c"):
        await store.put_once(name, b"")
    unruly_s3.calls.clear()
    unruly_s3.strike = lambda method, *_: status if method == "POST" else None
    await store.delete(["a", "b"])
    await store.delete(["c", "d"])
    assert [method for method, _ in unruly_s3.calls] == ["POST", *["DELETE"] * 4]
    assert await store.list("") == []


@pytest.mark.anyio
async def test_what_is_not_deleted_is_an_error(archive, unruly_s3, open_store):
    """The answer is 200 and names the keys that were refused. Each is deleted again on its own, and says why."""
    store = open_store(archive, unruly_s3.url)
    refused = "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"
    unruly_s3.strike = lambda method, *_: {"POST": (200, refused), "DELETE": 403}.get(method)
    unruly_s3.calls.clear()
    with pytest.raises(BucketRefused):
        await store.delete(["a", "b"])
    assert [path.rpartition("/")[2] for method, path in unruly_s3.calls if method == "DELETE"] == ["b"]


@pytest.mark.anyio
async def test_list_the_first_pages(archive, open_store, monkeypatch):
    """As many requests as are allowed, and whether that was everything."""
    store = open_store(archive)
    paginator, by_two = store._client.get_paginator("list_objects_v2"), {"PageSize": 2}
    monkeypatch.setattr(
        store,
        "_pages",
        lambda prefix: paginator.paginate(Bucket=store.bucket, Prefix=prefix, PaginationConfig=by_two),
    )
    for name in ("a", "b", "c"):
        await store.put_once(name, b"x")
    listed, whole = await store.list_first("", pages=1)
    assert ([found.key for found in listed], whole) == (["a", "b"], False)
    listed, whole = await store.list_first("", pages=5)
    assert ([found.key for found in listed], whole) == (["a", "b", "c"], True)


@pytest.mark.anyio
async def test_presigned_links(solid, open_store):
    """A link opens one object for those without keys, for the time given; another object it does not open."""
    store = open_store(solid)
    for key in ("open", "other"):
        await store.put_once(key, BODY)
    link = store.presign("open", seconds=60)
    assert "X-Amz-Expires=60" in link
    async with httpx.AsyncClient(trust_env=False) as anybody:
        assert (await anybody.get(link)).content == BODY
        assert (await anybody.get(link.replace("/open", "/other"))).status_code == 403
        assert (await anybody.get(link.partition("?")[0])).status_code == 403


@pytest.mark.anyio
async def test_storage_options_reach_the_server(archive, open_store, film):
    """Class and tags are for media only; the KMS key and the content type are for all."""
    storage = Storage(
        storage_class="STANDARD_IA", sse_kms_key_id="key-1", tags=(("team", "film/tv = on"), ("year", "2026"))
    )
    store = open_store(archive, storage=storage)
    await store.put_file_once("film.mp4", film, SHA256, "video/mp4")
    await store.put_once("fact.json", b"{}")
    s3 = make_client(archive.credentials, 10)
    media = s3.head_object(Bucket=archive.bucket, Key="film.mp4")
    fact = s3.head_object(Bucket=archive.bucket, Key="fact.json")
    assert (media["StorageClass"], media["ContentType"]) == ("STANDARD_IA", "video/mp4")
    assert ("StorageClass" in fact, fact["ContentType"]) == (False, "application/json")
    for answer in (media, fact):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", "key-1")
    tags = s3.get_object_tagging(Bucket=archive.bucket, Key="film.mp4")["TagSet"]
    assert tags == [{"Key": "team", "Value": "film/tv = on"}, {"Key": "year", "Value": "2026"}]
    assert s3.get_object_tagging(Bucket=archive.bucket, Key="fact.json")["TagSet"] == []
    s3.close()


def test_the_client_follows_the_credentials(archive):
    """Endpoint, region and config of the block reach the client, over the defaults that it would have."""
    parameters = {"endpoint_url": "http://127.0.0.1:9", "config": {"read_timeout": 7}}
    credentials = type(archive.credentials)(
        aws_access_key_id="k",
        aws_secret_access_key="s",
        region_name="eu-west-3",
        aws_client_parameters=parameters,
    )
    client = make_client(credentials, 50)
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "eu-west-3"
    config = client.meta.config
    assert (config.read_timeout, config.connect_timeout, config.max_pool_connections) == (7, 10, 50)
    client.close()


def test_a_region_is_made_up_where_none_is_set():
    """MinIO and similar servers need no region, but boto3 does."""
    credentials = MinIOCredentials(
        minio_root_user="k",
        minio_root_password="s",
        aws_client_parameters={"endpoint_url": "http://127.0.0.1:9"},
    )
    client = make_client(credentials, 1)
    assert client.meta.region_name == "us-east-1"
    client.close()


@pytest.mark.parametrize("kind", ["bytes", "file"])
@pytest.mark.parametrize(("size", "asks"), [(0, False), (65_536, False), (65_537, True)])
def test_a_small_body_is_sent_without_asking(archive, tmp_path, size, asks, kind):
    """For a large one the server may say first that it does not want it: the key is taken."""
    sent = []

    def answer(request, **_):
        sent.append(request.headers.get("Expect"))
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO(), preload_content=False))

    client = make_client(archive.credentials, 10)
    client.meta.events.register("before-send.s3", answer)
    content = b"x" * size
    (tmp_path / "body").write_bytes(content)
    with (tmp_path / "body").open("rb") as file:
        body = content if kind == "bytes" else file
        client.put_object(Bucket="b", Key="k", Body=body, ContentLength=size)
    assert sent == [b"100-continue" if asks else None]
    client.close()
