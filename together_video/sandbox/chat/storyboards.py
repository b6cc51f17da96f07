"""Storyboards about any subject: two people, two places, and shots that name them, in the requested form."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Any

from together_video.sandbox.chat.wording import ACTIONS, CAMERAS, ENDINGS, LIGHTS, Deck, sentence

_PEOPLE = (
    {
        "name": "Mara",
        "looks": "a woman of sixty, white braid, weathered face, yellow oilskin coat, dark blue scarf",
    },
    {
        "name": "Jonas",
        "looks": "a boy of ten, short red hair, freckles, grey wool sweater, brown rubber boots",
    },
)
_PLACES = (
    {
        "name": "the shore",
        "looks": "a long shore of round grey stones, low dunes behind it, one leaning wooden post",
    },
    {"name": "the house", "looks": "a small white house with a slate roof, a green door and one lit window"},
)
_MOST = 500
_DECODER = json.JSONDecoder()


def asks_for_story(schema: Mapping[str, Any] | None) -> bool:
    """Whether a JSON schema describes a storyboard: a list of shots."""
    properties = schema.get("properties") if schema else None
    shots = properties.get("shots") if isinstance(properties, dict) else None
    return isinstance(shots, dict) and shots.get("type") == "array"


def story_schema_in(text: str) -> Mapping[str, Any] | None:
    """The schema of a storyboard in the text of the messages, for a response format without a schema."""
    for found in re.finditer(r'\{"type": ?"object"', text):
        try:
            value, _ = _DECODER.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and asks_for_story(value):
            return value
    return None


def line_of(name: str, text: str) -> str | None:
    """The text after `Name:` in the messages. The brief comes last, so the last one counts."""
    found = re.findall(rf"(?im)^\W*{name}\W*:[ \t]*(\S.*)$", text)
    return " ".join(found[-1].split()) if found else None


def storyboard(text: str, schema: Mapping[str, Any], *, seed: str, count: int) -> dict[str, Any]:
    """The story, with `count` shots. Every other shot continues from the one before, if that is requested."""
    subject = (line_of("Subject", text) or "a quiet place")[:300].rstrip(".")
    style = line_of("Style", text)
    draw = random.Random(seed)  # noqa: S311 - words, not secrets
    decks = [Deck(part, draw) for part in (ACTIONS, ENDINGS, CAMERAS)]
    light = sentence(draw.choice(LIGHTS))
    fields = _fields(schema["properties"]["shots"])
    shots: list[dict[str, Any]] = []
    seen: set[str] = set()
    for _ in range(_MOST * 4):
        if len(shots) >= count:
            break
        action, ending, camera = (deck.next() for deck in decks)
        number = len(shots)
        person = _PEOPLE[number // 3 % len(_PEOPLE)]
        words = f"{person['name']}, {action}, {ending}. {sentence(subject)}"
        if words in seen or words[:100] in text:
            continue
        seen.add(words)
        shot = {
            "text": words,
            "characters": [person["name"]],
            "place": _PLACES[number // 4 % len(_PLACES)]["name"],
            "light": light,
            "camera": sentence(camera),
            "continues": number % 2 == 1,
        }
        shots.append({name: value for name, value in shot.items() if not fields or name in fields})
    setting = {
        "title": sentence(subject)[:80],
        "style": sentence(style) if style and style != "free" else "Soft natural colours, gentle film grain",
        "characters": [dict(one) for one in _PEOPLE],
        "places": [dict(one) for one in _PLACES],
    }
    wanted = {name: value for name, value in setting.items() if name in schema["properties"]}
    return {**wanted, "shots": shots}


def _fields(shots: Mapping[str, Any]) -> frozenset[str]:
    items = shots.get("items")
    properties = items.get("properties") if isinstance(items, dict) else None
    return frozenset(properties) if isinstance(properties, dict) else frozenset()
