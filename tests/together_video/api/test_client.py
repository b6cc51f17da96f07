"""The client: what it sends, and what each answer means for a create and for a retrieve."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.settings import DEFAULT_BASE_URL, Timeouts, normalise_base_url
from together_video.errors import (
    AccountRefused,
    ApiOverloaded,
    ApiUnreachable,
    ConfigurationError,
    NoClearAnswer,
    RateLimited,
    RequestRefused,
    TogetherError,
)
from together_video.job_status import JobStatus
from together_video.requests import VideoRequest

FOX = VideoRequest(model="m", prompt="A fox", seconds="5")
KEY = "tgp_v1_secret-key"

Handler = Callable[[httpx.Request], httpx.Response]


def client(answer: Handler | httpx.Response) -> TogetherClient:
    """A client whose network is a function, or one answer."""
    handler = answer if callable(answer) else lambda _: answer
    return TogetherClient(KEY, "https://api.test", transport=httpx.MockTransport(handler))


async def refused(answer: Handler | httpx.Response, call: str) -> TogetherError:
    """The error that this answer to a create, retrieve or chat becomes."""
    async with client(answer) as api:
        calls: dict[str, Callable[[], Any]] = {
            "create": lambda: api.create(FOX),
            "retrieve": lambda: api.retrieve("j"),
            "chat": lambda: api.chat({"model": "m"}),
        }
        with pytest.raises(TogetherError) as caught:
            await calls[call]()
    return caught.value


@pytest.mark.anyio
@pytest.mark.parametrize("body", [[{"id": "a"}], {"data": [{"id": "a"}]}], ids=["list", "object"])
async def test_the_lists_of_models_are_read_as_they_come(body: Any) -> None:
    """A bare list stands under data; where the API has none it is None; other failures are errors."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json=body)

    async with client(answer) as api:
        assert await api.models() == {"data": [{"id": "a"}]}
        assert await api.supported_models() == {"data": [{"id": "a"}]}
    assert seen == [
        "https://api.test/v1/models",
        "https://api.test/v2/supported-models?product=PRODUCT_SERVERLESS&modality=MODALITY_VIDEO",
    ]
    async with client(httpx.Response(404, json={"error": {"message": "no route"}})) as api:
        assert (await api.models(), await api.supported_models()) == (None, None)
    async with client(httpx.Response(401, json={"error": {"message": "no"}})) as api:
        with pytest.raises(AccountRefused):
            await api.models()
    async with client(httpx.Response(200, json="text")) as api:
        with pytest.raises(NoClearAnswer):
            await api.models()


