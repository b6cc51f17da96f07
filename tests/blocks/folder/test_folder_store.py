"""A folder as a store: who wins a name, what becomes of it when the disk fails, and what it never touches."""

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prefect_together_video.blocks.folder.files import OWN, Files
from prefect_together_video.blocks.folder.store import FolderStore
from together_video.errors import (
    ArchiveError,
    BucketRefused,
    ConfigurationError,
    StoreUnavailable,
    StoreUnsafe,
)

#: What several processes do at once: each claims every name, and gives way in between by removing others.
_RACER = """
import asyncio, sys
from prefect_together_video.blocks.folder.store import FolderStore

async def main(folder, me, names):
    store = FolderStore(folder)
    for number in range(int(names)):
        key = f"inflight/{number}/claim.json"
        if await store.put_once(key, me.encode() * 1000):
            print(number)
        # Beside the claims folders come and go, as the facts of other purchases do.
        await store.put_once(f"inflight/{number}-other/{me}.json", b"{}")
        await store.delete([f"inflight/{number}-other/{me}.json"])
    store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path):
    """An empty folder."""
    path = tmp_path / "archive"
    path.mkdir()
    return path


@pytest.fixture
def store(folder):
    """A store in it."""
    store = FolderStore(folder)
    yield store
    store.close()


@pytest.fixture
def failing(monkeypatch):
    """Makes a function of `os` fail from now on: `failing("link", errno.ENOSPC)`, for paths with some text in them."""

    def fail(name, number, text=""):
        real = getattr(os, name)

        def failed(*given, **more):
            if any(text in str(one) for one in given):
                raise OSError(number, os.strerror(number))
            return real(*given, **more)

        monkeypatch.setattr(os, name, failed)

    return fail


@pytest.fixture(params=["hard links", "locks"])
def any_file_system(request, failing):
    """One with hard links, and one without, such as exFAT."""
    if request.param == "locks":
        failing("link", errno.EPERM)


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.anyio
@pytest.mark.usefixtures("any_file_system")
async def test_a_race_for_one_key_has_one_winner(store, folder):
    """Of many at the same time exactly one is told that it won, and its bytes are there; no other file stays."""
    won = await asyncio.gather(*(store.put_once("a/claim.json", b"%d" % number) for number in range(20)))
    assert won.count(True) == 1
    assert (folder / "a" / "claim.json").read_bytes() == b"%d" % won.index(True)
    assert [name for name in files_of(folder) if not name.endswith("/lock")] == ["a/claim.json"]


def test_processes_that_race_for_claims(folder):
    """Each claim has one winner and its whole content, while folders beside it are made and removed all the time."""
    names = 60
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(folder), me, str(names)], stdout=subprocess.PIPE, text=True
        )
        for me in ("a", "b", "c")
    ]
    said = [racer.communicate(timeout=120)[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    won = {me: set(map(int, text.split())) for me, text in zip("abc", said, strict=True)}
    assert sorted(number for numbers in won.values() for number in numbers) == list(range(names))
    for me, numbers in won.items():
        for number in numbers:
            text = (folder / "inflight" / str(number) / "claim.json").read_text()
            assert text == me * 1000
    assert len(list((folder / "inflight").iterdir())) == names


@pytest.mark.anyio
async def test_without_links_and_locks_nothing_is_claimed(store, failing, monkeypatch, folder):
    """Such a file system would let two runs pay: it is refused before anything is bought."""
    failing("link", errno.EOPNOTSUPP)

    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StoreUnsafe, match="neither hard links nor locks") as caught:
        await store.probe("")
    assert "bucket" not in str(caught.value)
    assert not [name for name in files_of(folder) if not name.startswith(OWN)]


@pytest.mark.anyio
async def test_a_file_system_that_writes_over_files_is_refused(store, monkeypatch):
    """If a second link to a name were not an error, no claim would be safe."""
    monkeypatch.setattr(os, "link", os.replace)
    with pytest.raises(StoreUnsafe, match="overwrites existing files"):
        await store.probe("")


@pytest.mark.anyio
async def test_a_lost_answer_of_a_file_server(store, folder, monkeypatch):
    """NFS repeats a link whose answer was lost, and is told that the name exists: it is our own."""
    link = os.link

    def link_twice(source, target):
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", link_twice)
    assert await store.put_once("claim.json", b"mine") is True
    assert (folder / "claim.json").read_bytes() == b"mine"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("call", "number", "kind", "said"),
    [
        ("fsync", errno.ENOSPC, StoreUnavailable, "has no room for a/claim.json"),
        ("link", errno.EDQUOT, StoreUnavailable, "has no room for a/claim.json"),
        ("mkdir", errno.EROFS, BucketRefused, "its file system is read-only"),
        ("link", errno.EACCES, BucketRefused, "This user may not read or write a/claim.json"),
        ("fsync", errno.EIO, StoreUnavailable, "failed at a/claim.json"),
        ("stat", errno.ESTALE, StoreUnavailable, "failed at a/claim.json"),
    ],
)
async def test_a_disk_that_fails(store, folder, failing, monkeypatch, call, number, kind, said):
    """One sentence about what happened and one about what to do; nothing half-written is seen, or stays."""
    failing(call, number)
    with pytest.raises(kind, match=said) as caught:
        await store.put_once("a/claim.json", b"{}")
    assert str(folder) in caught.value.message
    assert caught.value.remedy
    assert "bucket" not in caught.value.message.lower()
    monkeypatch.undo()
    assert not [name for name in files_of(folder) if not name.endswith("/lock")]


@pytest.mark.anyio
async def test_a_folder_that_is_removed_in_the_middle(store, folder):
    """It is not made again, and its emptiness is taken for no answer: everything would be bought twice."""
    await store.put_once("records/a.json", b"{}")
    folder.rename(folder.with_name("elsewhere"))
    calls = (
        lambda: store.get("records/a.json"),
        lambda: store.head("records/a.json"),
        lambda: store.list("records/"),
        lambda: store.put_once("inflight/a/claim.json", b"{}"),
        lambda: store.delete(["records/a.json"]),
    )
    for call in calls:
        with pytest.raises(BucketRefused, match=r"There is no folder .*archive\. Check its path"):
            await call()
    assert not folder.exists()
    # An unmounted disk leaves its mount point behind.
    folder.mkdir()
    for call in calls:
        with pytest.raises(BucketRefused, match="is no longer the folder that this run started with"):
            await call()
    assert list(folder.iterdir()) == []


@pytest.mark.anyio
async def test_only_a_probe_makes_the_folder(tmp_path, caplog):
    """With its parents and the usual permissions, and it says so: a disk may not be mounted. A reader makes none."""
    store = FolderStore(tmp_path / "new" / "archive")
    with pytest.raises(BucketRefused, match="There is no folder"):
        await store.list("records/")
    assert not (tmp_path / "new").exists()
    umask = os.umask(0o022)
    try:
        await store.probe("")
    finally:
        os.umask(umask)
    assert (tmp_path / "new" / "archive").stat().st_mode & 0o777 == 0o755
    assert "Created the folder" in caplog.text
    caplog.clear()
    await store.probe("")
    assert caplog.text == ""
    store.close()


@pytest.mark.anyio
async def test_a_file_in_place_of_the_folder(tmp_path):
    """It is not an archive, and stays as it is."""
    (tmp_path / "archive").write_text("notes")
    store = FolderStore(tmp_path / "archive")
    with pytest.raises(BucketRefused, match="There is no folder"):
        await store.probe("")
    assert (tmp_path / "archive").read_text() == "notes"
    store.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "key", ["../up", "/etc/passwd", "a/../../up", "a//b", "", ".together-video/lock", "a/.x", "a\0b"]
)
async def test_no_key_leaves_the_folder(store, key):
    """Whatever a key holds, nothing outside is read, written or removed."""
    for call in (
        store.get(key),
        store.put_once(key, b"x"),
        store.delete([key]),
        store.delete_version(key, None),
    ):
        with pytest.raises(ArchiveError, match="does not name a file of the archive"):
            await call


@pytest.mark.anyio
async def test_symbolic_links_are_not_followed(store, folder, tmp_path):
    """Neither one that is a file nor one that is a folder; a listing leaves them out."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("{}")
    (folder / "records").symlink_to(outside)
    (folder / "store.json").symlink_to(outside / "secret.json")
    for key in ("records/secret.json", "store.json", "records/new.json"):
        for call in (store.get(key), store.put_once(key, b"x"), store.delete([key])):
            with pytest.raises(ArchiveError, match="is a symbolic link or behind one"):
                await call
    assert await store.list("") == []
    assert sorted(os.listdir(outside)) == ["secret.json"]


