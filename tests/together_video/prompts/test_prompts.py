"""Writing prompts: which request follows which answer, and what is stored in the end."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from together_video.errors import PromptError
from together_video.prompts.briefs import Brief, brief_id
from together_video.prompts.chat_requests import PER_ANSWER
from together_video.prompts.sets import PromptSet
from together_video.prompts.writing import PromptWriting, require

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SCENES = [f"A fox crosses snowfield number {number} while the camera pans" for number in range(300)]


def answer(prompts: list[str] | str, *, finish: str = "stop", **fields: Any) -> dict[str, Any]:
    content = prompts if isinstance(prompts, str) else json.dumps({"prompts": prompts})
    return {"choices": [{"message": {"content": content}, "finish_reason": finish}], **fields}


def asked(writing: PromptWriting) -> int:
    body = writing.next_body()
    assert body is not None
    lines = body["messages"][1]["content"].splitlines()
    return int(next(line for line in lines if line.startswith("Count: ")).removeprefix("Count: "))


def format_of(writing: PromptWriting) -> str:
    body = writing.next_body()
    assert body is not None
    form = body["response_format"]
    return "flat" if "schema" in form else str(form["type"])


def test_one_good_answer_is_enough() -> None:
    """The common case: one request, one answer, the set."""
    writing = PromptWriting(Brief(subject="a fox", count=3), 900, edition="2026-11-20")
    assert asked(writing) == 3
    writing.feed(
        answer(SCENES[:3], id="chat-1", usage={"total_tokens": 512, "details": {"cached": 3}, "x": "y"})
    )
    assert writing.next_body() is None
    done = writing.result(NOW)
    assert done.prompts == tuple(SCENES[:3])
    assert done.id == brief_id(writing.brief, "2026-11-20")
    assert done.answers == ("chat-1",)
    assert done.usage == ({"total_tokens": 512, "details": {"cached": 3}},)
    assert done.problems == ()
    assert done.origin.brief_id == done.id


def test_the_rest_is_asked_for_and_the_reason_named() -> None:
    """Duplicates and prompts that are too long are made good in the next round."""
    writing = PromptWriting(Brief(subject="a fox", count=4), 100)
    writing.feed(answer([SCENES[0], SCENES[0].upper(), "z" * 101, SCENES[1]]))
    assert asked(writing) == 2
    body = writing.next_body()
    assert body is not None
    message = body["messages"][1]["content"]
    assert f"- {SCENES[1]}" in message
    assert "- Prompt 3 has 101 characters, 100 are allowed." in message
    writing.feed(answer(SCENES[2:6]))
    assert writing.result(NOW).prompts == tuple(SCENES[:4])


def test_the_next_body_stays_until_something_is_reported() -> None:
    """A call that failed on the way can be made again."""
    writing = PromptWriting(Brief(subject="a fox"), 900)
    assert writing.next_body() == writing.next_body()


def test_a_large_brief_takes_several_answers() -> None:
    """Two hundred prompts come in portions, with rounds to spare for each."""
    writing = PromptWriting(Brief(subject="a fox", count=200), 900)
    given = 0
    while writing.next_body():
        wanted = asked(writing)
        assert wanted <= PER_ANSWER
        writing.feed(answer(SCENES[given : given + wanted]))
        given += wanted
    assert given == 200
    assert len(writing.result(NOW).prompts) == 200
    assert writing.problems == ()


def test_a_refused_format_is_followed_by_the_next() -> None:
    """400 and 422 lead to the flattened schema, then to plain JSON, then to the API's own error."""
    writing = PromptWriting(Brief(subject="a fox"), 900)
    assert format_of(writing) == "json_schema"
    assert writing.refused(400, "response_format.json_schema is not supported")
    assert format_of(writing) == "flat"
    assert writing.refused(422, "no schema here")
    assert format_of(writing) == "json_object"
    assert not writing.refused(400, "no json here")
    writing.feed(answer(SCENES[:4]))
    assert len(writing.result(NOW).problems) == 3


@pytest.mark.parametrize("status", [None, 401, 402, 403, 404, 429])
def test_another_refusal_is_the_callers(status: int | None) -> None:
    """Another format does not help if a key, credit or model is missing."""
    writing = PromptWriting(Brief(subject="a fox"), 900)
    before = writing.next_body()
    assert not writing.refused(status, "no")
    assert writing.next_body() == before


