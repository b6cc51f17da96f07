"""What the API offers, read once a day before a purchase; and that it is worth no run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.video import generate_video
from prefect_together_video.tasks.make import amake_video
from prefect_together_video.tasks.session.model_offers import ModelOffers
from together_video.api.client import TogetherClient

pytestmark = pytest.mark.anyio

MODEL = "pixverse/pixverse-v5"
Make = Callable[..., Any]


class Api:
    """The lists as answered by a function, which counts the calls."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        return self._answer(request)

    def client(self) -> TogetherClient:
        return TogetherClient("key-of-a-test", "https://api.test", transport=httpx.MockTransport(self))


def listing(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/v2/supported-models":
        assert dict(request.url.params) == {"product": "PRODUCT_SERVERLESS", "modality": "MODALITY_VIDEO"}
        return httpx.Response(404, json={"error": {"message": "no route"}})
    return httpx.Response(200, json=[{"id": "acme/other", "type": "video"}])


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]


async def test_a_day_asks_once_and_another_day_again(
    archive: VideoArchive, caplog: pytest.LogCaptureFixture
) -> None:
    """A second run of the day reads what the first kept; a run over midnight asks for the new day."""
    now = datetime(2026, 11, 27, 23, tzinfo=UTC)
    api = Api(listing)
    async with archive.open() as ledger, api.client() as client:
        first = ModelOffers(client, ledger, clock=lambda: now)
        await first.warn([MODEL])
        await first.warn([MODEL, "acme/other"])
        assert len(api.calls) == 2
        assert sum("does not list pixverse/pixverse-v5" in line for line in warnings(caplog)) == 1
        await ModelOffers(client, ledger, clock=lambda: now).warn([MODEL])
        assert len(api.calls) == 2
        now += timedelta(hours=2)
        await first.warn([MODEL])
        assert len(api.calls) == 4


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="<html>"),
        httpx.Response(401, json={"error": {"message": "no"}}),
        httpx.Response(404, json={}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": "none"}),
        httpx.Response(200, json=[{"id": ["x"], "type": "video"}]),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.text[:8]}",
)
async def test_an_api_without_lists_is_no_problem(
    archive: VideoArchive, answer: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said and nothing raised."""
    async with archive.open() as ledger, Api(lambda _: answer).client() as client:
        await ModelOffers(client, ledger).warn([MODEL])
    assert not warnings(caplog)


async def test_an_archive_that_fails_is_no_problem(
    archive: VideoArchive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be kept is used all the same; what cannot be read is not known."""

    async def broken(*_: object) -> None:
        raise OSError("no such disk")

    async with archive.open() as ledger, Api(listing).client() as client:
        monkeypatch.setattr(ledger.store, "put_once", broken)
        await ModelOffers(client, ledger).warn([MODEL])
        assert len(warnings(caplog)) == 1
        monkeypatch.setattr(ledger.store, "get", broken)
        caplog.clear()
        await ModelOffers(client, ledger).warn([MODEL])
    assert not warnings(caplog)


async def test_a_run_warns_before_it_buys(
    start_api: Make, archive: VideoArchive, small: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch, a single video and a public task: deprecated and repriced models are named once each, and are made."""
    api = start_api(deprecated_models=[MODEL], listed_prices={MODEL: 0.9})
    given = {"archive": archive, "together": api.credentials()}
    state = await generate_batch.fn(requests=[small("a fox"), small("an owl")], **given)
    assert state.is_completed(), state.message
    said = warnings(caplog)
    assert sum("deprecated" in line for line in said) == 1
    assert sum("for 0.90 USD (as configured)" in line for line in said) == 1
    caplog.clear()
    assert (await generate_video.fn(small("a cat"), **given)).is_completed()
    assert sum("deprecated" in line for line in warnings(caplog)) == 1
    caplog.clear()
    await amake_video.fn(small("a dog"), **given)
    assert sum("deprecated" in line for line in warnings(caplog)) == 1
    async with httpx.AsyncClient(base_url=api.url) as web:
        assert (await web.get("/sandbox/bill")).json()["model_lists"] == 1