@pytest.mark.anyio
async def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    """People have their videos on another disk."""
    (tmp_path / "Videos").symlink_to(folder)
    store = FolderStore(tmp_path / "Videos")
    await store.probe("")
    assert (folder / "store.json").is_file()
    assert store.uri("a b.mp4") == f"file://{tmp_path}/Videos/a%20b.mp4"
    store.close()


@pytest.mark.anyio
async def test_age_is_by_the_clock_of_the_file_system(folder):
    """A file server ten minutes behind makes nothing older or younger. A reading of its clock is good for a while."""
    monotonic = iter([0.0, 1.0, 10.0, 10.0])
    files = Files(folder, clock=lambda: 0.0, monotonic=lambda: next(monotonic))
    store = FolderStore(folder, files=files)
    await store.put_once("fact", b"{}")
    now = (folder / "fact").stat().st_mtime
    os.utime(folder / "fact", (now - 600, now - 600))
    ages = [(await store.get("fact")).age_seconds for _ in range(2)]
    assert ages == [pytest.approx(600, abs=30), pytest.approx(ages[0] + 1, abs=0.01)]
    assert (await store.get("fact")).age_seconds == pytest.approx(600, abs=30)
    assert files_of(folder) == ["fact"]
    store.close()


@pytest.mark.anyio
async def test_a_folder_that_can_only_be_read(folder, failing):
    """An audit and a gallery need no more."""
    (folder / "fact").write_bytes(b"{}")
    for call in ("open", "mkdir", "link"):
        failing(call, errno.EROFS, OWN)
    store = FolderStore(folder)
    found = await store.get("fact")
    assert found
    assert (found.data, 0 <= found.age_seconds < 30) == (b"{}", True)
    assert [one.key for one in await store.list("")] == ["fact"]
    with pytest.raises(BucketRefused, match="read-only"):
        await store.put_once("other", b"{}")
    store.close()


