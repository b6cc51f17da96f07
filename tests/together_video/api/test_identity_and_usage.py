"""Whose key it is, what identifies a call, and the bill: decoded within bounds, from whatever an API answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from together_video.api.client import TogetherClient
from together_video.api.identity import Identity
from together_video.api.usage import UsagePage
from together_video.errors import AccountRefused, NoClearAnswer, TogetherError
from together_video.requests import VideoRequest

FOX = VideoRequest(model="m", prompt="a fox")
KEY = "tgp_v1_0123456789abcdef"
WINDOW = {
    "start_time": "2026-11-26T12:00:00Z",
    "end_time": "2026-11-26T13:00:00Z",
    "date": "2026-11-26",
    "line_items": [
        {
            "product_name": "Serverless Inference - Video",
            "quantity": "2",
            "unit_price": "0.28",
            "cost": "0.56",
            "pricing_dimensions": {"model": "minimax/hailuo-02"},
            "attributes": {"api_key_id": "key_a", "project_id": "p"},
        }
    ],
}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> TogetherClient:
    return TogetherClient(KEY, "https://api.test", transport=httpx.MockTransport(answer))


def always(status: int, body: Any = None, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json={} if body is None else body, headers=headers)


@pytest.mark.anyio
async def test_a_key_that_is_refused_stops_everything() -> None:
    """Before anything is claimed, for free."""
    async with client(always(401, {"error": {"message": "Invalid API key provided"}})) as api:
        with pytest.raises(
            AccountRefused, match=r"GET /v1/whoami was answered with HTTP 401.*Check the API key"
        ):
            await api.check()


@pytest.mark.anyio
@pytest.mark.parametrize("status", [402, 403, 404, 405, 429, 500, 503])
async def test_an_api_that_does_not_know_the_question(status: int) -> None:
    """An older API, or one that is busy: the calls that follow find out."""
    async with client(always(status)) as api:
        await api.check()
        assert api.identity == Identity()


@pytest.mark.anyio
async def test_nobody_answers_the_question() -> None:
    """A network that fails in passing is the creates' matter, which have retries."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with client(refuse) as api:
        await api.check()


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"api_key": {"id": "key_a"}, "organization": {"id": "org"}}, "key_a"),
        ({"api_key": {"id": 7}}, None),
        ({"api_key": {"id": "x" * 201}}, None),
        ({"api_key": {"id": "two\nlines"}}, None),
        ({"api_key": "key_a"}, None),
        ({}, None),
    ],
)
def test_whoami(answer: dict[str, Any], key: str | None) -> None:
    """What is not understood is unknown."""
    assert Identity.from_json(answer).key_id == key


@pytest.mark.anyio
async def test_ids_of_a_call() -> None:
    """With the job, with an error and in its words; what is too long or cannot be printed is left out, and a key that
    is echoed is masked.
    """
    ids = {"x-request-id": "req-1", "cf-ray": "8f2-FRA"}
    async with client(always(200, {"id": "j"}, **ids)) as api:
        assert (await api.create(FOX)).request_ids == ids
    async with client(always(500, **ids)) as api:
        with pytest.raises(NoClearAnswer, match=r"HTTP 500 \(x-request-id req-1, cf-ray 8f2-FRA\)") as caught:
            await api.create(FOX)
        assert caught.value.request_ids == ids
    odd = {"x-request-id": "x" * 201, "cf-ray": f"for {KEY}"}
    async with client(always(200, {"id": "j"}, **odd)) as api:
        assert (await api.create(FOX)).request_ids == {"cf-ray": "for [API key]"}


@pytest.mark.anyio
async def test_a_bill_of_several_pages() -> None:
    """All pages of the month, with the organisation that whoami gave."""
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/whoami":
            return httpx.Response(200, json={"organization": {"id": "org_1"}})
        asked.append(dict(request.url.params))
        cursor = None if len(asked) == 2 else "next & more"
        return httpx.Response(200, json={"data": [WINDOW], "currency": "USD", "next_cursor": cursor})

    async with client(answer) as api:
        await api.check()
        windows = await api.usage("2026-11")
    assert windows is not None
    assert [window.lines[0].cost_usd for window in windows] == [Decimal("0.56")] * 2
    assert [query.get("after") for query in asked] == [None, "next & more"]
    assert {query["organization_id"] for query in asked} == {"org_1"}


@pytest.mark.anyio
async def test_no_access_to_the_bill() -> None:
    """404 is not an error."""
    async with client(always(404)) as api:
        assert await api.usage("2026-11") is None


@pytest.mark.anyio
async def test_a_bill_that_never_ends() -> None:
    """A cursor that leads on for ever is an error, after a bounded number of calls."""
    async with client(always(200, {"data": [], "next_cursor": "again"})) as api:
        with pytest.raises(TogetherError, match="more than 50 pages"):
            await api.usage("2026-11")


def _without(name: str, **more: Any) -> dict[str, Any]:
    window = {key: value for key, value in WINDOW.items() if key != name}
    return {"data": [{**window, **more}]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": "none"},
        {"data": [WINDOW], "currency": "EUR"},
        {"data": [WINDOW], "next_cursor": 7},
        {"data": ["window"]},
        _without("start_time"),
        _without("line_items"),
        _without("x", end_time="2026-11-26T12:00:00Z"),
        _without("x", start_time="yesterday"),
        _without("x", start_time="0001-01-01T00:00:00+23:00"),
        _without("x", end_time="9999-12-31T23:59:59-23:00"),
        _without("x", line_items=[7]),
        _without("x", line_items=[{"cost": "free", "quantity": "1"}]),
        _without("x", line_items=[{"cost": "NaN", "quantity": "1"}]),
        _without("x", line_items=[{"cost": "1e999", "quantity": "1"}]),
        _without("x", line_items=[{"cost": True, "quantity": "1"}]),
        _without("x", line_items=[{"quantity": "1"}]),
    ],
)
async def test_a_bill_that_cannot_be_understood(body: dict[str, Any]) -> None:
    """Nothing of it is left out, as it could be any video's: the whole bill is refused, in one sentence."""
    async with client(always(200, body)) as api:
        with pytest.raises(NoClearAnswer, match="gave an answer that cannot be used") as caught:
            await api.usage("2026-11")
    assert not caught.value.job_may_exist


def test_a_line_with_odd_texts() -> None:
    """They are bounded and printable; a model may stand among the attributes."""
    line = {**WINDOW["line_items"][0], "product_name": "a\x1b[31m" + "b" * 999}  # type: ignore[index]
    line["attributes"] = {"model": "m", "api_key_id": "k", "other": 7}
    page = UsagePage.from_json({"data": [{**WINDOW, "line_items": [line]}]})
    (found,) = page.windows[0].lines
    assert len(found.product) <= 200
    assert found.product.isprintable()
    assert (found.names[-1], found.key_id) == ("m", "k")
