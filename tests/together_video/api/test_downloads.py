"""Transfer: a file is whole and under its name, or there is none."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import random
import resource
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.downloads import DownloadedFile, hash_file
from together_video.api.encodings import unpacked
from together_video.api.settings import Timeouts
from together_video.errors import (
    DownloadBroken,
    DownloadError,
    DownloadInterrupted,
    DownloadTooLarge,
    LinkRefused,
)
from together_video.ledger.records import VideoPlan
from together_video.ledger.spool import Spool
from together_video.requests import VideoRequest

VIDEO = random.Random(7).randbytes(300_000)
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture
async def client() -> AsyncIterator[TogetherClient]:
    """A client that waits longer for a piece than any machine pauses."""
    async with TogetherClient("k", timeouts=Timeouts(download_seconds=60)) as made:
        yield made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file shall lie; the folder is not there yet."""
    return tmp_path / "spool" / "fox.mp4"


def left(target: Path) -> list[str]:
    """What is in the folder afterwards."""
    return sorted(path.name for path in target.parent.iterdir()) if target.parent.is_dir() else []


async def until_something_lies_there(target: Path) -> None:
    while not left(target):  # noqa: ASYNC110 -- a folder tells nobody that it has a new file
        await asyncio.sleep(0.005)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["length", "chunked", "until the end"])
async def test_a_whole_file_arrives(wire: Any, client: TogetherClient, target: Path, kind: str) -> None:
    """Size, checksum and content are those of what was sent, and nothing else is left."""
    answers = {
        "length": (wire.http(VIDEO),),
        "chunked": (CHUNKED + chunk(VIDEO[:1000]) + chunk(VIDEO[1000:]) + chunk(b""),),
        "until the end": (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + VIDEO, "close"),
    }
    async with wire.serve(wire.saying(*answers[kind])) as server:
        got = await client.download(server.url, target, max_bytes=len(VIDEO))
    assert got == DownloadedFile(path=target, size=len(VIDEO), sha256=hashlib.sha256(VIDEO).hexdigest())
    assert target.read_bytes() == VIDEO
    assert left(target) == ["fox.mp4"]
    assert server.heard[0].headers["accept-encoding"] == "identity"


@pytest.mark.anyio
async def test_a_file_that_is_there_is_replaced_whole(
    wire: Any, client: TogetherClient, target: Path
) -> None:
    """What an earlier process left under the name does not shine through, and survives a failure."""
    target.parent.mkdir()
    target.write_bytes(b"old" * 500_000)
    async with wire.serve(wire.http(b"", "500 No")) as server:
        with pytest.raises(LinkRefused):
            await client.download(server.url, target, max_bytes=10**7)
    assert target.stat().st_size == 1_500_000
    async with wire.serve(wire.http(VIDEO)) as server:
        await client.download(server.url, target, max_bytes=10**7)
    assert target.read_bytes() == VIDEO


@pytest.mark.anyio
@pytest.mark.parametrize(
    "encoding",
    ["aws-chunked", "aws-chunked,gzip", "utf-8", "binary", "none", "video/mp4", "gzip", "br", "x, y"],
)
async def test_an_encoding_that_means_nothing_is_passed_over(
    wire: Any, client: TogetherClient, target: Path, encoding: str
) -> None:
    """The storage kept it from the upload, and the bytes are a video as they are."""
    video = b"\0\0\0\x20ftypisom" + VIDEO
    async with wire.serve(wire.http(video, content_encoding=encoding)) as server:
        file = await client.download(server.url, target, max_bytes=10**6)
    assert target.read_bytes() == video
    assert (file.size, file.sha256) == (len(video), hashlib.sha256(video).hexdigest())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(VIDEO)), ("deflate", zlib.compress(VIDEO))],
    ids=["gzip", "deflate"],
)
async def test_a_packed_video_is_unpacked(
    wire: Any, client: TogetherClient, target: Path, encoding: str, packed: bytes
) -> None:
    """A proxy packed what was not to be packed: the file is what was packed."""
    async with wire.serve(wire.http(packed, content_encoding=encoding)) as server:
        file = await client.download(server.url, target, max_bytes=10**6)
        assert target.read_bytes() == VIDEO
        assert (file.size, file.sha256) == (len(VIDEO), hashlib.sha256(VIDEO).hexdigest())
    async with wire.serve(wire.http(packed[:-20], content_encoding=encoding)) as server:
        with pytest.raises(DownloadBroken, match="cut short"):
            await client.download(server.url, target, max_bytes=10**6)
    # As it came, for somebody to look at.
    assert target.read_bytes() == packed[:-20]
    assert left(target) == ["fox.mp4"]