def test_too_many_tokens_lead_to_a_smaller_portion() -> None:
    """A model with little room is asked for fewer prompts at a time, in the same format."""
    writing = PromptWriting(Brief(subject="a fox", count=40), 900)
    assert writing.refused(400, "max_tokens must be at most 16384")
    assert asked(writing) == 20
    assert format_of(writing) == "json_schema"


def test_a_cut_answer_leads_to_fewer_prompts_with_more_room() -> None:
    """Complete prompts are kept. The rest is requested in portions that fit, with more room to think."""
    writing = PromptWriting(Brief(subject="a fox", count=9), 900)
    first = writing.next_body()
    writing.feed(answer(json.dumps(SCENES[:9])[:150], finish="length"))
    assert writing.prompts == tuple(SCENES[:2])
    second = writing.next_body()
    assert first is not None
    assert second is not None
    assert asked(writing) == 2
    assert second["max_tokens"] - 2 * 466 > first["max_tokens"] - 9 * 466


def test_a_model_that_is_always_cut_still_gets_there() -> None:
    """An answer with at least one prompt does not count as a failed round."""
    writing = PromptWriting(Brief(subject="a fox", count=9), 900)
    while writing.next_body():
        given = len(writing.prompts)
        writing.feed(answer(json.dumps(SCENES[given : given + 3])[:80], finish="length"))
    assert writing.result(NOW).prompts == tuple(SCENES[:9])


def test_a_thought_that_leaves_no_room_halves_the_portion() -> None:
    """Without a single complete prompt, half as many are requested, and the rounds end."""
    writing = PromptWriting(Brief(subject="a fox", count=9), 900)
    portions = []
    while writing.next_body():
        portions.append(asked(writing))
        writing.feed(answer("<think>hmm", finish="length"))
    assert portions == [9, 4, 2, 1]


def test_an_answer_without_a_list_leads_to_the_next_format() -> None:
    """Some models accept a schema and then write prose."""
    writing = PromptWriting(Brief(subject="a fox"), 900)
    writing.feed(answer("I would love to!"))
    assert format_of(writing) == "flat"
    writing.feed(answer(["", "", "", ""]))
    assert format_of(writing) == "flat"


def test_after_the_last_round_the_error_says_what_is_missing() -> None:
    """Four useless answers end with one clear sentence that quotes the last of them."""
    writing = PromptWriting(Brief(subject="a fox", count=2), 900)
    rounds = 0
    while writing.next_body():
        writing.feed(answer([SCENES[0]]))
        rounds += 1
    assert rounds == 4
    with pytest.raises(
        PromptError, match=r"gave only 1 of 2 prompts.*repeats another.*last answer begins: .*A fox"
    ):
        writing.result(NOW)


def test_require_lets_enough_prompts_pass() -> None:
    """Enough is not an error. One too few is, and the message names the chat model."""
    brief = Brief(subject="a fox", count=2, chat_model="some/model")
    require(("a", "b"), brief)
    with pytest.raises(PromptError, match="some/model gave no usable prompt"):
        require((), brief)


@pytest.mark.parametrize(
    "odd", [None, [], "x", 3, {"id": 5, "usage": [1]}, {"usage": {"n": float("nan"), "\ud800": 10**400}}]
)
def test_feeding_never_raises(odd: object) -> None:
    """An answer without sense costs a round and nothing more."""
    writing = PromptWriting(Brief(subject="a fox", count=1), 900)
    writing.feed(odd)
    assert writing.prompts == ()
    writing.feed(answer(SCENES[:1]))
    assert PromptSet.model_validate_json(writing.result(NOW).as_json()).prompts == (SCENES[0],)


def test_the_stored_document_is_deterministic_and_reads_back() -> None:
    """Equal sets give equal text, in which every character stays as it is."""
    made = PromptSet(
        id="a" * 24, brief=Brief(subject="狐"), chat_model="m", prompts=("雪の中を走る狐",), created_at=NOW
    )
    assert made.as_json() == made.model_copy().as_json()
    assert "雪の中を走る狐" in made.as_json()
    assert list(json.loads(made.as_json())) == sorted(json.loads(made.as_json()))
    assert PromptSet.model_validate_json(made.as_json()) == made
