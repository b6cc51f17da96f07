"""All that the client can send, and all that the sandbox answers, against the API's public schema."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings

from tests.contract.answers import AGAINST_IT, NO_ANSWER, VALID, Answered, faults, of_fault, plain
from tests.contract.bodies import chat_bodies, video_bodies
from tests.contract.schema import FILE, KNOWN, KNOWN_CALLS, document, has_call, problems
from tests.together_video.catalogue.any_request import REQUESTS
from together_video.api.client import TogetherClient
from together_video.errors import TogetherError
from together_video.requests import VideoRequest

VIDEOS, CHATS = list(video_bodies()), list(chat_bodies())


@pytest.fixture(scope="module")
def answers() -> list[Answered]:
    """Everything that is meant to be valid."""

    async def collect() -> list[Answered]:
        found = await plain()
        for rule in faults(VALID):
            found += await of_fault(rule)
        return found

    return asyncio.run(collect())


def test_every_video_request_keeps_to_the_schema() -> None:
    """Of all models, with their limits kept and broken, all presets, media and fields."""
    assert len(VIDEOS) > 2_000
    wrong = {f"{name}: {problem}" for name, body in VIDEOS for problem in problems("CreateVideoBody", body)}
    assert not wrong


@settings(max_examples=300)
@given(fields=REQUESTS)
def test_any_video_request_keeps_to_the_schema(fields: dict[str, Any]) -> None:
    """Whatever VideoRequest lets through; `extra` is the user's own."""
    request = VideoRequest.model_validate({**fields, "extra": {}})
    assert problems("CreateVideoBody", request.payload()) == []


def test_every_chat_request_keeps_to_the_schema() -> None:
    """First requests and follow-ups, in the documented format and in those that are fallen back to."""
    assert {body["response_format"]["type"] for _, body in CHATS} == {"json_schema", "json_object"}
    assert not {f"{name}: {line}" for name, body in CHATS for line in problems("ChatCompletionRequest", body)}


def test_every_answer_of_the_sandbox_keeps_to_the_schema(answers: list[Answered]) -> None:
    """Jobs from create to end, chats, lists of models, refusals, and each fault that is meant to be valid."""
    assert {answer.call for answer in answers} == {"create", "retrieve", "chat", "models", "refusal"}
    assert {answer.schema for answer in answers} == {
        *("VideoJob", "ErrorData", "ChatCompletionResponse", "ModelInfoList")
    }
    wrong = {f"{answer.call}: {line}" for answer in answers for line in problems(answer.schema, answer.body)}
    assert not wrong


@pytest.mark.parametrize("error", KNOWN)
def test_a_known_error_of_the_schema_is_still_one(error: str, answers: list[Answered]) -> None:
    """With all others fixed and this one not, something that we send or answer is refused."""
    samples = [("CreateVideoBody", body) for _, body in VIDEOS]
    samples += [("ChatCompletionRequest", body) for _, body in CHATS]
    samples += [(answer.schema, answer.body) for answer in answers]
    assert any(problems(name, value, without=error) for name, value in samples), (
        f"not needed any more: {error}"
    )


def test_only_what_is_asked_for_by_name_needs_a_known_error() -> None:
    """By default only what the schema allows is sent: a fraction, Seedance's sound and a fallback are choices."""
    for error in list(KNOWN)[:3]:
        refused = {
            name.partition(": ")[2]
            for name, body in VIDEOS
            if problems("CreateVideoBody", body, without=error)
        }
        assert refused
        assert not any(name == "example" or name.startswith("(") for name in refused), refused


@pytest.mark.anyio
async def test_faults_against_the_schema_are_against_it() -> None:
    """They are known as such, and no kind of fault is in two places or in none."""
    assert not VALID & (AGAINST_IT | NO_ANSWER)
    for rule in faults(AGAINST_IT):
        assert any(problems(answer.schema, answer.body) for answer in await of_fault(rule)), rule


@pytest.mark.anyio
async def test_the_older_answers_are_older_than_the_schema() -> None:
    """Of that generation jobs have a form of their own; all other answers keep to the schema."""
    for answer in await plain(generation="2025"):
        assert bool(problems(answer.schema, answer.body)) is (answer.schema == "VideoJob")


@pytest.mark.anyio
async def test_every_call_of_the_client_is_one_of_the_schema() -> None:
    """Paths and methods, but for those that newer documents add."""
    called: set[tuple[str, str]] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        called.add((request.method, request.url.path))
        return httpx.Response(200, json={"id": "job"})

    async with TogetherClient(
        "a key of a test".replace(" ", "-"), transport=httpx.MockTransport(answer)
    ) as client:
        await client.create(VideoRequest(model="m", prompt="a fox"))
        await client.retrieve("job")
        await client.chat({"model": "m", "messages": []})
        await client.whoami()
        await client.models()
        await client.supported_models()
        with suppress(TogetherError):  # no bill looks like this
            await client.usage("2026-11")
    unknown = {call for call in called if not has_call(*call)}
    assert unknown == KNOWN_CALLS
    assert len(called) == 7


def test_the_schema_carries_its_licence() -> None:
    """It is somebody else's work."""
    assert "MIT License" in FILE.read_text("utf-8")
    assert document()["info"]["license"]["name"] == "MIT"