@pytest.mark.anyio
async def test_every_way_of_packing_is_undone(wire: Any, client: TogetherClient, target: Path) -> None:
    """Several members, several layers, deflate without a header, gzip that nobody has named."""
    halves = gzip.compress(VIDEO[:150_000]) + gzip.compress(VIDEO[150_000:])
    raw = zlib.compressobj(wbits=-15)
    ways = {
        "gzip": halves,
        "gzip, gzip": gzip.compress(gzip.compress(VIDEO)),
        "deflate": raw.compress(VIDEO) + raw.flush(),
        "identity": gzip.compress(VIDEO),
    }
    for encoding, packed in ways.items():
        async with wire.serve(wire.http(packed, content_encoding=encoding)) as server:
            await client.download(server.url, target, max_bytes=10**6)
        assert target.read_bytes() == VIDEO, encoding


@pytest.mark.anyio
@pytest.mark.parametrize("location", ["javascript:1", "http://xn--/", "http://[::1", "//"])
async def test_a_redirect_to_no_address_is_an_interruption(
    wire: Any, client: TogetherClient, target: Path, location: str
) -> None:
    """Of the transfer: it says nothing about the file."""
    answer = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()
    async with wire.serve(answer) as server:
        with pytest.raises(DownloadInterrupted):
            await client.download(server.url, target, max_bytes=10**6)


@pytest.mark.anyio
async def test_the_body_of_a_redirect_is_not_read(wire: Any, client: TogetherClient, target: Path) -> None:
    """However long it is: it would fill the memory."""

    async def answer(heard: Any, writer: asyncio.StreamWriter) -> None:
        if heard.target == "/video":
            writer.write(wire.http(VIDEO))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: /video\r\ncontent-length: 100000000000\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(bytes(1000))
            await asyncio.sleep(0.005)

    async with wire.serve(answer) as server:
        assert (await client.download(server.url, target, max_bytes=10**6)).size == len(VIDEO)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "is_whole"),
    [
        ("bytes 0-299999/300000", True),
        ("bytes 0-9/300000", False),
        ("bytes 0-2999999/3000000", False),
        ("", False),
    ],
)
async def test_a_part_of_the_file_is_not_the_file(
    wire: Any, client: TogetherClient, target: Path, given: str, is_whole: bool
) -> None:
    """206 is fine for the whole range only."""
    async with wire.serve(wire.http(VIDEO, "206 Partial Content", content_range=given)) as server:
        if is_whole:
            assert (await client.download(server.url, target, max_bytes=10**6)).size == len(VIDEO)
        else:
            with pytest.raises(DownloadInterrupted, match="only part of the file"):
                await client.download(server.url, target, max_bytes=10**6)


@pytest.mark.anyio
async def test_what_unfolds_without_an_end_is_bounded(
    wire: Any, client: TogetherClient, target: Path
) -> None:
    """A few kilobytes hold 100 MB."""
    async with wire.serve(wire.http(gzip.compress(bytes(10**8)), content_encoding="gzip")) as server:
        with pytest.raises(DownloadTooLarge):
            await client.download(server.url, target, max_bytes=10**6)
    assert left(target) == []


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br"])
async def test_an_encoding_that_cannot_be_undone_is_refused(
    wire: Any, client: TogetherClient, target: Path, encoding: str
) -> None:
    """Another link may do better."""
    packed = wire.http(random.Random(3).randbytes(2000), content_encoding=encoding)
    async with wire.serve(packed) as server:
        with pytest.raises(DownloadBroken, match="no encoding was requested") as caught:
            await client.download(server.url, target, max_bytes=10_000)
    assert encoding in caught.value.message
    assert target.stat().st_size == 2000


