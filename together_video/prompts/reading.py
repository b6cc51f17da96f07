"""Reading prompts out of a chat model's answer.

Models wrap their JSON in code fences, think aloud before it, give a bare list or objects, number their texts, and are
cut off in the middle. So reading is tolerant about the form, but strict about prompts: none that is empty, too long for
the video model, or a repetition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from together_video.prompts.answers import (
    BRACKET,
    DECODER,
    clean_text,
    content_of,
    first_choice,
    json_values,
    sameness,
)
from together_video.prompts.briefs import Brief
from together_video.requests import MAX_PROMPT
from together_video.text import one_line

_LIST_KEYS = ("prompts", "video_prompts", "videos", "items", "results", "data")
_TEXT_KEYS = ("prompt", "video_prompt", "text", "description", "content")
_NUMBERED_KEY = re.compile(r"(prompt|video)?[ _-]*\d{1,3}", re.IGNORECASE)

#: A JSON string; the closing quote may be missing at the end of the text.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+("|\\?\Z)', re.DOTALL)
_NUMBERED_LINE = re.compile(r"^\s*\d{1,3}[.)]\s+\S.*$", re.MULTILINE)
_DEEPEST = 6


class PromptReading(BaseModel):
    """The result of one answer: usable prompts in their order, and problems as sentences.

    `negative_prompts` has an entry for each prompt, None if none was requested or given. `found` counts the texts in
    places of prompts, usable or not.
    """

    model_config = ConfigDict(frozen=True)

    prompts: tuple[str, ...] = ()
    negative_prompts: tuple[str | None, ...] = ()
    problems: tuple[str, ...] = ()
    found: int = 0
    finish_reason: str | None = None
    excerpt: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether the answer was cut off because its tokens were used up."""
        return self.finish_reason == "length"


def read_prompts(
    answer: object,
    brief: Brief,
    prompt_limit: int,
    *,
    already: Sequence[str] = (),
    asked: int | None = None,
    negative_limit: int | None = None,
) -> PromptReading:
    """Read an answer of `POST /v1/chat/completions`. Never raises, whatever the JSON is.

    At most as many prompts are used as are missing besides those that exist `already`. Fewer than were `asked` for (by
    default, all missing ones) are a problem. `prompt_limit` is the longest prompt of the video model, in characters,
    and `negative_limit` its longest negative prompt, None if none was requested.
    """
    choice = first_choice(answer)
    finish_reason = choice.get("finish_reason")
    content, refusal = content_of(choice)
    wanted = brief.count - len(already)
    texts = _find_texts(content, wanted)
    written = _negatives(content) if negative_limit is not None else {}
    prompts: list[str] = []
    negatives: list[str | None] = []
    problems: list[str] = []
    if refusal:
        problems.append(f"The model refused: {one_line(refusal, 160)}")
    if finish_reason == "length":
        problems.append("The answer was cut off before its end.")
    if not content.strip():
        problems.append("The answer has no text.")
    elif not texts:
        problems.append("The answer contains no list of prompts.")
    seen = {sameness(prompt) for prompt in already}
    limit = min(prompt_limit, MAX_PROMPT)
    for number, text in enumerate(texts, start=1):
        if len(prompts) >= wanted:
            break
        prompt = clean_text(text)
        same = sameness(prompt)
        if not any(letter.isalpha() for letter in same):
            problems.append(f"Prompt {number} is empty.")
        elif len(prompt) > limit:
            problems.append(f"Prompt {number} has {len(prompt)} characters, {limit} are allowed.")
        elif same in seen:
            problems.append(f"Prompt {number} repeats another: {one_line(prompt, 160)}")
        else:
            seen.add(same)
            prompts.append(prompt)
            negative = clean_text(written.get(text, ""))
            # If the negative prompt is too long, the video is made without it; the prompt is not written again.
            fits = negative and negative_limit is not None and len(negative) <= negative_limit
            negatives.append(negative if fits else None)
    expected = wanted if asked is None else asked
    if 0 < len(texts) < expected:
        problems.append(f"The answer has {len(texts)} of the {expected} requested prompts.")
    return PromptReading(
        prompts=tuple(prompts),
        negative_prompts=tuple(negatives),
        problems=tuple(problems),
        found=len(texts),
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
        excerpt=one_line(content, 160),
    )


def _find_texts(content: str, wanted: int) -> list[str]:
    """The list of prompts in a text: from JSON, or from its complete parts, or from numbered lines."""
    best: list[str] = []
    for value in json_values(content):
        texts = _texts(value, _DEEPEST)
        # A draft may precede the final list, so the later of two equally long ones is used.
        if texts and len(texts) >= len(best):
            best = texts
    if len(best) < wanted:
        complete = _complete_strings(content)
        best = complete if len(complete) > len(best) else best
    return best or [match[0] for match in _NUMBERED_LINE.finditer(content)]


def _negatives(content: str) -> dict[str, str]:
    """The negative prompts in the JSON of an answer, by their prompts."""
    found: dict[str, str] = {}
    waiting = list(json_values(content))
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            fields = {key.lower(): entry for key, entry in value.items()}
            prompt = next((fields[key] for key in _TEXT_KEYS if isinstance(fields.get(key), str)), None)
            negative = fields.get("negative_prompt")
            if prompt is not None and isinstance(negative, str):
                found[prompt] = negative
    return found


def _texts(value: object, depth: int) -> list[str]:
    """The prompts in a decoded value of any usual shape."""
    if isinstance(value, str):
        return [value]
    if depth == 0:
        return []
    if isinstance(value, list):
        return [text for entry in value for text in _texts(entry, depth - 1)]
    if not isinstance(value, dict):
        return []
    fields = {key.lower(): entry for key, entry in value.items()}
    for key in _LIST_KEYS:
        if isinstance(fields.get(key), list | dict):
            return _texts(fields[key], depth - 1)
    for key in _TEXT_KEYS:
        if isinstance(fields.get(key), str):
            return [fields[key]]
    if fields and all(_NUMBERED_KEY.fullmatch(key) for key in fields):
        return [text for entry in fields.values() for text in _texts(entry, depth - 1)]
    only = next(iter(fields.values())) if len(fields) == 1 else None
    return _texts(only, depth - 1) if isinstance(only, list | dict) else []


def _complete_strings(content: str) -> list[str]:
    """Prompts in JSON that is cut off or malformed: every complete string in the place of a prompt."""
    bracket = BRACKET.search(content)
    if bracket is None:
        return []
    found: list[str] = []
    key = "prompts"
    for match in _STRING.finditer(content, bracket.start()):
        if match[1] != '"':
            break
        before, after = _last_before(content, match), _first_after(content, match)
        try:
            text = DECODER.decode(match[0])
        except ValueError:
            continue
        if after == ":":
            key = text.strip().lower()
        # Without this check, quotes that a model forgot to escape would give pieces of prompts.
        elif before in "[{,:" and after in ("", ",", "]", "}") and _may_hold_prompt(key):
            found.append(text)
    return found


def _last_before(content: str, match: re.Match[str]) -> str:
    position = match.start() - 1
    while content[position].isspace():
        position -= 1
    return content[position]


def _first_after(content: str, match: re.Match[str]) -> str:
    position = match.end()
    while position < len(content) and content[position].isspace():
        position += 1
    return content[position : position + 1]


def _may_hold_prompt(key: str) -> bool:
    return key in _LIST_KEYS or key in _TEXT_KEYS or _NUMBERED_KEY.fullmatch(key) is not None