@pytest.mark.anyio
async def test_a_create_posts_exactly_the_payload() -> None:
    """One POST with the payload, the key and a name for who calls."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "j", "status": "queued"})

    async with client(answer) as api:
        job = await api.create(FOX)
    (request,) = seen
    assert (job.id, job.status) == ("j", JobStatus.QUEUED)
    assert (request.method, str(request.url)) == ("POST", "https://api.test/v2/videos")
    assert json.loads(request.content) == FOX.payload()
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("prefect-together-video/")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("job_id", "path"),
    [
        ("j-1", b"/v2/videos/j-1"),
        ("a/../b", b"/v2/videos/a%2F..%2Fb"),
        ("ä?x#y", b"/v2/videos/%C3%A4%3Fx%23y"),
    ],
)
async def test_a_retrieve_gets_the_job_whatever_its_id(job_id: str, path: bytes) -> None:
    """An id is one piece of the path, even with slashes and question marks in it."""
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        assert request.method == "GET"
        assert request.content == b""
        return httpx.Response(200, json={"id": job_id})

    async with client(answer) as api:
        assert (await api.retrieve(job_id)).id == job_id
    assert seen == [path]


@pytest.mark.anyio
async def test_a_chat_gives_the_answer_as_it_came() -> None:
    """The body goes out and comes back untouched."""
    body = {"model": "c", "messages": [{"role": "user", "content": "Füchse"}]}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/chat/completions"
        assert json.loads(request.content) == body
        return httpx.Response(200, json={"choices": []})

    async with client(answer) as api:
        assert await api.chat(body) == {"choices": []}


@pytest.mark.anyio
async def test_each_call_has_its_own_patience() -> None:
    """The four time limits reach the transport, with the time for connecting."""
    limits: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"])
        return httpx.Response(200, json={"id": "j"})

    timeouts = Timeouts(connect_seconds=1, create_seconds=2, read_seconds=3, chat_seconds=4)
    async with TogetherClient("k", timeouts=timeouts, transport=httpx.MockTransport(answer)) as api:
        await api.create(FOX)
        await api.retrieve("j")
        await api.chat({})
    assert [(limit["connect"], limit["read"]) for limit in limits] == [(1, 2), (1, 3), (1, 4)]


#: Status, error, worth asking again (a create; a retrieve), whether a create may have made a job.
STATUSES: list[tuple[int, type[TogetherError], bool, bool, bool]] = [
    (400, RequestRefused, False, False, False),
    (401, AccountRefused, False, False, False),
    (402, AccountRefused, False, False, False),
    (403, AccountRefused, False, False, False),
    (404, RequestRefused, False, False, False),
    (405, RequestRefused, False, False, False),
    (413, RequestRefused, False, False, False),
    (422, RequestRefused, False, False, False),
    (429, RateLimited, True, True, False),
    (503, ApiOverloaded, True, True, False),
    (301, RequestRefused, False, False, False),
    (302, RequestRefused, False, False, False),
    (307, RequestRefused, False, False, False),
    (308, RequestRefused, False, False, False),
    (408, NoClearAnswer, False, True, True),
    (500, NoClearAnswer, False, True, True),
    (501, NoClearAnswer, False, True, True),
    (502, NoClearAnswer, False, True, True),
    (504, NoClearAnswer, False, True, True),
    (520, NoClearAnswer, False, True, True),
    (524, NoClearAnswer, False, True, True),
    (529, NoClearAnswer, False, True, True),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "kind", "create_again", "read_again", "may_exist"), STATUSES)
async def test_what_a_status_means(
    status: int, kind: type[TogetherError], create_again: bool, read_again: bool, may_exist: bool
) -> None:
    """The table of the API's errors: type, verdict on a repetition, and whether money may be gone."""
    answer = httpx.Response(
        status,
        headers={"location": "https://elsewhere.test/"},
        json={"error": {"message": "No such thing", "type": "t", "param": None, "code": "some_code"}},
    )
    for call, again in (("create", create_again), ("retrieve", read_again), ("chat", read_again)):
        error = await refused(answer, call)
        assert type(error) is kind
        assert (error.status, error.retryable) == (status, again)
        assert error.job_may_exist is (may_exist and call == "create")
        if status >= 400:
            assert error.code == "some_code"
            assert "No such thing" in error.message
            assert str(status) in error.message


#: What the network does, the error, and whether a create may have made a job.
BREAKS: list[tuple[Exception, type[TogetherError], bool]] = [
    (httpx.ConnectError("refused"), ApiUnreachable, False),
    (httpx.ConnectTimeout(""), ApiUnreachable, False),
    (httpx.PoolTimeout(""), ApiUnreachable, False),
    (httpx.ProxyError("407"), ApiUnreachable, False),
    (httpx.ReadTimeout(""), NoClearAnswer, True),
    (httpx.WriteTimeout(""), NoClearAnswer, True),
    (httpx.ReadError(""), NoClearAnswer, True),
    (httpx.WriteError(""), NoClearAnswer, True),
    (httpx.CloseError(""), NoClearAnswer, True),
    (httpx.RemoteProtocolError("garbage"), NoClearAnswer, True),
    (httpx.DecodingError("gzip"), NoClearAnswer, True),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("broken", "kind", "may_exist"), BREAKS, ids=lambda value: type(value).__name__)