@pytest.mark.anyio
async def test_another_version_is_not_removed(store, folder):
    """The claim that was read has made room for another's: that one stays."""
    await store.put_once("claim.json", b"ours")
    read = await store.get("claim.json")
    await store.delete(["claim.json"])
    await store.put_once("claim.json", b"theirs")
    assert await store.delete_version("claim.json", read.etag) is False
    assert (folder / "claim.json").read_bytes() == b"theirs"
    assert await store.delete_version("claim.json", (await store.get("claim.json")).etag) is True
    assert not (folder / "claim.json").exists()


@pytest.mark.anyio
async def test_who_compares_keeps_others_from_removing(store, folder, monkeypatch):
    """Between the look at a version and its removal nobody else removes it and writes another."""
    await store.put_once("claim.json", b"ours")
    etag = (await store.get("claim.json")).etag
    held = []
    unlink = Path.unlink

    def looked_at(path, *given, **more):
        if path.name == "claim.json":
            with (folder / OWN / "lock").open("ab") as lock, pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(True)
        return unlink(path, *given, **more)

    monkeypatch.setattr(Path, "unlink", looked_at)
    assert await store.delete_version("claim.json", etag) is True
    assert held == [True]


@pytest.mark.anyio
async def test_empty_folders_go_with_their_last_file(store, folder, monkeypatch):
    """A write whose folder is removed at the last moment makes it again."""
    await store.put_once("inflight/a/claim.json", b"{}")
    await store.delete(["inflight/a/claim.json"])
    assert not (folder / "inflight").exists()
    link, removed = os.link, []

    def link_too_late(source, target):
        if not removed:
            removed.append(target)
            os.rmdir(Path(target).parent)
        link(source, target)

    monkeypatch.setattr(os, "link", link_too_late)
    assert await store.put_once("inflight/a/claim.json", b"{}") is True
    assert removed
    assert (folder / "inflight" / "a" / "claim.json").read_bytes() == b"{}"


@pytest.mark.anyio
async def test_what_a_killed_process_left_is_swept(store, folder):
    """A day later; what is being written now is left alone. No listing shows either, or what a desktop leaves."""
    await store.probe("")
    old, young = folder / OWN / "old.part", folder / OWN / "young.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    (folder / ".DS_Store").write_bytes(b"")
    assert [found.key for found in await store.list("")] == ["store.json"]
    await store.probe("")
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.anyio
async def test_a_pipe_or_a_folder_in_place_of_a_file(store, folder):
    """Neither is waited for, and nobody's is removed."""
    os.mkfifo(folder / "fact")
    (folder / "claim.json").mkdir()
    with pytest.raises(ArchiveError, match=r"fact in the folder .* is not a regular file"):
        await store.get("fact")
    with pytest.raises(ArchiveError):
        await store.get("claim.json")
    with pytest.raises(ArchiveError, match="Move away what is in its place"):
        await store.delete(["claim.json"])
    assert await store.put_once("claim.json", b"x") is False
    assert await store.list("") == []


@pytest.mark.anyio
async def test_a_bucket_cannot_be_read_from_here(store, tmp_path):
    """The sentence says what to give instead."""
    with pytest.raises(ArchiveError, match="Copy it to this machine and use that file"):
        await store.fetch_from("videos", "a.png", tmp_path / "a.png", max_bytes=1)
    assert await store.links(["a.mp4"], seconds=1) == {}


@pytest.mark.parametrize("key", ["a" * 256, "/".join(["folder"] * 200)])
def test_a_path_that_is_too_long_is_found_before_it_is_paid_for(store, key):
    """By its bytes."""
    store.check_key("videos/ü.mp4")
    with pytest.raises(ConfigurationError, match="Shorten the folder, the prefix or the file name template"):
        store.check_key(key)
