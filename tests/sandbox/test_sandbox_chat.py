"""Chat completions: prompts about a subject, in each response format, and what goes wrong with them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from together_video.film.writing.briefs import make_story_brief
from together_video.film.writing.writing import StoryWriting
from together_video.prompts.briefs import Brief
from together_video.prompts.writing import PromptWriting
from together_video.sandbox.chat.completions import complete
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import FaultRule
from together_video.sandbox.refusal import Refusal

SCHEMA = {
    "type": "object",
    "properties": {"prompts": {"type": "array", "items": {"type": "string"}, "minItems": 6, "maxItems": 6}},
}
NESTED = {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA, "strict": True}}
FLAT = {"type": "json_schema", "schema": SCHEMA}
OBJECT = {"type": "json_object"}


def asked(response_format: Any, *, system: str = f"Valid against {json.dumps(SCHEMA)}") -> dict[str, Any]:
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": "Subject: old lighthouses\nStyle: watercolour\nLanguage: English"},
    ]
    return {"model": "chat", "messages": messages, "response_format": response_format}


def written(answer: dict[str, Any]) -> list[str]:
    prompts: list[str] = json.loads(answer["choices"][0]["message"]["content"])["prompts"]
    return prompts


@pytest.mark.parametrize("response_format", [NESTED, FLAT, OBJECT])
def test_as_many_prompts_as_asked_for(response_format):
    """Each format gives the number of the schema, all different, all about the subject, in the style."""
    prompts = written(complete(asked(response_format), SandboxConfig(), now=0))
    assert len(prompts) == len(set(prompts)) == 6
    assert all("old lighthouses" in prompt and "Watercolour" in prompt for prompt in prompts)


def test_same_question_same_answer():
    """Equal requests get equal prompts; another seed of the sandbox gives others."""
    first, second = (written(complete(asked(NESTED), SandboxConfig(), now=0)) for _ in range(2))
    assert first == second
    assert written(complete(asked(NESTED), SandboxConfig(seed=1), now=0)) != first


def test_rows_of_objects_and_limits():
    """A schema of objects is filled by name, and a maxLength is kept."""
    items = {"type": "object", "properties": {"title": {"type": "string"}, "prompt": {"type": "string"}}}
    schema = {"type": "object", "properties": {"clips": {"type": "array", "items": items, "minItems": 2}}}
    answer = complete(asked({"type": "json_schema", "schema": schema}), SandboxConfig(), now=0)
    rows = json.loads(answer["choices"][0]["message"]["content"])["clips"]
    assert [row.keys() for row in rows] == [{"title", "prompt"}] * 2
    assert len(rows[0]["title"]) < len(rows[0]["prompt"])
    short = {**SCHEMA["properties"]["prompts"], "items": {"type": "string", "maxLength": 60}}
    limited = {"type": "json_schema", "schema": {"properties": {"prompts": short}}}
    assert all(0 < len(p) <= 60 for p in written(complete(asked(limited), SandboxConfig(), now=0)))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, 422),
        ({"model": "m", "messages": []}, 422),
        ({"model": "m", "messages": [{"role": "user"}]}, 422),
        ({"model": "m", "messages": [{"role": "ghost", "content": "x"}]}, 422),
        (asked({"type": "xml"}), 400),
        (asked({"type": "json_schema"}), 400),
    ],
)
def test_refusals(body, status):
    """Missing and malformed parts of a chat request are refused."""
    with pytest.raises(Refusal) as caught:
        complete(body, SandboxConfig(), now=0)
    assert caught.value.status == status


@pytest.mark.parametrize("taken", ["json_schema", "json_schema_flat", "json_object"])
def test_our_prompt_writing_finds_the_format(taken):
    """A brief of 60 is written in full with a chat model that takes one of the formats only."""
    config = SandboxConfig(chat_formats=frozenset({taken}))
    writing = PromptWriting(Brief(subject="old lighthouses", count=60), 800)
    while body := writing.next_body():
        try:
            writing.feed(complete(body, config, now=0))
        except Refusal as refusal:
            if not writing.refused(refusal.status, refusal.message):
                raise
    assert len(set(writing.prompts)) == 60


def test_what_a_model_does_wrong():
    """Cut, wordy, short and repetitive answers can be ordered."""

    def answer(kind: str) -> dict[str, Any]:
        fault = FaultRule.model_validate({"on": "chat", "kind": kind})
        return complete(asked(NESTED), SandboxConfig(), now=0, fault=fault)

    assert answer("cut")["choices"][0]["finish_reason"] == "length"
    for kind in ("cut", "not_json"):
        with pytest.raises(ValueError, match="line 1"):
            written(answer(kind))
    assert len(written(answer("too_few"))) == 3
    assert (len(written(answer("duplicates"))), len(set(written(answer("duplicates"))))) == (6, 3)


@pytest.mark.anyio
async def test_over_http(sandbox, slept):
    """The route answers, takes its time, and counts."""
    async with sandbox(chat_seconds=2) as api:
        assert len(written((await api.post("/v1/chat/completions", json=asked(NESTED))).json())) == 6
        assert slept == [2]
        assert (await api.get("/sandbox/bill")).json()["chats"] == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("German", "[German] "),
        ("de-AT", "[de-AT] "),
        ("Français", "[Français] "),
        ("es", "[es] "),
        ("English", "camera"),
        ("Klingon {x}", "[Klingon {x}] "),
    ],
)
def test_prompts_are_in_the_language_that_is_asked_for(language: str, words: str) -> None:
    """All are English; of another language the name stands before each."""
    body = asked(NESTED)
    body["messages"][1]["content"] = f"Subject: old lighthouses\nLanguage: {language}"
    prompts = written(complete(body, SandboxConfig(), now=0))
    assert len(set(prompts)) == 6
    assert all(words in prompt and "old lighthouses" in prompt for prompt in prompts)


def story_body(shots: int) -> dict[str, Any]:
    body = StoryWriting(make_story_brief({"subject": "An old lighthouse", "shots": shots})).next_body()
    assert body is not None
    return body


@pytest.mark.parametrize("form", ["nested", "flat", "object"])
def test_storyboards_in_each_format(form):
    """As many shots as the schema asks for, all different, each with people and a place that are described."""
    body = story_body(7)
    schema = body["response_format"]["json_schema"]["schema"]
    body["response_format"] = {
        "nested": body["response_format"],
        "flat": FLAT | {"schema": schema},
        "object": OBJECT,
    }[form]
    story = json.loads(complete(body, SandboxConfig(), now=0)["choices"][0]["message"]["content"])
    assert story.keys() == schema["properties"].keys()
    assert len({shot["text"] for shot in story["shots"]}) == 7
    people = {one["name"] for one in story["characters"]}
    assert all(set(shot["characters"]) <= people for shot in story["shots"])
    assert {shot["place"] for shot in story["shots"]} <= {one["name"] for one in story["places"]}


@pytest.mark.parametrize("kind", ["cut", "not_json", "too_few", "duplicates"])
def test_faulty_storyboards_are_completed(kind):
    """One bad answer, then good ones: every shot is there in the end."""
    writing = StoryWriting(make_story_brief({"subject": "An old lighthouse", "shots": 8}))
    fault = FaultRule(on="chat", kind=kind)
    rounds = 0
    while (body := writing.next_body()) is not None:
        writing.feed(complete(body, SandboxConfig(), now=0, fault=None if rounds else fault))
        rounds += 1
    assert rounds > 1
    assert writing.problems
    assert len(writing.result(datetime.now(UTC)).storyboard.shots) == 8