#: What the server sends and does, each of it a download that broke off.
BROKEN: dict[str, tuple[bytes | str, ...]] = {
    "shorter than announced": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + VIDEO[:200_000],
        "close",
    ),
    "a byte short": (b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + VIDEO[:-1], "close"),
    "reset": (b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + VIDEO[:200_000], "reset"),
    "silent": (b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + VIDEO[:200_000], "hang"),
    "chunked and cut off": (CHUNKED + chunk(VIDEO[:200_000]), "close"),
    "cut off within a chunk": (CHUNKED + chunk(VIDEO)[:-1000], "close"),
    "empty": (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",),
    "empty and chunked": (CHUNKED + chunk(b""),),
    "no answer": ("close",),
    "not HTTP": (b"220 mail.example\r\n", "close"),
    "a redirect in a circle": (b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",),
    "a redirect to a file": (b"HTTP/1.1 302 Found\r\nlocation: file:///etc/hosts\r\ncontent-length: 0\r\n\r\n",),
    "a redirect to no port": (
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:99999/\r\ncontent-length: 0\r\n\r\n",
    ),
}  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_download_leaves_nothing(
    wire: Any, client: TogetherClient, target: Path, kind: str
) -> None:
    """It may be tried again, and no file, whole or in part, is left of it."""
    if kind == "silent":
        client.timeouts = Timeouts(download_seconds=0.2)
    async with wire.serve(wire.saying(*BROKEN[kind])) as server:
        with pytest.raises(DownloadBroken) as caught:
            await client.download(server.url, target, max_bytes=10**6)
    assert caught.value.retryable
    assert left(target) == []


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 416, 451])
async def test_a_refused_link_has_expired(
    wire: Any, client: TogetherClient, target: Path, status: int
) -> None:
    """A fresh link is needed; the same one again would not help."""
    async with wire.serve(wire.http(b"gone", f"{status} No")) as server:
        with pytest.raises(LinkRefused, match=str(status)) as caught:
            await client.download(server.url, target, max_bytes=10**6)
    assert not caught.value.retryable
    assert left(target) == []


@pytest.mark.anyio
@pytest.mark.parametrize("status", [202, 204, 300, 304, 408, 425, 429, 500, 502, 503, 504])
async def test_a_busy_storage_may_be_asked_again(
    wire: Any, client: TogetherClient, target: Path, status: int
) -> None:
    """The link itself may still be good."""
    answer = b"" if status in {204, 304} else b"busy"
    async with wire.serve(wire.http(answer, f"{status} Busy")) as server:
        with pytest.raises(LinkRefused, match=str(status)):
            await client.download(server.url, target, max_bytes=10**6)
    assert left(target) == []


@pytest.mark.anyio
async def test_an_announced_size_beyond_the_bound_is_not_even_begun(
    wire: Any, client: TogetherClient, target: Path
) -> None:
    """The length alone decides: not a byte of the body is needed."""
    async with wire.serve(wire.saying(wire.http(b"", announce=1001), "hang")) as server:
        with pytest.raises(DownloadTooLarge, match="1001 bytes, more than the limit of 1000") as caught:
            await client.download(server.url, target, max_bytes=1000)
    assert not caught.value.retryable
    assert left(target) == []


@pytest.mark.anyio
@pytest.mark.parametrize(("bound", "passes"), [(2999, False), (3000, True)])
async def test_an_unannounced_size_is_bounded_as_well(
    wire: Any, client: TogetherClient, target: Path, bound: int, passes: bool
) -> None:
    """A stream without a length stops at the bound, which itself still passes."""
    answer = CHUNKED + chunk(VIDEO[:1500]) + chunk(VIDEO[1500:3000]) + chunk(b"")
    async with wire.serve(answer) as server:
        if passes:
            assert (await client.download(server.url, target, max_bytes=bound)).size == 3000
        else:
            with pytest.raises(DownloadTooLarge, match="more than the limit of 2999 bytes"):
                await client.download(server.url, target, max_bytes=bound)
    assert left(target) == (["fox.mp4"] if passes else [])


