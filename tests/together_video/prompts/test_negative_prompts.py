"""Negative prompts: asked for only where the model takes them, read beside their prompt, never in its way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from together_video.catalogue import Catalogue
from together_video.prompts import PromptSet, PromptWriting
from together_video.prompts.briefs import Brief, brief_id
from together_video.prompts.chat_requests import chat_body
from together_video.prompts.limits import negative_limit, prompt_limit, without_negative
from together_video.prompts.reading import read_prompts

WISH = Brief(subject="a fox", count=2, negative_prompts=True)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAIRS = [("A fox runs as the camera pans", "flicker, lettering"), ("A fox sleeps while snow falls", "blur")]


def answer(content: object, finish: str = "stop") -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"choices": [{"message": {"content": text}, "finish_reason": finish}]}


def pairs(*found: tuple[str, str | None]) -> dict[str, Any]:
    return {"prompts": [{"prompt": prompt, "negative_prompt": negative} for prompt, negative in found]}


@pytest.mark.parametrize(
    ("model", "limit"),
    [("Wan-AI/wan2.7-t2v", 500), ("minimax/hailuo-02", None), ("google/veo-3.1", None)],
)
def test_only_where_the_model_takes_one(model: str, limit: int | None) -> None:
    """Documented with a length; where jobs have failed, or nobody says, none is written, and that is told."""
    known = Catalogue.load().get(model)
    assert negative_limit(WISH, known) == limit
    assert negative_limit(Brief(subject="a fox"), known) is None
    remark = without_negative(WISH, known)
    assert (remark is None) is (limit is not None)
    assert remark is None or model in remark
    assert without_negative(Brief(subject="a fox"), known) is None
    assert prompt_limit(known) <= 1500


def test_the_schema_asks_for_pairs_only_then() -> None:
    """A brief without the wish is asked for exactly as before."""
    plain = chat_body(WISH, 900)["response_format"]["json_schema"]["schema"]
    assert plain["properties"]["prompts"]["items"] == {"type": "string"}
    body = chat_body(WISH, 900, negative_limit=120)
    items = body["response_format"]["json_schema"]["schema"]["properties"]["prompts"]["items"]
    assert items["required"] == ["prompt", "negative_prompt"]
    assert "negative prompt of at most 120 characters" in body["messages"][0]["content"]
    assert "negative prompt" not in chat_body(WISH, 900)["messages"][0]["content"]


@pytest.mark.parametrize(
    "content",
    [
        pairs(*PAIRS),
        [{"negative_prompt": negative, "prompt": prompt} for prompt, negative in PAIRS],
        "Here they are: " + json.dumps({"videos": [{"text": p, "NEGATIVE_PROMPT": n} for p, n in PAIRS]}),
    ],
)
def test_pairs_are_read_in_whatever_shape(content: object) -> None:
    """Each negative prompt stays with its prompt."""
    reading = read_prompts(answer(content), WISH, 900, negative_limit=500)
    assert list(zip(reading.prompts, reading.negative_prompts, strict=True)) == PAIRS
    assert reading.problems == ()


def test_a_prompt_is_not_lost_for_its_negative() -> None:
    """Too long, empty, missing or of another type: the prompt is used without."""
    found = pairs(("A fox runs", "x" * 501), ("A fox sits", None), ("A fox eats", "  "), ("A fox naps", "ok"))
    reading = read_prompts(answer(found), WISH.model_copy(update={"count": 4}), 900, negative_limit=500)
    assert reading.negative_prompts == (None, None, None, "ok")
    assert len(reading.prompts) == 4
    strings = read_prompts(answer({"prompts": [p for p, _ in PAIRS]}), WISH, 900, negative_limit=500)
    assert strings.negative_prompts == (None, None)


def test_a_negative_is_never_taken_for_a_prompt() -> None:
    """Not even of an answer that is cut off."""
    cut = json.dumps(pairs(*PAIRS))[:-20]
    reading = read_prompts(answer(cut, "length"), WISH, 900, negative_limit=500)
    assert set(reading.prompts) <= {prompt for prompt, _ in PAIRS}
    assert reading.prompts


def test_what_was_not_asked_for_is_not_kept() -> None:
    """A model that adds one of its own accord does not change the requests."""
    reading = read_prompts(answer(pairs(*PAIRS)), WISH, 900)
    assert reading.negative_prompts == (None, None)


def test_the_set_holds_pairs_over_several_answers() -> None:
    """Also where the first answer was short; it reads back as it was stored."""
    writing = PromptWriting(WISH, 900, negative_limit=500)
    writing.feed(answer(pairs(PAIRS[0])))
    body = writing.next_body()
    assert body is not None
    assert "negative_prompt" in json.dumps(body["response_format"])
    writing.feed(answer(pairs(PAIRS[1])))
    done = writing.result(NOW)
    assert done.pairs == PAIRS
    assert PromptSet.model_validate_json(done.as_json()) == done
    plain = PromptWriting(Brief(subject="a fox", count=1), 900)
    plain.feed(answer({"prompts": ["A fox runs"]}))
    assert plain.result(NOW).negative_prompts == ()
    assert plain.result(NOW).pairs == [("A fox runs", None)]


def test_stored_prompts_of_older_briefs_are_still_found() -> None:
    """The wish is part of a brief's name only where it is made."""
    assert "negative" not in Brief(subject="a fox").canonical()
    assert brief_id(WISH) != brief_id(WISH.model_copy(update={"negative_prompts": False}))
