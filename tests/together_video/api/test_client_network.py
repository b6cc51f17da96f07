"""The client on real sockets: refused, reset, silent, half an answer, and kept connections."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.settings import Timeouts
from together_video.errors import (
    AccountRefused,
    ApiOverloaded,
    ApiUnreachable,
    DownloadBroken,
    NoClearAnswer,
    RateLimited,
    RequestRefused,
    TogetherError,
)
from together_video.job_status import JobStatus
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import FaultRule
from together_video.sandbox.server import running_sandbox

FOX = VideoRequest(model="m", prompt="A fox", width=64, height=48, seconds="1", fps=8)
IMPATIENT = Timeouts(
    connect_seconds=5, create_seconds=0.3, read_seconds=0.3, chat_seconds=0.3, download_seconds=0.3
)


async def errors_of(client: TogetherClient) -> tuple[TogetherError, TogetherError]:
    """What a create and a retrieve become."""
    with pytest.raises(TogetherError) as create:
        await client.create(FOX)
    with pytest.raises(TogetherError) as retrieve:
        await client.retrieve("j")
    return create.value, retrieve.value


@pytest.mark.anyio
async def test_a_refused_connection_creates_nothing() -> None:
    """Nobody listens on the port: worth asking again, even for a create."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with TogetherClient("k", f"http://127.0.0.1:{port}") as client:
        for error in await errors_of(client):
            assert type(error) is ApiUnreachable
            assert error.retryable
            assert not error.job_may_exist
            assert "nothing was sent" in error.message


@pytest.mark.anyio
async def test_a_host_that_does_not_exist_creates_nothing() -> None:
    """No address under that name."""
    async with TogetherClient("k", "http://no-such-host.invalid") as client:
        for error in await errors_of(client):
            assert type(error) is ApiUnreachable


