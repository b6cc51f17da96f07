"""Every kind of answer that the sandbox gives, and which of its faults are meant to keep to the schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple, get_args

import httpx

from tests.contract.bodies import chat_bodies
from tests.sandbox.conftest import TINY, Clock
from together_video.sandbox.app import create_app
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import ALLOWED, Call, FaultRule, Kind

#: Faults whose answers are no JSON of the API's: no answer, another content, or a file.
NO_ANSWER: frozenset[Kind] = frozenset(
    {"hang", "reset", "garbage", "truncated", "wrong_content", "file", "headers", "link_expired"}
)
#: Faults whose answers are against the schema, on purpose: as was seen of the service, or of gateways.
AGAINST_IT: frozenset[Kind] = frozenset({"no_id", "no_url", "no_cost", "unknown_status", "renamed_status"})
#: Those that keep to it.
VALID: frozenset[Kind] = frozenset(get_args(Kind)) - NO_ANSWER - AGAINST_IT
STATUSES = (400, 401, 402, 403, 404, 422, 429, 500, 502, 503)


class Answered(NamedTuple):
    """What was asked, the schema that its answer should keep to, and the answer."""

    call: str
    schema: str
    body: Any


def _api(clock: Clock, **settings: Any) -> httpx.AsyncClient:
    async def sleep(seconds: float) -> None: ...

    config = SandboxConfig(**{"model_rules": False, "generation_seconds": 10.0, **settings})
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(config, clock=clock, sleep=sleep)),
        base_url="http://sandbox",
        headers={"authorization": "Bearer key"},
    )


async def _job(faults: tuple[FaultRule, ...], **settings: Any) -> AsyncIterator[Answered]:
    """A job from its create to its end, as each call of it is answered."""
    clock = Clock()
    async with _api(clock, faults=faults, **settings) as api:
        made = await api.post("/v2/videos", json=TINY)
        yield Answered("create", "VideoJob" if made.is_success else "ErrorData", made.json())
        for _ in range(4):
            if made.is_success and "id" in made.json():
                clock.advance(5)
                found = await api.get(f"/v2/videos/{made.json()['id']}")
                yield Answered("retrieve", "VideoJob" if found.is_success else "ErrorData", found.json())


def faults(kinds: frozenset[Kind]) -> list[FaultRule]:
    """Each of these kinds, on each call of the API on which it can be set."""
    calls: tuple[Call, ...] = ("create", "retrieve", "chat")
    rules = [FaultRule(on=on, kind=kind) for on in calls for kind in sorted(ALLOWED[on] & kinds)]
    rules += [FaultRule(on=on, kind="status", status=status) for on in calls for status in STATUSES]
    return [rule for rule in rules if rule.kind in kinds]


async def of_fault(rule: FaultRule, **settings: Any) -> list[Answered]:
    """The answers under one fault."""
    if rule.on != "chat":
        return [answer async for answer in _job((rule,), **settings)]
    async with _api(Clock(), faults=(rule,), **settings) as api:
        found = await api.post("/v1/chat/completions", json=next(chat_bodies())[1])
        return [Answered("chat", "ChatCompletionResponse" if found.is_success else "ErrorData", found.json())]


async def plain(**settings: Any) -> list[Answered]:
    """Answers without faults: a whole job, chats in each format, the lists of models, and refusals."""
    found = [answer async for answer in _job((), **settings)]
    async with _api(Clock(), price=1, **settings) as api:
        for _, body in chat_bodies():
            answer = await api.post("/v1/chat/completions", json=body)
            found.append(Answered("chat", "ChatCompletionResponse", answer.json()))
        for path in ("/v1/models", "/models", "/v2/models"):
            found.append(Answered("models", "ModelInfoList", (await api.get(path)).json()))
        refusals = [
            await api.get("/v2/videos/no-such"),
            await api.get("/v2/nothing"),
            await api.post("/v2/videos", content=b"{"),
            await api.post("/v2/videos", json={**TINY, "steps": 9}),
            await api.post("/v1/chat/completions", json={}),
            await api.get("/v1/models", headers={"authorization": ""}),
        ]
        for answer in refusals:
            assert answer.is_client_error
            found.append(Answered("refusal", "ErrorData", answer.json()))
    return found
