"""Chat completions for two purposes: the requested number of video prompts about a subject, or a storyboard.

It reads the request as a model would: the JSON schema (in `response_format`, or as text in the messages), and the lines
`Subject:`, `Style:` and `Language:`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from together_video.sandbox.chat.storyboards import asks_for_story, line_of, story_schema_in, storyboard
from together_video.sandbox.chat.wording import video_prompts
from together_video.sandbox.config import ChatFormat, SandboxConfig
from together_video.sandbox.faults import FaultRule
from together_video.sandbox.refusal import Refusal

#: How many prompts are written if the request does not say.
_USUAL_COUNT = 4
_MOST = 500


def complete(
    body: Mapping[str, Any], config: SandboxConfig, *, now: float, fault: FaultRule | None = None
) -> dict[str, Any]:
    """The answer to `POST /v1/chat/completions`.

    Args:
        fault: of a kind that changes what the model says (cut, not_json, too_few, duplicates).

    Raises:
        Refusal: 400, 404 or 422.
    """
    text = _conversation(body)
    schema = _schema(body, config)
    story = schema if asks_for_story(schema) else story_schema_in(text)
    if story is not None:
        told = storyboard(
            text, story, seed=_seed(text, config), count=_wanted(text, story["properties"]["shots"], fault)
        )
        if fault is not None and fault.kind == "duplicates":
            told["shots"] = [told["shots"][index // 2] for index in range(len(told["shots"]))]
        prompts = [shot["text"] for shot in told["shots"]]
        content = json.dumps(told, ensure_ascii=False)
    else:
        prompts = _prompts(text, schema, config, fault)
        content = json.dumps(_filled(schema or {}, prompts), ensure_ascii=False)
    finish = "stop"
    if fault is not None and fault.kind == "cut":
        content, finish = content[: max(1, int(len(content) * fault.share))], "length"
    elif fault is not None and fault.kind == "not_json":
        listed = "\n".join(f"{number}. {prompt}" for number, prompt in enumerate(prompts, start=1))
        content = fault.message or f"Certainly! Here are your prompts:\n\n{listed}"
    return {
        "id": f"chat-{uuid.uuid4()}",
        "object": "chat.completion",
        "created": int(now),
        "model": body["model"],
        "prompt": [],
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "logprobs": None,
                "message": {"role": "assistant", "content": content, "tool_calls": []},
            }
        ],
        "usage": _usage(text, content),
    }


def conversation_text(body: Mapping[str, Any]) -> str:
    """The text of all messages, without checking them."""
    messages = body.get("messages")
    said = [m.get("content") for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    return "\n".join(text for text in said if isinstance(text, str))


def _conversation(body: Mapping[str, Any]) -> str:
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise Refusal(422, "model: Field required", "model", "missing_required_parameter")
    if not isinstance(messages, list) or not messages:
        raise Refusal(422, "messages: Field required", "messages", "missing_required_parameter")
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            param = f"messages.{number}"
            raise Refusal(422, f"{param}: a role and a text are required", param, "invalid_value")
        if message.get("role") not in ("system", "user", "assistant"):
            param = f"messages.{number}.role"
            raise Refusal(422, f"{param}: unknown role", param, "invalid_value")
    return conversation_text(body)


def _schema(body: Mapping[str, Any], config: SandboxConfig) -> Mapping[str, Any] | None:
    """The JSON schema of the response format. None if the format has none.

    Raises:
        Refusal: 400, the format is not accepted.
    """
    wanted = body.get("response_format") or {"type": "text"}
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    schema: dict[str, Any] | None = None
    form: ChatFormat
    if kind == "json_schema":
        nested = wanted.get("json_schema")
        form = "json_schema" if isinstance(nested, dict) else "json_schema_flat"
        given = nested.get("schema") if isinstance(nested, dict) else wanted.get("schema")
        if not isinstance(given, dict):
            raise Refusal(400, "response_format: a schema is required", "response_format", "invalid_value")
        schema = given
    elif kind == "json_object" or kind == "text":
        form = kind
    else:
        raise Refusal(400, f"response_format: unknown type {kind!r}", "response_format", "invalid_value")
    if form not in config.chat_formats:
        message = f"This model does not support response_format of type {form}"
        raise Refusal(400, message, "response_format", "unsupported_response_format")
    return schema


def _prompts(
    text: str, schema: Mapping[str, Any] | None, config: SandboxConfig, fault: FaultRule | None
) -> list[str]:
    subject = line_of("Subject", text) or " ".join(text.splitlines()[-1].split())[:120]
    style = line_of("Style", text)
    written = video_prompts(
        subject.rstrip("."),
        style=None if style in (None, "free", "none", "any") else style,
        seed=_seed(text, config),
        avoid=text,
        language=line_of("Language", text),
    )
    count = _wanted(text, schema, fault)
    prompts = list(itertools.islice(written, count))
    if fault is not None and fault.kind == "duplicates":
        prompts = [prompts[index // 2] for index in range(count)]
    longest = _longest(schema)
    return [prompt if longest is None else _cut(prompt, longest) for prompt in prompts]


def _seed(text: str, config: SandboxConfig) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{config.seed}/{digest}"


def _wanted(text: str, schema: Mapping[str, Any] | None, fault: FaultRule | None) -> int:
    count = min(_MOST, _count(text, schema))
    if fault is not None and fault.kind == "too_few":
        return max(1, int(count * fault.share)) if count > 1 else 0
    return count


def _count(text: str, schema: Mapping[str, Any] | None) -> int:
    for array in _arrays(schema or {}):
        for bound in ("minItems", "maxItems"):
            if isinstance(array.get(bound), int) and array[bound] > 0:
                return int(array[bound])
    for pattern in (
        r'"minItems"\s*:\s*(\d+)',
        r"(?im)^\W*(?:count|number)\W*:\s*(\d+)",
        r"(\d+)(?:\s+\w+){0,4}\s+prompts",
    ):
        if (found := re.search(pattern, text)) and int(found[1]) > 0:
            return int(found[1])
    return _USUAL_COUNT


def _arrays(schema: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "array":
            yield schema
        for part in schema.values():
            yield from _arrays(part)


def _longest(schema: Mapping[str, Any] | None) -> int | None:
    for array in _arrays(schema or {}):
        items = array.get("items")
        if isinstance(items, dict) and isinstance(items.get("maxLength"), int):
            return int(items["maxLength"])
    return None


def _cut(prompt: str, longest: int) -> str:
    return prompt if len(prompt) <= longest else prompt[:longest].rsplit(" ", 1)[0].rstrip(" ,;.")


def _filled(schema: Mapping[str, Any], prompts: list[str]) -> dict[str, Any]:
    """The prompts in the form that the schema asks for. By default `{"prompts": [...]}`."""
    properties = schema.get("properties")
    name: str = "prompts"
    items: Any = None
    if isinstance(properties, dict):
        for key, part in properties.items():
            if isinstance(part, dict) and part.get("type") == "array":
                name, items = key, part.get("items")
                break
    fields = items.get("properties") if isinstance(items, dict) else None
    if not isinstance(fields, dict):
        return {name: prompts}
    rows = []
    for prompt in prompts:
        row: dict[str, Any] = {field: _short(prompt) for field in fields}
        told = next(
            (field for field in fields if field in ("prompt", "text", "description")), next(iter(fields))
        )
        rows.append({**row, told: prompt})
    return {name: rows}


def _short(prompt: str) -> str:
    return " ".join(prompt.split(".")[0].split()[:8])


def _usage(asked: str, said: str) -> dict[str, int]:
    # Four letters per token is close enough for a bill that nobody pays.
    prompt_tokens, completion_tokens = len(asked) // 4 + 1, len(said) // 4 + 1
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
