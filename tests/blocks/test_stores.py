"""What a ledger relies on, of a bucket and of a folder alike."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from prefect_together_video.blocks.store.objects import StoredBytes
from together_video.errors import StoreUnavailable

BODY = b"a film, in a manner of speaking"
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def film(tmp_path):
    """A file to store."""
    path = tmp_path / "film.mp4"
    path.write_bytes(BODY)
    return path


@pytest.mark.anyio
async def test_put_once(store):
    """The first write wins; the second is told so and changes nothing."""
    assert await store.put_once("a/claim.json", b"first") is True
    assert await store.put_once("a/claim.json", b"second") is False
    found = await store.get("a/claim.json")
    assert isinstance(found, StoredBytes)
    assert found.data == b"first"


@pytest.mark.anyio
async def test_get_gives_bytes_and_age(store):
    """Age counts from the write, by the store's own clock; what is not there is None."""
    assert await store.get("nothing") is None
    await store.put_once("fact", b"{}")
    found = await store.get("fact")
    assert found
    assert 0 <= found.age_seconds < 30


@pytest.mark.anyio
async def test_a_file_is_stored_once(store, film):
    """From disk or from memory; its size and its content come back."""
    await store.probe("")
    assert await store.put_file_once("v/film.mp4", film, SHA256, "video/mp4") is True
    assert await store.put_file_once("v/film.mp4", film, SHA256, "video/mp4") is False
    assert await store.put_file_once("v/film.jpg", BODY, SHA256, "image/jpeg") is True
    for key in ("v/film.mp4", "v/film.jpg"):
        head = await store.head(key)
        assert head
        assert head.size == len(BODY)
        assert head.sha256 in (None, SHA256)
        assert await store.content_sha256(key) == SHA256
    assert await store.head("v/other.mp4") is None
    assert await store.content_sha256("v/other.mp4") is None


@pytest.mark.anyio
async def test_what_is_not_what_was_announced_does_not_stay(store, film):
    """A file that changed since it was hashed is refused, and another try may write its key."""
    film.write_bytes(b"something else")
    with pytest.raises(StoreUnavailable):
        await store.put_file_once("film.mp4", film, SHA256, "video/mp4")
    assert await store.list("") == []
    film.write_bytes(BODY)
    assert await store.put_file_once("film.mp4", film, SHA256, "video/mp4") is True


@pytest.mark.anyio
async def test_a_file_that_is_gone_is_told_as_such(store, tmp_path):
    """Another run of the same job has archived and removed it: the archive is not to blame."""
    with pytest.raises(FileNotFoundError):
        await store.put_file_once("film.mp4", tmp_path / "gone.mp4", SHA256, "video/mp4")


@pytest.mark.anyio
async def test_probe_leaves_one_marker(store):
    """A probe passes, again and again, and leaves nothing but its marker."""
    await store.probe("here/")
    await store.probe("here/")
    assert [found.key for found in await store.list("")] == ["here/store.json"]


@pytest.mark.anyio
async def test_list_is_in_the_order_of_keys(store):
    """Only what is below the prefix, with sizes and times; a prefix may end within a name."""
    names = ["inflight/b/claim.json", "inflight/a/job.json", "inflight/a/claim.json", "inflight-not/c.json"]
    for name in names:
        await store.put_once(name, b"{}")
    listed = await store.list("inflight/")
    assert [found.key for found in listed] == sorted(names)[1:]
    assert {found.size for found in listed} == {2}
    assert all(abs(datetime.now(UTC) - found.written_at) < timedelta(minutes=5) for found in listed)
    assert [found.key for found in await store.list("")] == sorted(names)
    assert [found.key for found in await store.list("inflight/a")] == sorted(names)[1:3]
    assert [found.key for found in await store.list("inf")] == sorted(names)
    assert await store.list("nothing/") == []
    assert await store.list_first("inflight/", pages=1) == (listed, True)


@pytest.mark.anyio
async def test_fetch(store, film, tmp_path):
    """An object becomes a file; where there is none, no file appears, and no half-written one stays."""
    await store.put_file_once("film", film, SHA256, "video/mp4")
    assert await store.fetch("film", tmp_path / "new" / "copy.mp4") is True
    assert (tmp_path / "new" / "copy.mp4").read_bytes() == BODY
    assert await store.fetch("nothing", tmp_path / "new" / "none.mp4") is False
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["copy.mp4"]


@pytest.mark.anyio
async def test_delete(store):
    """What is not there is no error, and a key that is free again can be written."""
    for name in ("a/claim.json", "a/job.json", "b"):
        await store.put_once(name, b"x")
    await store.delete(["b", "nothing", "a/nothing", "a/claim.json"])
    assert [found.key for found in await store.list("")] == ["a/job.json"]
    await store.delete_version("a/job.json", None)
    assert await store.list("") == []
    assert await store.put_once("a/claim.json", b"y") is True
