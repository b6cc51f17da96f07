"""Links of a request's media, asked for before anything is paid."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from together_video.media.link_checks import LinkChecks
from together_video.network.trusted_hosts import TrustedHosts
from together_video.requests import VideoRequest

pytestmark = pytest.mark.anyio


def request(*links: str) -> VideoRequest:
    return VideoRequest.model_validate(
        {"model": "m", "prompt": "p", "media": {"reference_images": list(links)}}
    )


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> LinkChecks:
    return LinkChecks(transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("head", "get", "words", "sure"),
    [
        (200, 500, None, None),
        (405, 206, None, None),
        (403, 200, None, None),
        (404, 206, None, None),
        (404, 404, "HTTP 404", True),
        (410, 410, "HTTP 410", True),
        (403, 403, "HTTP 403", False),
        (500, 502, "HTTP 502", False),
        (400, 416, None, None),
    ],
)
async def test_only_what_is_surely_gone_stops_a_video(
    head: int, get: int, words: str | None, sure: bool | None
) -> None:
    """A HEAD that fails is followed by a GET of one byte; 404 and 410 are certain, the rest is a doubt."""
    asked: list[tuple[str, str | None]] = []

    def answer(call: httpx.Request) -> httpx.Response:
        asked.append((call.method, call.headers.get("range")))
        assert "authorization" not in call.headers
        return httpx.Response(head if call.method == "HEAD" else get)

    async with answering(answer) as reach:
        doubts = await reach.doubts(request("https://cdn.test/a.png?X-Amz-Signature=5ecret"))
    assert [doubt.sure for doubt in doubts] == ([] if words is None else [sure])
    assert all(words in doubt.details and "5ecret" not in doubt.details for doubt in doubts if words)
    assert asked[1:] == ([] if head == 200 else [("GET", "bytes=0-0")])


async def test_each_link_is_asked_for_once() -> None:
    """Many videos with the same picture, at the same time and later, make one question."""
    asked: Counter[str] = Counter()

    def answer(call: httpx.Request) -> httpx.Response:
        asked[str(call.url)] += 1
        return httpx.Response(200)

    async with answering(answer) as reach:
        await asyncio.gather(
            *(reach.doubts(request("https://cdn.test/a", "https://cdn.test/b")) for _ in range(20))
        )
        await reach.doubts(request("https://cdn.test/a", "file.png", "data:image/png;base64,AAAA"))
    assert asked == {"https://cdn.test/a": 1, "https://cdn.test/b": 1}


async def test_redirects_are_followed_and_web_pages_are_doubted() -> None:
    """The end of the redirects counts, and HTML in place of an image is said."""

    def answer(call: httpx.Request) -> httpx.Response:
        if call.url.path == "/old":
            return httpx.Response(302, headers={"location": "https://cdn.test/page"})
        return httpx.Response(200, headers={"content-type": "text/html; charset=utf-8"})

    async with answering(answer) as reach:
        (doubt,) = await reach.doubts(request("https://cdn.test/old"))
    assert (doubt.details, doubt.sure) == (
        "https://cdn.test/old leads to a web page instead of image content",
        False,
    )


@pytest.mark.parametrize(
    ("error", "sure"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), True),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.ReadTimeout("slow"), False),
        (httpx.RemoteProtocolError("odd"), False),
        (httpx.TooManyRedirects("round and round"), False),
    ],
)
async def test_no_answer_at_all(error: httpx.HTTPError, sure: bool) -> None:
    """No such host is certain; a certificate, a time limit or a broken answer may be this machine's own problem."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    async with answering(answer) as reach:
        (doubt,) = await reach.doubts(request("https://nowhere.test/a.png"))
    assert doubt.sure is sure


async def test_a_real_port_that_refuses_and_a_real_server(media_server: Any) -> None:
    """Over the network: a file that is there, one that is not, a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with LinkChecks(TrustedHosts.from_env()) as reach:
        assert await reach.doubts(request(f"{media_server}/red.png")) == []
        (gone,) = await reach.doubts(request(f"{media_server}/gone.png"))
        (refused,) = await reach.doubts(request(f"http://127.0.0.1:{port}/a.png"))
    assert (gone.sure, refused.sure) == (True, True)


async def test_a_host_that_only_takes_time_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its further links are as good as gone; those of a host with a working link are checked."""
    monkeypatch.setattr("together_video.media.link_checks._HOST_SECONDS", 0.0)
    asked: list[str] = []

    def answer(call: httpx.Request) -> httpx.Response:
        asked.append(str(call.url))
        return httpx.Response(500 if call.url.host == "slow.test" else 200)

    async with answering(answer) as reach:
        (first,) = await reach.doubts(request("https://slow.test/a"))
        (second,) = await reach.doubts(request("https://slow.test/b"))
        assert (first.sure, second.sure) == (True, True)
        assert "its host has taken" in second.details
        monkeypatch.setattr("together_video.media.link_checks._HOST_SECONDS", 60.0)
        assert await reach.doubts(request("https://good.test/a")) == []
        monkeypatch.setattr("together_video.media.link_checks._HOST_SECONDS", 0.0)
        assert await reach.doubts(request("https://good.test/b")) == []
    assert not any("slow" in url for url in asked)
