"""A chat model's answer to any request: its text, the JSON in it, and cleaned texts.

Models wrap their JSON in code fences, think aloud before it, number their texts, and are cut off in the middle.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_OPEN_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*", re.IGNORECASE | re.DOTALL)
_CLOSED_THOUGHT = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
#: Where an object or a list may begin.
BRACKET = re.compile(r"[\[{]")
_LABEL = re.compile(
    r"^(?:(?:video )?prompt\s*(?:#?\d{1,3})?\s*[.):–—-]|#?\d{1,3}[.):]|[-*•])\s+", re.IGNORECASE
)
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»", "「": "」", "`": "`"}

#: Most places at which reading JSON is tried: prose before it rarely has more brackets.
_ATTEMPTS = 40

#: Accepts line breaks within texts, which models write.
DECODER = json.JSONDecoder(strict=False)


def first_choice(answer: object) -> Mapping[str, Any]:
    """The first choice of an answer of `POST /v1/chat/completions`; empty if there is none."""
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, Mapping) else {}


def content_of(choice: Mapping[str, Any]) -> tuple[str, str]:
    """The answer's text without thoughts, and the text of a refusal, if any."""
    message = choice.get("message")
    if not isinstance(message, Mapping):
        message = {"content": choice.get("text")}
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    elif isinstance(content, Mapping):
        content = _dumps(content)
    text = content if isinstance(content, str) else ""
    # The opening tag is often part of the model's template, so the closing one counts alone.
    text = _CLOSED_THOUGHT.split(text)[-1]
    return _OPEN_THOUGHT.sub("", text), refusal if isinstance(refusal, str) else ""


def _dumps(value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return ""


def json_values(content: str) -> Iterator[object]:
    """Every complete JSON object and list in a text, in order; those within others are not repeated."""
    start = 0
    for _ in range(_ATTEMPTS):
        bracket = BRACKET.search(content, start)
        if bracket is None:
            return
        try:
            value, start = DECODER.raw_decode(content, bracket.start())
        except (ValueError, RecursionError):
            start = bracket.end()
        else:
            yield value


def clean_text(text: str) -> str:
    """The text on one line, without characters that cannot be stored or sent, and without numbers, labels and outer
    quotes.
    """
    # Lone surrogates (half an emoji) are legal in JSON but not in any encoding.
    text = text.encode("utf-8", "ignore").decode().replace("**", "")
    text = " ".join(text.split())
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cc").strip()
    for _ in range(3):
        shorter = _LABEL.sub("", text)
        if len(shorter) > 1 and _QUOTES.get(shorter[0]) == shorter[-1]:
            shorter = shorter[1:-1].strip()
        if shorter == text:
            break
        text = shorter
    return text


def sameness(prompt: str) -> str:
    """Equal for prompts that differ only in case, spaces, punctuation or the way letters are composed."""
    folded = unicodedata.normalize("NFKC", prompt).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LNM")
