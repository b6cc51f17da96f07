"""Chat requests: what the model is told, and in which format it is to answer."""

import json

from together_video.prompts.briefs import Brief
from together_video.prompts.chat_requests import PER_ANSWER, chat_body, chat_requests

FOX = Brief(subject="a fox\nin the snow", count=3, style="watercolour", language="French", seconds=6)


def schema_of(count: int) -> dict[str, object]:
    return {"type": "array", "items": {"type": "string"}, "minItems": count, "maxItems": count}


def test_the_formats_come_in_the_order_of_the_fallback() -> None:
    """Nested schema, flattened schema, plain JSON; the messages are the same in each."""
    nested, flat, plain = (body["response_format"] for body in chat_requests(FOX, 3000))
    assert nested["type"] == "json_schema"
    assert nested["json_schema"]["name"]
    assert nested["json_schema"]["strict"] is True
    assert nested["json_schema"]["schema"]["properties"]["prompts"] == schema_of(3)
    assert flat == {"type": "json_schema", "schema": nested["json_schema"]["schema"]}
    assert plain == {"type": "json_object"}
    assert len({json.dumps(body["messages"]) for body in chat_requests(FOX, 3000)}) == 1


def test_the_brief_stands_in_the_user_message_line_by_line() -> None:
    """Each wish is one line, whatever line breaks it had."""
    body = chat_body(FOX, 3000)
    assert body["messages"][1]["content"].splitlines() == [
        "Subject: a fox in the snow",
        "Style: watercolour",
        "Language: French",
        "Count: 3",
        "Length: 6 seconds",
    ]
    assert body["model"] == FOX.chat_model


def test_the_system_message_repeats_the_schema_and_names_the_limit() -> None:
    """Models that ignore the response format still read the schema and the longest prompt."""
    system = chat_body(FOX, 700)["messages"][0]["content"]
    schema = json.loads(system[system.index("{") :])
    assert schema["properties"]["prompts"] == schema_of(3)
    assert "at most 700 characters" in system
    for advice in ("camera", "light", "verbs", "slowly pans", "one uninterrupted shot"):
        assert advice in system


def test_a_very_high_limit_does_not_ask_for_very_long_prompts() -> None:
    """What a clip of a few seconds can show needs no 32,000 characters."""
    assert "at most 900 characters" in chat_body(FOX, 32_000)["messages"][0]["content"]


def test_tokens_grow_with_the_count_and_leave_room_to_think() -> None:
    """Every prompt may use its characters at two a token, after 4,096 tokens of thought."""
    assert chat_body(FOX, 900)["max_tokens"] >= 4_096 + 3 * 450
    assert chat_body(FOX, 900, wanted=50)["max_tokens"] >= 4_096 + 50 * 450


def test_a_large_brief_is_asked_for_in_portions() -> None:
    """The first request of a brief of 200 asks for no more than one answer can hold."""
    body = chat_requests(Brief(subject="x", count=200), 3000)[0]
    assert f"Count: {PER_ANSWER}" in body["messages"][1]["content"]
    assert body["response_format"]["json_schema"]["schema"]["properties"]["prompts"] == schema_of(PER_ANSWER)


def test_a_follow_up_names_what_is_there_and_what_was_wrong() -> None:
    """Only the rest is requested, and long prompts are named by their beginning."""
    body = chat_body(FOX, 900, wanted=1, already=["A fox runs", "y" * 900], problems=["Prompt 3 is empty."])
    message = body["messages"][1]["content"]
    assert "Count: 1" in message
    assert "- A fox runs\n" in message
    assert "- Prompt 3 is empty." in message
    assert "y" * 200 not in message
