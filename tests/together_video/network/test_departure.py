"""Whatever fails before a byte of the create leaves: nothing was sent, so nothing may be held as perhaps charged."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.settings import Timeouts
from together_video.errors import ApiUnreachable, ConfigurationError, NoClearAnswer, Spent, VideoError
from together_video.network import connections
from together_video.requests import VideoRequest

FOX = VideoRequest(model="m", prompt="A fox", width=64, height=48, seconds="1", fps=8)
IMPATIENT = Timeouts(connect_seconds=0.3, create_seconds=0.3)
#: No name is looked up, and nothing is sent to it: every way there leads over loopback.
FAR = "https://api.example.com"


#: httpcore 1.0 forgets a connection to a proxy that breaks off while it is asked for a way to the server.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None are set; what httpcore has forgotten is collected here, and not in somebody else's test."""
    for name in ("http", "https", "all", "no"):
        for spelling in (f"{name}_proxy", f"{name.upper()}_PROXY"):
            monkeypatch.delenv(spelling, raising=False)
    yield
    gc.collect()


class Peer:
    """Something on loopback that answers each piece that arrives with the next piece of its script.

    "close", "reset" and "hang" are done instead of sent. `heard` is all that arrived.
    """

    def __init__(self, *script: bytes | str) -> None:
        self.script = script
        self.heard = b""
        self.port = 0
        self._running: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[Peer]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            for piece in self.script:
                self.heard += await reader.read(65_536)
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                elif piece == "hang":
                    await asyncio.Event().wait()
                elif piece == "reset":
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    writer.transport.abort()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._running.discard(task)
            writer.close()


async def failure(base_url: str) -> VideoError:
    """What a create becomes."""
    async with TogetherClient("key", base_url, timeouts=IMPATIENT) as client:
        with pytest.raises(VideoError) as caught:
            await client.create(FOX)
    return caught.value


