"""The request to the chat model: a brief as the body of `POST /v1/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from together_video.prompts.briefs import Brief
from together_video.text import one_line

#: Tokens for a model that thinks before it writes.
THINKING_TOKENS = 4_096

#: Most prompts of one answer. With more, the answer may be cut off or repeat itself.
PER_ANSWER = 50

#: The requested maximum of characters if the video model takes more. Longer prompts describe more than a clip of a few
#: seconds can show.
_ENOUGH = 900

#: The same for a negative prompt: a handful of things.
_ENOUGH_NEGATIVE = 200

_SYSTEM = """\
You write prompts for a text-to-video model. Each prompt becomes one clip, made without knowledge of \
the others, so each has to stand on its own.

A good prompt
- names its subject in concrete, visible detail, and what the subject does;
- says where that happens, in what light and at what time of day;
- says how the camera moves and how fast everything goes;
- lives on verbs and on words of time ("slowly pans", "tracks left as", "then settles"), as vague words \
give vague motion;
- is one uninterrupted shot, with no more in it than fits the length of the clip;
- describes what is to be seen instead of what is to be left out.

{negative}Give every prompt an idea of its own: another moment, place, point of view, light or camera movement. Keep \
to the subject, the style and the language of the brief. Write each prompt as one paragraph of at most \
{characters} characters, without a number, a title or quotation marks around it.

Answer with one JSON object and nothing else, valid against this schema:
{schema}"""


_NEGATIVE = """\
Beside each prompt give a negative prompt of at most {characters} characters: a list of what may go wrong in \
just this clip and should not be seen, such as flicker, distorted hands, lettering. Name things and faults, \
without "no" or "avoid", and nothing that the prompt asks for.

"""


class AnswerFormat(StrEnum):
    """Ways to ask for JSON, in the order in which they are tried.

    Models and gateways accept different ones: OpenAI and Together document the nested schema, some accept only the flat
    one, some know only `json_object`.
    """

    JSON_SCHEMA = "json_schema"
    FLAT_JSON_SCHEMA = "flat_json_schema"
    JSON_OBJECT = "json_object"


def chat_requests(brief: Brief, prompt_limit: int) -> tuple[dict[str, Any], ...]:
    """The bodies of a first request, one for each format, in the order to try.

    `prompt_limit` is the longest prompt of the video model, in characters.
    """
    return tuple(chat_body(brief, prompt_limit, answer_format=form) for form in AnswerFormat)


def chat_body(
    brief: Brief,
    prompt_limit: int,
    *,
    answer_format: AnswerFormat = AnswerFormat.JSON_SCHEMA,
    wanted: int | None = None,
    thinking_tokens: int = THINKING_TOKENS,
    already: Sequence[str] = (),
    problems: Sequence[str] = (),
    negative_limit: int | None = None,
) -> dict[str, Any]:
    """The body of one chat request.

    `negative_limit` also requests negative prompts, and is the longest that the video model takes.

    `wanted` prompts are requested: all of the brief's, or as many as one answer should have. A follow-up lists the
        prompts that exist `already` and the `problems` of the last answer.
    """
    count = min(brief.count, PER_ANSWER) if wanted is None else wanted
    characters = min(prompt_limit, _ENOUGH)
    with_negative = negative_limit is not None
    negative_characters = min(negative_limit or _ENOUGH_NEGATIVE, _ENOUGH_NEGATIVE)
    schema = _schema(count, with_negative=with_negative)
    negative = _NEGATIVE.format(characters=negative_characters) if with_negative else ""
    system = _SYSTEM.format(characters=characters, negative=negative, schema=json.dumps(schema))
    if with_negative:
        characters += negative_characters
    return {
        "model": brief.chat_model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": _user_message(brief, count, already, problems)},
        ],
        "response_format": response_format(answer_format, schema, "video_prompts"),
        "temperature": 0.8,
        # Two characters per token is the worst case for languages with spaces; those without need fewer characters for
        # the same prompt.
        "max_tokens": thinking_tokens + count * (characters // 2 + 16),
    }


def _schema(count: int, *, with_negative: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "string"}
    if with_negative:
        names = ("prompt", "negative_prompt")
        item = {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": list(names),
            "additionalProperties": False,
        }
    prompts = {"type": "array", "items": item, "minItems": count, "maxItems": count}
    return {
        "type": "object",
        "properties": {"prompts": prompts},
        "required": ["prompts"],
        "additionalProperties": False,
    }


def response_format(answer_format: AnswerFormat, schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a chat request that asks for JSON with this schema. `name` is the schema's name there."""
    if answer_format is AnswerFormat.JSON_SCHEMA:
        named = {"name": name, "schema": schema, "strict": True}
        return {"type": "json_schema", "json_schema": named}
    if answer_format is AnswerFormat.FLAT_JSON_SCHEMA:
        return {"type": "json_schema", "schema": schema}
    return {"type": "json_object"}


def _user_message(brief: Brief, count: int, already: Sequence[str], problems: Sequence[str]) -> str:
    lines = [
        f"Subject: {one_line(brief.subject)}",
        f"Style: {one_line(brief.style) if brief.style else 'free'}",
        f"Language: {one_line(brief.language)}",
        f"Count: {count}",
        f"Length: {f'{brief.seconds:g} seconds' if brief.seconds else 'a few seconds'}",
    ]
    if already:
        lines += ["", "These are written already; do not repeat them or come close to them:"]
        lines += [f"- {opening(prompt)}" for prompt in already]
    if problems:
        lines += ["", "Your last answer could not be used in full:"]
        lines += [f"- {opening(problem)}" for problem in problems]
    return "\n".join(lines)


def opening(text: str) -> str:
    """Enough of a text to recognise it: 200 of these must fit into the request."""
    line = one_line(text)
    return line if len(line) <= 160 else line[:159].rstrip() + "…"