@pytest.mark.anyio
@pytest.mark.parametrize("below", [0, 1])
async def test_a_folder_that_is_a_file_is_the_disks_fault(
    wire: Any, client: TogetherClient, tmp_path: Path, below: int
) -> None:
    """One sentence that names the folder, and that the video is not lost."""
    blocker = tmp_path / "spool"
    blocker.write_bytes(b"a file")
    folder = blocker / "deeper" if below else blocker
    async with wire.serve(wire.http(VIDEO)) as server:
        with pytest.raises(DownloadError, match="The provider still has it") as caught:
            await client.download(server.url, folder / "v.mp4", max_bytes=10**6)
    assert type(caught.value) is DownloadError
    assert str(folder) in caught.value.message
    assert blocker.read_bytes() == b"a file"


@pytest.mark.anyio
@pytest.mark.parametrize("room", [0, 100_000])
async def test_a_disk_without_room_leaves_nothing(
    wire: Any, client: TogetherClient, target: Path, room: int
) -> None:
    """The system refuses to write beyond a size, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with wire.serve(wire.http(VIDEO)) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        try:
            with pytest.raises(DownloadError, match="make room and run again") as caught:
                await client.download(server.url, target, max_bytes=10**6)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert type(caught.value) is DownloadError
    assert left(target) == []


@pytest.mark.anyio
async def test_a_cancelled_download_leaves_nothing(wire: Any, client: TogetherClient, target: Path) -> None:
    """Half a file is on the disk when the run is told to stop."""
    pieces = (CHUNKED + chunk(VIDEO[:200_000]), "hang")
    async with wire.serve(wire.saying(*pieces)) as server:
        task = asyncio.create_task(client.download(server.url, target, max_bytes=10**6))
        with anyio.fail_after(10):
            await until_something_lies_there(target)
        assert left(target)[0].endswith(".part")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert left(target) == []


@pytest.mark.anyio
async def test_the_file_appears_only_when_it_is_whole(
    wire: Any, client: TogetherClient, target: Path
) -> None:
    """Until the last byte is there, nothing lies under the name."""
    before_the_end: list[list[str]] = []

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(VIDEO[:1000]))
        await writer.drain()
        await until_something_lies_there(target)
        before_the_end.append(left(target))
        writer.write(chunk(VIDEO[1000:]) + chunk(b""))
        await writer.drain()

    async with wire.serve(answer) as server:
        await client.download(server.url, target, max_bytes=10**6)
    assert len(before_the_end[0]) == 1
    assert before_the_end[0][0].endswith(".part")
    assert left(target) == ["fox.mp4"]


@pytest.mark.anyio
async def test_two_downloads_to_one_name_do_not_mix(wire: Any, client: TogetherClient, target: Path) -> None:
    """Each writes into a file of its own; the last to finish has the name."""
    other = VIDEO[::-1]
    both = asyncio.Event()

    async def answer(heard: Any, writer: asyncio.StreamWriter) -> None:
        body = VIDEO if heard.target == "/one" else other
        writer.write(CHUNKED + chunk(body[:1000]))
        await writer.drain()
        if len(server.heard) == 2:
            both.set()
        await both.wait()
        writer.write(chunk(body[1000:]) + chunk(b""))
        await writer.drain()

    async with wire.serve(answer) as server:
        one, two = await asyncio.gather(
            client.download(f"{server.url}/one", target, max_bytes=10**6),
            client.download(f"{server.url}/two", target, max_bytes=10**6),
        )
    assert one.sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert two.sha256 == hashlib.sha256(other).hexdigest()
    assert target.read_bytes() in (VIDEO, other)
    assert left(target) == ["fox.mp4"]


@pytest.mark.anyio
async def test_a_large_file_takes_little_memory(wire: Any, client: TogetherClient, target: Path) -> None:
    """48 MB pass through a few."""
    piece, count = bytes(range(256)) * 4096, 48

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(wire.http(announce=len(piece) * count))
        for _number in range(count):
            writer.write(piece)
            await writer.drain()

    async with wire.serve(answer) as server:
        tracemalloc.start()
        try:
            got = await client.download(server.url, target, max_bytes=10**9)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert got.sha256 == hashlib.sha256(piece * count).hexdigest()
    assert peak < 12_000_000


@pytest.mark.anyio
async def test_a_length_that_a_transport_let_pass_is_held_against_the_file(target: Path) -> None:
    """Behind a transport that does not count for us, the count is still made."""
    answer = httpx.Response(200, headers={"content-length": "9"}, stream=httpx.ByteStream(b"fox"))
    transport = httpx.MockTransport(lambda _: answer)
    async with TogetherClient("k", transport=transport) as client:
        with pytest.raises(DownloadBroken, match="has 3 bytes, but 9 were announced"):
            await client.download("https://storage.test/v", target, max_bytes=100)
    assert left(target) == []


@pytest.mark.anyio
@pytest.mark.parametrize("length", ["", "x", "-3", "3.0", "²"])
async def test_a_length_that_is_no_number_is_no_announcement(target: Path, length: str) -> None:
    """Then there is nothing to compare the file with."""
    answer = httpx.Response(
        200, headers=[(b"content-length", length.encode("latin-1"))], stream=httpx.ByteStream(b"fox")
    )
    async with TogetherClient("k", transport=httpx.MockTransport(lambda _: answer)) as client:
        assert (await client.download("https://storage.test/v", target, max_bytes=100)).size == 3


def test_a_file_on_disk_is_hashed_as_it_was_on_the_way(tmp_path: Path) -> None:
    """What an earlier process left is described in the same words."""
    path = tmp_path / "v.mp4"
    path.write_bytes(VIDEO)
    assert hash_file(path) == DownloadedFile(
        path=path, size=len(VIDEO), sha256=hashlib.sha256(VIDEO).hexdigest()
    )


@pytest.mark.anyio
async def test_a_file_is_durable_before_it_has_its_name(
    wire: Any, client: TogetherClient, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are synced, then renamed, then the folder is synced: a power cut leaves all or nothing."""
    order: list[str] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        order.append(f"sync {sorted(path.suffix for path in target.parent.iterdir())}")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    async with wire.serve(wire.http(VIDEO)) as server:
        await client.download(server.url, target, max_bytes=10**6)
    assert order == ["sync ['.part']", "sync ['.mp4']"]