def assert_nothing_was_sent(error: VideoError) -> None:
    assert isinstance(error, ApiUnreachable | ConfigurationError)
    assert error.spent is Spent.NOTHING
    words = "nothing was sent" if isinstance(error, ApiUnreachable) else "Nothing was created."
    assert words in error.message


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error", [ImportError("no socksio"), ValueError("odd"), OSError(24, "Too many open files")]
)
async def test_no_client_can_be_made(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever httpx raises while a client is made, and not only what it documents."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(connections.httpx, "AsyncClient", refuse)
    assert_nothing_was_sent(await failure("http://127.0.0.1:9"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(-2, "Name or service not known"),
        UnicodeError("label empty or too long"),
        OSError(101, "Network is unreachable"),
        RuntimeError("a resolver of somebody's own"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_name_is_found(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver may raise errors that httpx passes on as they are."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert_nothing_was_sent(await failure(FAR))


@pytest.mark.anyio
async def test_nobody_takes_the_connection() -> None:
    """Refused, and a queue of connections that is full."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert_nothing_was_sent(await failure(f"http://127.0.0.1:{port}"))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert_nothing_was_sent(await failure(f"http://127.0.0.1:{full.getsockname()[1]}"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "script",
    [("hang",), ("close",), ("reset",), (b"HTTP/1.1 400 Bad Request\r\n\r\n",), (b"\x16\x03\x01garbage",)],
)
async def test_tls_fails(script: tuple[bytes | str, ...]) -> None:
    """A server that speaks no TLS, or breaks off in the middle of it."""
    async with Peer(*script).run() as server:
        assert_nothing_was_sent(await failure(f"https://127.0.0.1:{server.port}"))
        assert b"POST" not in server.heard


@pytest.mark.anyio
@pytest.mark.parametrize(
    "script",
    [
        ("hang",),
        ("close",),
        ("reset",),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nno\n",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (b"HTTP/1.1 200 OK\r\n\r\n", "hang"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "reset"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"garbage instead of TLS"),
    ],
)
async def test_an_http_proxy_fails(script: tuple[bytes | str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """At every step of asking it for a way to the API, and of TLS through it."""
    async with Peer(*script).run() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
        error = await failure(FAR)
        assert_nothing_was_sent(error)
        assert "secret" not in error.message
        assert proxy.heard.startswith(b"CONNECT api.example.com:443")
        assert b"POST" not in proxy.heard


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
@pytest.mark.parametrize(
    "script",
    [
        ("hang",),
        ("close",),
        ("reset",),
        (b"\x05\xff",),
        (b"\x05\x02",),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
        (b"\x05\x00", b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
        (b"\x05\x00", "hang"),
        (b"\x05\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", "reset"),
        (b"\x05\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", b"garbage instead of TLS"),
    ],
)
async def test_a_socks_proxy_fails(
    scheme: str, script: tuple[bytes | str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of RFC 1928, and of TLS behind it, whichever way desktops spell the scheme."""
    async with Peer(*script).run() as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}")
        assert_nothing_was_sent(await failure(FAR))
        assert b"POST" not in proxy.heard


@pytest.mark.anyio
@pytest.mark.parametrize("script", [("close",), ("reset",), ("hang",), (b"no HTTP at all\r\n\r\n",)])
@pytest.mark.parametrize("way", ["direct", "http proxy", "socks proxy"])
async def test_what_has_left_is_never_said_to_be_unsent(
    way: str, script: tuple[bytes | str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other side of it: from the first byte of the request on, a job may exist."""
    greeting = (b"\x05\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00") if way == "socks proxy" else ()
    async with Peer(*greeting, *script).run() as server:
        url = f"http://127.0.0.1:{server.port}"
        if way == "http proxy":
            monkeypatch.setenv("http_proxy", url)
        elif way == "socks proxy":
            monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{server.port}")
        error = await failure(url if way == "direct" else "http://api.example.com")
        assert b"POST" in server.heard
    assert isinstance(error, NoClearAnswer)
    assert error.job_may_exist


@pytest.mark.anyio
async def test_an_error_that_nobody_expects_counts_as_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that tells nothing of its steps, and fails in its own way: in doubt, the video is held."""

    class Odd(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise RuntimeError("out of order")

    async with TogetherClient("key", transport=Odd()) as client:
        with pytest.raises(NoClearAnswer) as caught:
            await client.create(FOX)
    assert caught.value.job_may_exist


@pytest.fixture
def without_socksio() -> Iterator[None]:
    """As if the package that speaks SOCKS were not installed."""
    saved = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "socksio"}
    for name in saved:
        del sys.modules[name]
    sys.modules["socksio"] = None  # type: ignore[assignment]
    yield
    del sys.modules["socksio"]
    sys.modules.update(saved)


@pytest.mark.usefixtures("without_socksio")
def test_socks_support_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is a client: one sentence that names the variable and the package."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigurationError, match=r"ALL_PROXY .*socksio"):
        TogetherClient("key")


@pytest.mark.anyio
async def test_a_proxy_that_nobody_runs_is_found_before_the_first_create(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`check` names the variable; where only the API is exempt from the proxy, its downloads are not."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("ALL_PROXY", f"socks://127.0.0.1:{port}")
    async with TogetherClient("key", FAR, timeouts=IMPATIENT) as client:
        with pytest.raises(
            ConfigurationError, match=r"through the proxy that ALL_PROXY names .*Nothing was created"
        ):
            await client.check()
    monkeypatch.setenv("NO_PROXY", "example.com")
    async with TogetherClient("key", FAR, timeouts=IMPATIENT) as client:
        with pytest.raises(
            ConfigurationError, match=r"proxy that ALL_PROXY names .*downloads must go through it"
        ):
            await client.check()
    monkeypatch.setenv("NO_PROXY", "*")
    async with TogetherClient("key", FAR, timeouts=IMPATIENT) as client:
        await client.check()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "script",
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",),
        (b"HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n",),
        ("close",),
    ],
)
async def test_a_proxy_that_passes_nothing_on_is_found_too(
    script: tuple[bytes | str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call over plain http is answered by the proxy itself: its 502 to a create would hold a video in doubt."""
    async with Peer(*script).run() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with TogetherClient("key", "http://api.example.com", timeouts=IMPATIENT) as client:
            with pytest.raises(ConfigurationError, match="through the proxy that HTTP_PROXY names"):
                await client.check()
        assert b"POST" not in proxy.heard


@pytest.mark.anyio
@pytest.mark.parametrize("seed", [float("nan"), object()])
async def test_what_is_no_json_is_refused_and_not_held(seed: object) -> None:
    """A request that somebody has built past its model: it is not sent, so it is not in doubt."""
    odd = FOX.model_copy(update={"extra": {"seed": seed}})
    async with TogetherClient("key", "http://127.0.0.1:9", timeouts=IMPATIENT) as client:
        with pytest.raises(VideoError) as caught:
            await client.create(odd)
    assert not getattr(caught.value, "job_may_exist", False)
    assert not isinstance(caught.value, NoClearAnswer)


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["socks", "socks5"])
async def test_a_create_through_a_socks_proxy(
    scheme: str, api: Any, monkeypatch: pytest.MonkeyPatch, small: Callable[..., VideoRequest]
) -> None:
    """It works as desktops export it: the proxy is given the API's name, and passes on both ways."""
    host, port = httpx.URL(api.url).host, httpx.URL(api.url).port
    asked: list[bytes] = []
    at_work: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        if not await reader.read(65_536):
            writer.close()  # somebody only saw that it listens
            return
        writer.write(b"\x05\x00")
        asked.append(await reader.read(65_536))
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        there_reader, there_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(pass_on(reader, there_writer), pass_on(there_reader, writer))
        at_work.discard(task)

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    async with TogetherClient("key", "http://api.example.com") as client:
        await client.check()
        job = await client.create(small("a fox"))
    assert job.id in api.jobs
    assert all(b"api.example.com" in words for words in asked)
    proxy.close()
    await asyncio.gather(*at_work, return_exceptions=True)