@pytest.mark.anyio
async def test_a_connection_that_is_not_taken_creates_nothing() -> None:
    """TLS that never answers: the time for connecting runs out before the request is sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        timeouts = Timeouts(connect_seconds=0.1)
        async with TogetherClient("k", f"https://127.0.0.1:{port}", timeouts=timeouts) as client:
            for error in await errors_of(client):
                assert type(error) is ApiUnreachable


HALF = b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id": "j"'
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

#: What the server sends and does once it has the request.
SILENCES: dict[str, tuple[bytes | str, ...]] = {
    "reset": ("reset",),
    "closed": ("close",),
    "silent": ("hang",),
    "half a header": (b"HTTP/1.1 200 O", "close"),
    "half a header and reset": (b"HTTP/1.1 200 O", "reset"),
    "half a body": (HALF, "close"),
    "half a body and reset": (HALF, "reset"),
    "half a body and silence": (HALF, "hang"),
    "a chunk and the end": (CHUNKED + b'8\r\n{"id": "\r\n', "close"),
    "half a chunk": (CHUNKED + b'ff\r\n{"id": "j"}', "close"),
    "a chunk of no length": (CHUNKED + b"zz\r\n", "close"),
    "not HTTP": (b"220 mail.example ESMTP\r\n", "close"),
    "broken gzip": (
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 11\r\n\r\n" + b'{"id": "j"}',
        "close",
    ),
    "half a page": (b"HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\nbusy", "close"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("silence", SILENCES)
async def test_a_broken_answer_is_no_clear_answer(wire: Any, silence: str) -> None:
    """The request arrived, its answer did not: a create is held, a retrieve may be repeated."""
    async with (
        wire.serve(wire.saying(*SILENCES[silence])) as server,
        TogetherClient(
            "k", server.url, timeouts=IMPATIENT if "hang" in SILENCES[silence] else None
        ) as client,
    ):
        create, retrieve = await errors_of(client)
    assert [heard.method for heard in server.heard] == ["POST", "GET"]
    for error, creating in ((create, True), (retrieve, False)):
        assert type(error) is NoClearAnswer
        assert error.job_may_exist is creating
        assert error.retryable is not creating
        assert server.url in error.message


@pytest.mark.anyio
async def test_a_create_is_posted_once(wire: Any) -> None:
    """No library below repeats a POST whose connection broke."""
    async with (
        wire.serve(wire.saying("reset")) as server,
        TogetherClient("k", server.url) as client,
    ):
        with pytest.raises(NoClearAnswer):
            await client.create(FOX)
        assert (len(server.heard), server.connections) == (1, 1)


@pytest.mark.anyio
async def test_no_create_goes_over_a_kept_connection(wire: Any) -> None:
    """A connection that the server is just closing would make a create ambiguous for nothing."""
    async with wire.serve(wire.http(b'{"id": "j"}')) as server, TogetherClient("k", server.url) as client:
        await client.retrieve("j")
        await client.retrieve("j")
        assert server.connections == 1
        for number in range(1, 4):
            await client.create(FOX)
            assert server.connections == 1 + number
        await client.retrieve("j")
        assert server.connections == 4


@pytest.mark.anyio
async def test_creates_do_not_wait_for_each_other(wire: Any) -> None:
    """A hundred and fifty at once: each has its connection, none runs out of time in a queue."""
    together = asyncio.Event()

    async def answer(heard: Any, writer: asyncio.StreamWriter) -> None:
        if len(server.heard) == 150:
            together.set()
        await together.wait()
        writer.write(wire.http(b'{"id": "j"}'))
        await writer.drain()

    async with wire.serve(answer) as server, TogetherClient("k", server.url) as client:
        jobs = await asyncio.wait_for(asyncio.gather(*(client.create(FOX) for _ in range(150))), 30)
    assert len(jobs) == 150


@pytest.mark.anyio
@pytest.mark.parametrize("generation", ["2025", "2026"])
async def test_a_video_from_the_sandbox(tmp_path: Path, generation: Any) -> None:
    """Create, retrieve and download against a server, in both generations of the format."""
    config = SandboxConfig(
        generation=generation, generation_seconds=0, api_keys=("k",), price=0.25, model_rules=False
    )
    with running_sandbox(config) as url:
        async with TogetherClient("k", f"{url}/v1") as client:
            job = await client.create(FOX)
            for _ in range(200):
                if job.is_terminal:
                    break
                await asyncio.sleep(0.02)
                job = await client.retrieve(job.id)
            assert job.status is JobStatus.COMPLETED
            assert job.video_url is not None
            got = await client.download(job.video_url, tmp_path / "fox.mp4", max_bytes=10**7)
        async with httpx.AsyncClient() as plain:
            served = await plain.get(job.video_url, follow_redirects=True)
    assert got.path.read_bytes() == served.content
    assert served.content[4:8] == b"ftyp"
    assert job.cost_usd is not None
    assert job.created_at is not None


@pytest.mark.anyio
async def test_faults_of_the_sandbox_are_told_apart() -> None:
    """A 429 with its hint, a create that is billed and reset, and one that goes through."""
    faults = (
        FaultRule(on="create", kind="rate_limit", times=1, headers={"x-ratelimit-reset": "3"}),
        FaultRule(on="create", kind="reset", times=1),
    )
    with running_sandbox(SandboxConfig(generation_seconds=0, model_rules=False, faults=faults)) as url:
        async with TogetherClient("k", url) as client:
            with pytest.raises(RateLimited) as limited:
                await client.create(FOX)
            assert limited.value.wait_seconds == 3
            with pytest.raises(NoClearAnswer) as lost:
                await client.create(FOX)
            assert lost.value.job_may_exist
            assert (await client.create(FOX)).id


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "",
        "video.mp4",
        "ftp://host/v.mp4",
        "file:///etc/hosts",
        "javascript:alert(1)",
        "https://",
        "http://[::1",
        "http://127.0.0.1:99999/v.mp4",
        "http://no-such-host.invalid/v.mp4",
        "x" * 70_000,
    ],
    ids=lambda url: url[:20],
)
async def test_a_link_that_is_none_is_a_broken_download(tmp_path: Path, url: str) -> None:
    """The next retrieve may give a better one, so it is worth another try."""
    async with TogetherClient("k", timeouts=IMPATIENT) as client:
        with pytest.raises(DownloadBroken) as caught:
            await client.download(url, tmp_path / "v.mp4", max_bytes=10)
    assert caught.value.retryable
    assert len(caught.value.message) < 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_an_answer_that_drips_ends(wire: Any) -> None:
    """Each piece comes in time and the whole never: the call ends once its time and that to connect are over."""

    async def drip(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        while True:
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    # A busy machine must not make a pause of what is no pause.
    patient = Timeouts(connect_seconds=1, create_seconds=1, read_seconds=1, chat_seconds=1)
    async with (
        wire.serve(drip) as server,
        TogetherClient("k", server.url, timeouts=patient) as client,
        asyncio.timeout(20),
    ):
        create, retrieve = await errors_of(client)
    for error, creating in ((create, True), (retrieve, False)):
        assert type(error) is NoClearAnswer
        assert error.job_may_exist is creating
        assert "did not end in time" in error.message


@pytest.mark.anyio
@pytest.mark.parametrize("charset", ["hex", "zlib", "undefined", "idna", "utf-7", "no-such"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 No", AccountRefused),
        ("422 No", RequestRefused),
        ("500 No", NoClearAnswer),
        ("200 OK", NoClearAnswer),
    ],
)
async def test_an_odd_charset_changes_nothing(
    wire: Any, charset: str, status: str, kind: type[TogetherError]
) -> None:
    """Python has codecs that are none for text; the status says what the answer means all the same."""
    page = wire.http(b"<html>no \xff</html>", status, content_type=f"text/html; charset={charset}")
    async with wire.serve(page) as server, TogetherClient("k", server.url) as client:
        for error in await errors_of(client):
            assert type(error) is kind
            assert "<html>no" in error.message


def zeros(megabytes: int) -> bytes:
    """That many MiB, packed to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


