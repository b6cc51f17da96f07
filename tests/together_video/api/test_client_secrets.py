"""The API key goes to the API's own host, on the API's own calls, and is never told again."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.errors import RequestRefused, TogetherError
from together_video.requests import VideoRequest

FOX = VideoRequest(model="m", prompt="A fox")
KEY = "tgp_v1_secret-key"


def knows_the_key(server: Any) -> list[str]:
    """The targets of those requests that held the key anywhere."""
    return [heard.target for heard in server.heard if KEY.encode() in heard.raw]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_the_api_is_refused(wire: Any, status: int) -> None:
    """Neither the key nor the request goes to where the API points, be it another host or its own."""
    async with wire.serve(wire.http(b'{"id": "j"}')) as elsewhere:
        for target in (f"{elsewhere.url}/v2/videos", "/v3/videos"):
            moved = wire.http(status=f"{status} Moved", location=target)
            async with wire.serve(moved) as api, TogetherClient(KEY, api.url) as client:
                for call in (client.create(FOX), client.retrieve("j"), client.chat({})):
                    with pytest.raises(RequestRefused, match="The key was not sent there") as caught:
                        await call
                    assert target in caught.value.message
                    assert not caught.value.job_may_exist
                assert len(api.heard) == 3
        assert elsewhere.heard == []


@pytest.mark.anyio
async def test_a_download_goes_without_the_key(wire: Any, tmp_path: Path) -> None:
    """Not to the API's own host, where the short links are, and not to the storage behind them."""

    def answers(storage: str) -> Any:
        async def answer(heard: Any, writer: asyncio.StreamWriter) -> None:
            if heard.target == "/shrt/x":
                writer.write(wire.http(status="302 Found", location="/shrt/y", set_cookie="a=b"))
            elif heard.target == "/shrt/y":
                writer.write(wire.http(status="307 Moved", location=f"{storage}/file?signature=s"))
            else:
                writer.write(wire.http(b'{"id": "j"}'))
            await writer.drain()

        return answer

    async with (
        wire.serve(wire.http(b"video")) as storage,
        wire.serve(answers(storage.url)) as api,
        TogetherClient(KEY, api.url) as client,
    ):
        await client.create(FOX)
        await client.retrieve("j")
        got = await client.download(f"{api.url}/shrt/x", tmp_path / "v.mp4", max_bytes=100)
        await client.retrieve("j")
    assert got.path.read_bytes() == b"video"
    assert knows_the_key(storage) == []
    assert knows_the_key(api) == ["/v2/videos", "/v2/videos/j", "/v2/videos/j"]
    assert [heard.target for heard in storage.heard] == ["/file?signature=s"]
    assert len(api.heard) == 5
    assert not any(
        {"authorization", "referer"} & set(heard.headers)
        for heard in [*api.heard, *storage.heard]
        if not heard.target.startswith("/v2")
    )


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500, 503, 200, 302])
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": f"Incorrect key {KEY} given", "code": f"bad {KEY}"}},
        {"error": f"{KEY}"},
        {"nothing": [f"Bearer {KEY}"]},
        f"<p>Authorization: Bearer {KEY}</p>",
        {"error": {"message": "x" * 490 + KEY}},
    ],
)
async def test_a_key_that_is_echoed_is_masked(status: int, body: Any) -> None:
    """Servers quote what they were given; the errors, which end up in logs and records, do not."""
    content = (
        httpx.Response(status, json=body) if isinstance(body, dict) else httpx.Response(status, text=body)
    )
    content.headers["location"] = f"https://elsewhere.test/?key={KEY}"
    transport = httpx.MockTransport(lambda _: content)
    async with TogetherClient(KEY, "https://api.test", transport=transport) as client:
        for call in (client.create(FOX), client.retrieve("j")):
            with pytest.raises(TogetherError) as caught:
                await call
            error = caught.value
            told = [*map(str, vars(error).values()), *traceback.format_exception(error), repr(error)]
            assert KEY[:12] not in "\n".join(told)


@pytest.mark.anyio
async def test_a_key_that_is_echoed_in_an_accepted_answer_is_masked() -> None:
    """The raw answer is kept in the bucket, so the key must not be in it."""
    answer = {"id": "j", "status": "queued", "debug": {"authorization": f"Bearer {KEY}"}}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    async with TogetherClient(KEY, "https://api.test", transport=transport) as client:
        job = await client.create(FOX)
    assert job.raw["debug"] == {"authorization": "Bearer [API key]"}


@pytest.mark.anyio
async def test_a_key_that_is_echoed_in_disguise_is_masked() -> None:
    """Escaped, as a member's name, within a list: what is kept is the decoded answer."""
    escaped = KEY.replace("s", "\\u0073")
    text = f'{{"id": "j", "echo": "Bearer {escaped}", "by": [{{"{escaped}": 1}}], "{KEY}": 2}}'
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=text))
    async with TogetherClient(KEY, "https://api.test", transport=transport) as client:
        job = await client.create(FOX)
    assert job.raw == {"id": "j", "echo": "Bearer [API key]", "by": [{"[API key]": 1}], "[API key]": 2}


def test_a_client_does_not_show_its_key() -> None:
    """`repr` and `str` are what ends up in logs and in the Prefect UI."""
    client = TogetherClient(KEY, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    assert repr(client) == str(client) == "TogetherClient('https://api.together.ai')"