async def test_what_a_broken_connection_means(
    broken: Exception, kind: type[TogetherError], may_exist: bool
) -> None:
    """Only where no connection came about is it proven that nothing was created."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise broken

    for call in ("create", "retrieve", "chat"):
        error = await refused(answer, call)
        assert type(error) is kind
        assert error.status is None
        assert error.job_may_exist is (may_exist and call == "create")
        assert error.retryable is not error.job_may_exist
        assert "https://api.test" in error.message
        assert error.__cause__ is broken


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>OK</html>",
        b'{"id": "j"',
        b"[]",
        b"null",
        b'"j"',
        b"\xff\xfe\x00",
        b"{}",
        b'{"id": null}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_yes_without_a_job_id_may_be_a_job(body: bytes, status: int) -> None:
    """The API said yes, and nobody knows to what: held for a create, asked again for a retrieve."""
    error = await refused(httpx.Response(status, content=body), "create")
    assert type(error) is NoClearAnswer
    assert error.job_may_exist
    assert not error.retryable
    assert isinstance(error, NoClearAnswer)
    assert error.body is not None
    assert (await refused(httpx.Response(status, content=body), "retrieve")).retryable


@pytest.mark.anyio
async def test_an_odd_answer_with_an_id_is_a_job() -> None:
    """Whatever else it holds: half characters, NaN, deep nesting, any 2xx."""
    body = b'{"id": "j", "a": "\\ud800", "b": NaN, "c": ' + b"[" * 300 + b"]" * 300 + b"}"
    async with client(httpx.Response(202, content=body)) as api:
        assert (await api.create(FOX)).id == "j"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ({"error": {"message": "m", "code": "c", "type": "t"}}, "m", "c"),
        ({"error": {"message": "m", "code": None, "type": "t"}}, "m", "t"),
        ({"error": {"message": "m", "code": 7}}, "m", None),
        ({"message": "m"}, "m", None),
        ({"error": "m"}, "m", None),
        ("m", "m", None),
        ({"detail": "m"}, '{"detail":"m"}', None),
        ({"error": {"message": "two\nlines\tand \x1b[31mred"}}, "two lines and [31mred", None),
    ],
)
async def test_the_servers_own_words_are_told(body: object, words: str, code: str | None) -> None:
    """From wherever they stand in the body, in one printable line."""
    error = await refused(httpx.Response(400, json=body), "create")
    assert error.message == f"POST /v2/videos was answered with HTTP 400: {words}"
    assert error.code == code


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no reason given"),
        (b"<h1>Bad\r\ngateway</h1>", "<h1>Bad gateway</h1>"),
        (b"x" * 1000, "x" * 499 + "…"),
        (b"[" * 5000, "[" * 499 + "…"),
        (b"\xff", "�"),
    ],
)
async def test_words_that_are_no_json_are_quoted_short(content: bytes, words: str) -> None:
    """A page of a gateway in front of the API, or nothing at all."""
    error = await refused(httpx.Response(502, content=content), "create")
    assert error.message.endswith(f"HTTP 502: {words}")
    assert isinstance(error, NoClearAnswer)
    assert error.body == words


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "advice"), [(401, "Check the API key."), (402, "no credit left"), (403, "privacy settings")]
)
async def test_account_errors_say_what_to_do(status: int, advice: str) -> None:
    """Three refusals that a user can fix."""
    assert advice in (await refused(httpx.Response(status), "create")).message


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "told"), [("no Route matched", True), ("Unable to access model x/y", False)]
)
async def test_a_path_that_is_not_there_is_a_matter_of_the_address(words: str, told: bool) -> None:
    """A create's 404 that names no model comes from something that is not the API; a look's is about its job."""
    answer = httpx.Response(404, json={"message": words})
    assert ("(TOGETHER_BASE_URL)" in (await refused(answer, "create")).message) is told
    assert "TOGETHER_BASE_URL" not in (await refused(answer, "retrieve")).message


@pytest.mark.anyio
async def test_a_model_of_a_partner_is_refused_alone() -> None:
    """The organisation's switch stops this model, and no other of the batch."""
    body = {"error": {"code": "third_party_data_sharing_blocked", "message": "not enabled"}}
    error = await refused(httpx.Response(403, json=body), "create")
    assert isinstance(error, RequestRefused)
    assert "organisation's privacy settings" in error.message