@pytest.mark.anyio
async def test_two_runs_that_share_a_spool_leave_each_others_parts_alone(
    client: TogetherClient, wire: Any, tmp_path: Path
) -> None:
    """One ends and cleans up while the other is in the middle of the same file: that comes whole all the same."""
    plan = VideoPlan(request=VideoRequest(model="m", prompt="a fox"))
    spool = Spool(tmp_path / "spool")
    path = spool.folder / f"{plan.id}-{hashlib.sha256(b'j').hexdigest()[:12]}.mp4"
    go_on = asyncio.Event()

    async def answer(call: Any, writer: asyncio.StreamWriter) -> None:
        if call.target == "/slow":
            writer.write(CHUNKED + chunk(VIDEO[:100_000]))
            await writer.drain()
            await go_on.wait()
            writer.write(chunk(VIDEO[100_000:]) + chunk(b""))
        else:
            writer.write(wire.http(VIDEO))
        await writer.drain()

    async with wire.serve(answer) as server:
        slow = asyncio.create_task(client.download(f"{server.url}/slow", path, max_bytes=10**6))
        await until_something_lies_there(path)
        await client.download(f"{server.url}/fast", path, max_bytes=10**6)
        spool.sweep()
        spool.drop(plan.id, "j")
        assert not path.exists()
        go_on.set()
        assert (await slow).sha256 == hashlib.sha256(VIDEO).hexdigest()
    assert left(path) == [path.name]


def test_a_gzip_file_of_very_many_empty_members_is_refused_in_a_moment(tmp_path: Path) -> None:
    """Each costs a copy of what is left, and gives nothing that a bound on the size could stop."""
    (tmp_path / "x").write_bytes(gzip.compress(b"") * 200_000)
    begin = time.process_time()
    with pytest.raises(DownloadBroken, match="more than 1000 parts"):
        list(unpacked(tmp_path / "x", max_bytes=10**9))
    assert time.process_time() - begin < 5
