"""A large file comes from its connection directly, whole and as it was sent, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.settings import Timeouts
from together_video.errors import DownloadInterrupted
from together_video.network.streams import Stream

VIDEO = random.Random(8).randbytes(3_000_000)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n"


@pytest.fixture
async def client() -> AsyncIterator[TogetherClient]:
    async with TogetherClient("k", timeouts=Timeouts(download_seconds=60)) as made:
        yield made


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes passed through httpcore, piece by piece."""
    counts: list[int] = []
    take = Stream.take

    def counted(self: Stream, buffer: memoryview, timeout: float | None) -> int:
        counts.append(take(self, buffer, timeout))
        return counts[-1]

    monkeypatch.setattr(Stream, "take", counted)
    return counts


@pytest.fixture
def tls(certificate: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that clients made from now on trust."""
    file = certificate()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def downloaded(client: TogetherClient, url: str, path: Path) -> bytes:
    got = await client.download(url, path, max_bytes=10**7)
    data = path.read_bytes()
    assert (got.size, got.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return data


@pytest.mark.anyio
@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + VIDEO,),
        (HEAD, VIDEO),
        (HEAD[:-1], HEAD[-1:] + VIDEO),
        (HEAD[:-3], HEAD[-3:], VIDEO[:1], VIDEO[1:]),
        (HEAD + VIDEO[:70_000], VIDEO[70_000:1_500_001], VIDEO[1_500_001:]),
        (HEAD.replace(b"\r\n\r\n", b"\n\n") + VIDEO,),
        (HEAD + b"\r\n\r\n" + VIDEO[4:],),
    ],
)
async def test_a_large_file_arrives_wherever_its_headers_end(
    wire: Any, client: TogetherClient, tmp_path: Path, taken: list[int], pieces: tuple[bytes, ...]
) -> None:
    """Also where the end of the headers, or the file's first bytes, come in a piece with others."""

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)

    async with wire.serve(answer) as server:
        data = await downloaded(client, server.url, tmp_path / "fox.mp4")
    assert data == b"".join(pieces)[-len(VIDEO) :]
    assert sum(taken) == len(VIDEO)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + HEAD + VIDEO,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2dc6c0\r\n" + VIDEO + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\ncontent-length: 3000000\r\n\r\n" + VIDEO,
    ],
)
async def test_an_answer_of_another_kind_arrives_as_well(
    wire: Any, client: TogetherClient, tmp_path: Path, answer: bytes
) -> None:
    async with wire.serve(answer) as server:
        assert await downloaded(client, server.url, tmp_path / "fox.mp4") == VIDEO


@pytest.mark.anyio
async def test_a_large_file_arrives_over_tls(
    wire: Any, tls: ssl.SSLContext, tmp_path: Path, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> None:
        raise AssertionError("each read gives one record of 16 KiB, so a pause behind it only costs time")

    monkeypatch.setattr("together_video.network.streams.time.sleep", sleep)
    async with TogetherClient("k") as client, wire.serve(HEAD + VIDEO, tls) as server:
        assert await downloaded(client, server.url, tmp_path / "fox.mp4") == VIDEO
        assert await downloaded(client, server.url, tmp_path / "two.mp4") == VIDEO
    assert sum(taken) == 2 * len(VIDEO)


@pytest.mark.anyio
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    wire: Any, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with TogetherClient("k") as client, wire.serve(HEAD + VIDEO, tls) as server:
        with pytest.raises(DownloadInterrupted, match="CERTIFICATE_VERIFY_FAILED"):
            await client.download(server.url, tmp_path / "fox.mp4", max_bytes=10**7)


@pytest.mark.anyio
@pytest.mark.parametrize("end", ["close", "reset", "hang"])
@pytest.mark.parametrize("secured", [False, True])
async def test_a_large_file_that_breaks_off_leaves_nothing(
    wire: Any, tls: ssl.SSLContext, tmp_path: Path, end: str, secured: bool
) -> None:
    answer = wire.saying(HEAD + VIDEO[:-1], end)
    patience = Timeouts(download_seconds=0.3 if end == "hang" else 60)
    async with (
        TogetherClient("k", timeouts=patience) as client,
        wire.serve(answer, tls if secured else None) as server,
    ):
        with pytest.raises(DownloadInterrupted):
            await client.download(server.url, tmp_path / "fox.mp4", max_bytes=10**7)
    assert list(tmp_path.glob("*.mp4")) == list(tmp_path.glob("*.part")) == []


@pytest.mark.anyio
async def test_small_files_share_a_connection_and_a_large_one_has_its_own(
    wire: Any, client: TogetherClient, tmp_path: Path
) -> None:
    """What httpcore has not seen to its end cannot be followed by another answer."""
    async with wire.serve(wire.http(VIDEO[:1000])) as server:
        for name in ("one", "two"):
            assert await downloaded(client, server.url, tmp_path / name) == VIDEO[:1000]
        assert server.connections == 1
    async with wire.serve(HEAD + VIDEO) as server:
        for name in ("three", "four"):
            assert await downloaded(client, server.url, tmp_path / name) == VIDEO
        assert server.connections == 2


@pytest.mark.anyio
@pytest.mark.parametrize("secured", [False, True])
async def test_a_cancelled_one_closes_its_connection(
    wire: Any, tls: ssl.SSLContext, tmp_path: Path, secured: bool
) -> None:
    """At once, though a thread waits for what does not come."""
    closed = asyncio.Event()

    async def answer(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + VIDEO[:1_500_000])
        await writer.drain()
        asyncio.get_running_loop().call_later(0.05, task.cancel)
        while not writer.transport.is_closing():
            # Only who sends something learns that nobody reads.
            writer.write(b"v")
            await asyncio.sleep(0.005)
        closed.set()

    async with TogetherClient("k") as client, wire.serve(answer, tls if secured else None) as server:
        task = asyncio.create_task(client.download(server.url, tmp_path / "fox.mp4", max_bytes=10**7))
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 10)
    assert list(tmp_path.glob("fox*")) == list(tmp_path.glob("*.part")) == []


@pytest.mark.anyio
async def test_a_server_that_is_not_there_cannot_be_connected(client: TogetherClient, tmp_path: Path) -> None:
    with pytest.raises(DownloadInterrupted) as caught:
        await client.download("http://127.0.0.1:9/", tmp_path / "fox.mp4", max_bytes=10)
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