@pytest.mark.anyio
async def test_an_address_that_cannot_be_called_is_a_matter_of_settings() -> None:
    """No scheme that httpx speaks, for example: exit code 2, nothing sent."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.UnsupportedProtocol("no such protocol")

    async with client(answer) as api:
        with pytest.raises(ConfigurationError, match="no such protocol"):
            await api.create(FOX)


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "1.5"}, 1.5),
        ({"x-ratelimit-reset": " 3s "}, 3),
        ({"x-ratelimit-reset": "0"}, 0),
        ({"retry-after": "7"}, 7),
        ({"x-ratelimit-reset": "12", "retry-after": "7"}, 12),
        ({"x-ratelimit-reset": "soon", "retry-after": "7"}, 7),
        ({"x-ratelimit-reset": "-4", "retry-after": "7"}, 7),
        ({"x-ratelimit-reset": "nan", "retry-after": "7"}, 7),
        ({"x-ratelimit-reset": "inf"}, None),
        ({"x-ratelimit-reset": "1e400"}, None),
        ({"x-ratelimit-reset": "86401"}, None),
        ({"x-ratelimit-reset": ""}, None),
        ({"retry-after": "Mon, 01 Jan 9999 00:00:00 GMT"}, None),
        ({"retry-after": "Mon, 01 Jan 0001 00:00:00 -0000"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 99 Oct 2015 77:28:00 GMT"}, None),
        ({"retry-after": "5 minutes"}, None),
    ],
)
async def test_the_hint_of_a_429_is_read(headers: dict[str, str], wait: float | None) -> None:
    """`x-ratelimit-reset` before `retry-after`. Nonsense is ignored."""
    error = await refused(httpx.Response(429, headers=headers), "create")
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == wait


@pytest.mark.anyio
@pytest.mark.parametrize(
    "moment",
    [
        lambda: in_seconds(60),
        lambda: str(int(time.time() + 60)),
        lambda: str(int((time.time() + 60) * 1000)),
    ],
    ids=["http-date", "unix-seconds", "unix-milliseconds"],
)
async def test_a_hint_may_be_a_moment(moment: Callable[[], str]) -> None:
    """Dates and unix times are turned into seconds from now."""
    error = await refused(httpx.Response(429, headers={"retry-after": moment()}), "create")
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.together.ai", "https://api.together.ai"),
        ("https://api.together.ai/", "https://api.together.ai"),
        ("https://api.together.xyz/v1", "https://api.together.xyz"),
        ("https://api.together.ai/v2/", "https://api.together.ai"),
        (" http://127.0.0.1:8765/v1// ", "http://127.0.0.1:8765"),
        ("http://[::1]:8765/v2", "http://[::1]:8765"),
        ("https://gateway.example/together/v1", "https://gateway.example/together"),
        ("https://gateway.example/v10", "https://gateway.example/v10"),
        ("HTTPS://API.Together.AI/v1", "https://api.together.ai"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_base_url_is_taken_with_or_without_its_version(text: str, url: str) -> None:
    """People set the bare host, or what other tools want, which ends in /v1 or /v2."""
    assert normalise_base_url(text) == url
    assert normalise_base_url(url) == url


@pytest.mark.anyio
async def test_calls_go_below_the_path_of_the_base_url() -> None:
    """A gateway may have the API under a path of its own."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://gateway.example/together/v2/videos/j"
        return httpx.Response(200, json={"id": "j"})

    transport = httpx.MockTransport(answer)
    async with TogetherClient("k", "https://gateway.example/together/v1/", transport=transport) as api:
        assert (await api.retrieve("j")).id == "j"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "api.together.ai",
        "localhost:8765",
        "ftp://api.together.ai",
        "file:///etc/hosts",
        "https://",
        "https:///v1",
        "https://host:port",
        "https://host:99999",
        "http://[::1",
        "https://exa mple.com",
        "https://a..b",
        "https://host/\x00",
        "https://user@host",
        "https://user:password@host",
        "https://host?key=1",
        "https://host?",
        "https://host#v1",
        "https://host#",
    ],
)
def test_a_broken_base_url_is_refused(text: str) -> None:
    """In one sentence, before anything is sent."""
    with pytest.raises(ConfigurationError, match="base URL"):
        TogetherClient("k", text)


def test_a_password_in_a_base_url_is_not_repeated() -> None:
    """The refusal ends up in logs."""
    with pytest.raises(ConfigurationError) as caught:
        normalise_base_url("https://user:hunter2@host")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "\n", "two words", "kéy", "key\nX-Injected: 1", "a\tb", "a\x7fb"])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    """Empty, or with characters that would break the header."""
    with pytest.raises(ConfigurationError, match="API key") as caught:
        TogetherClient(key)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.anyio
async def test_a_key_is_trimmed() -> None:
    """A newline at the end of a secret file is not part of the key."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer k"
        return httpx.Response(200, json={"id": "j"})

    async with TogetherClient(" k\n", transport=httpx.MockTransport(answer)) as api:
        assert api.base_url == DEFAULT_BASE_URL
        await api.retrieve("j")


@pytest.mark.anyio
async def test_looks_wait_for_their_turn() -> None:
    """Some are under way at a time, and all are answered; creates do not wait here, as they have claimed by then."""
    under_way, most = 0, {"GET": 0, "POST": 0}

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way
        under_way += 1
        most[request.method] = max(most[request.method], under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return httpx.Response(200, json={"id": "j", "status": "queued"})

    async with TogetherClient(KEY, "https://api.test", transport=httpx.MockTransport(answer)) as api:
        looks = await asyncio.gather(*(api.retrieve("j") for _ in range(60)))
        await asyncio.gather(*(api.create(FOX) for _ in range(60)))
    assert [job.status for job in looks] == [JobStatus.QUEUED] * 60
    assert most == {"GET": 16, "POST": 60}


@pytest.mark.anyio
async def test_a_look_whose_turn_does_not_come_may_be_repeated() -> None:
    """An API that hangs keeps nobody longer than one look may take."""

    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError("too late")

    timeouts = Timeouts(connect_seconds=0.05, read_seconds=0.05)
    async with TogetherClient(KEY, timeouts=timeouts, transport=httpx.MockTransport(hang)) as api:
        ends = await asyncio.gather(*(api.retrieve("j") for _ in range(20)), return_exceptions=True)
    assert [(type(end), getattr(end, "retryable", None)) for end in ends] == [(NoClearAnswer, True)] * 20