async def without_end(_: Any, writer: asyncio.StreamWriter) -> None:
    """256 MiB, as long as somebody reads."""
    writer.write(CHUNKED)
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    for _ in range(4096):
        writer.write(piece)
        await writer.drain()
    writer.write(b"0\r\n\r\n")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["plain", "packed", "packed twice"])
async def test_an_answer_without_end_is_not_kept_in_memory(wire: Any, kind: str) -> None:
    """16 MiB are read or unpacked and no more; an answer that is packed twice is not unpacked at all."""
    packed = wire.http(zeros(128), content_encoding="gzip")
    twice = wire.http(gzip.compress(zeros(128)), content_encoding="gzip, gzip")
    answer = {"plain": without_end, "packed": packed}.get(kind, twice)
    async with wire.serve(answer) as server, TogetherClient("k", server.url) as client:
        tracemalloc.start()
        try:
            create, retrieve = await errors_of(client)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    words = "no encoding was requested" if kind == "packed twice" else "larger than 16 MiB"
    for error in (create, retrieve):
        assert type(error) is NoClearAnswer
        assert words in error.message
    assert peak < 80 * 2**20


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_is_packed_unasked_is_read(wire: Any, encoding: str) -> None:
    """Some gateways do it; the job id in it is paid for."""
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    answer = wire.http(pack(b'{"id": "j"}'), content_encoding=encoding)
    async with wire.serve(answer) as server, TogetherClient("k", server.url) as client:
        assert (await client.create(FOX)).id == "j"
    assert server.heard[0].headers["accept-encoding"] == "identity"


@pytest.mark.anyio
async def test_a_number_too_long_for_python_hides_no_job_id(wire: Any) -> None:
    """The id beside it is paid for."""
    answer = wire.http(b'{"id": "j", "n": ' + b"1" * 5000 + b"}")
    async with wire.serve(answer) as server, TogetherClient("k", server.url) as client:
        assert (await client.create(FOX)).id == "j"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (
            b"upstream connect error or disconnect/reset before headers. reset reason: connection termination",
            NoClearAnswer,
        ),
        (b"no healthy upstream", ApiOverloaded),
        (b'{"error": {"message": "Service is busy"}}', ApiOverloaded),
        (b"", ApiOverloaded),
    ],
)
async def test_a_503_of_a_gateway_that_lost_the_service_is_unclear(
    wire: Any, words: bytes, kind: type[TogetherError]
) -> None:
    """The service may have had the request by then; every other 503 proves that nothing was created."""
    async with (
        wire.serve(wire.http(words, "503 Service Unavailable")) as server,
        TogetherClient("k", server.url) as client,
    ):
        create, retrieve = await errors_of(client)
    assert (type(create), type(retrieve)) == (kind, kind)
    assert create.job_may_exist is (kind is NoClearAnswer)
    assert retrieve.retryable
