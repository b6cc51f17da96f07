"""Read a story from a chat model's answer: tolerant about its form, strict about what a shot is.

Its text is untrusted: it is cleaned and bounded, and is used only in prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from together_video.film.writing.chat import Asked
from together_video.film.writing.story import (
    LONGEST_DETAIL,
    LONGEST_LOOKS,
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_DESCRIBED,
    Described,
    Setting,
    ToldShot,
    length_of,
)
from together_video.prompts.answers import clean_text, content_of, first_choice, json_values, sameness
from together_video.text import one_line

_SHOT_LISTS = ("shots", "scenes", "storyboard", "film", "story")
_TEXTS = ("text", "action", "prompt", "description")


class StoryReading(BaseModel):
    """What one answer gave: the setting, if requested and usable; the shots in order, up to the first that cannot be
    used; and the problems, as sentences.
    """

    model_config = ConfigDict(frozen=True)

    setting: Setting | None = None
    shots: tuple[ToldShot, ...] = ()
    problems: tuple[str, ...] = ()
    found: int = 0
    is_cut: bool = False
    excerpt: str = ""


def read_story(answer: object, asked: Asked, style: str | None = None) -> StoryReading:
    """Read an answer of `POST /v1/chat/completions`. Never raises, whatever the JSON contains.

    Order matters: after a shot that cannot be used, none is taken. `style` is the brief's and overrides the answer's.
    """
    choice = first_choice(answer)
    content, refusal = content_of(choice)
    is_cut = choice.get("finish_reason") == "length"
    problems: list[str] = []
    if refusal:
        problems.append(f"The model refused: {one_line(refusal, 160)}")
    if is_cut:
        problems.append("The answer was cut off.")
    told, entries = _story_in(content)
    if not content.strip():
        problems.append("The answer has no text.")
    elif not entries:
        problems.append("The answer has no list of shots.")
    setting = asked.setting or (_setting(told, style) if entries else None)
    shots: list[ToldShot] = []
    if setting is not None:
        seen = {sameness(shot.text) for shot in asked.already}
        for entry in entries[: len(asked.lengths)]:
            number = len(asked.already) + len(shots) + 1
            shot = _shot(entry, first=number == 1, chained=asked.chained)
            if why := _why_not(shot, setting, seen, asked.prompt_limit):
                problems.append(f"Shot {number} {why}")
                break
            seen.add(sameness(shot.text))
            shots.append(shot)
        if entries and not problems and len(shots) < len(asked.lengths):
            problems.append(f"The answer has {len(entries)} of the {len(asked.lengths)} requested shots.")
    return StoryReading(
        setting=setting if shots else None,
        shots=tuple(shots),
        problems=tuple(problems),
        found=len(entries),
        is_cut=is_cut,
        excerpt=one_line(content, 160),
    )


def _story_in(content: str) -> tuple[Mapping[str, Any], list[Any]]:
    """The object with the story, and its list of shots: the longest list, or the last of equally long ones."""
    best: tuple[Mapping[str, Any], list[Any]] = ({}, [])
    for value in json_values(content):
        for told, entries in _stories(value, depth=3):
            if entries and len(entries) >= len(best[1]):
                best = (told, entries)
    return best


def _stories(value: object, depth: int) -> Iterator[tuple[Mapping[str, Any], list[Any]]]:
    if isinstance(value, list):
        yield {}, value if all(isinstance(entry, dict) for entry in value) else []
    elif isinstance(value, dict):
        fields = {str(name).lower(): entry for name, entry in value.items()}
        for name in _SHOT_LISTS:
            if isinstance(fields.get(name), list):
                yield fields, fields[name]
                return
        if depth:
            for entry in fields.values():
                if isinstance(entry, dict):
                    yield from _stories(entry, depth - 1)


def _setting(told: Mapping[str, Any], style: str | None) -> Setting:
    return Setting(
        title=_text(told.get("title"), LONGEST_TITLE),
        style=style or _text(told.get("style"), LONGEST_DETAIL) or None,
        characters=_described(told.get("characters")),
        places=_described(told.get("places") or told.get("locations")),
    )


def _described(value: object) -> tuple[Described, ...]:
    found: dict[str, Described] = {}
    if isinstance(value, dict):
        value = [{"name": name, "looks": looks} for name, looks in value.items()]
    for entry in value[:MOST_DESCRIBED] if isinstance(value, list) else ():
        if not isinstance(entry, dict):
            continue
        name = _text(entry.get("name"), LONGEST_NAME).rstrip(".:")
        looks = _text(entry.get("looks") or entry.get("description"), LONGEST_LOOKS)
        if name and looks:
            found.setdefault(name.casefold(), Described(name=name, looks=looks))
    return tuple(found.values())


def _shot(entry: object, *, first: bool, chained: bool) -> ToldShot:
    if isinstance(entry, str):
        return ToldShot(text=_text(entry))
    fields = {str(name).lower(): value for name, value in entry.items()} if isinstance(entry, dict) else {}
    names = fields.get("characters")
    said = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), "")
    return ToldShot(
        text=_text(said),
        characters=tuple(
            text
            for name in (names[:MOST_DESCRIBED] if isinstance(names, list) else [names])
            if (text := _text(name, LONGEST_NAME))
        ),
        place=_text(fields.get("place"), LONGEST_NAME) or None,
        light=_text(fields.get("light"), LONGEST_DETAIL),
        camera=_text(fields.get("camera"), LONGEST_DETAIL),
        continues=chained and not first and fields.get("continues") is True,
    )


def _why_not(shot: ToldShot, setting: Setting, seen: set[str], limit: int) -> str | None:
    same = sameness(shot.text)
    if not any(letter.isalpha() for letter in same):
        return "has no text."
    if same in seen:
        return f"repeats another: {one_line(shot.text, 120)}"
    if len(shot.text) > LONGEST_TEXT:
        return f"has {len(shot.text)} characters of text; at most {LONGEST_TEXT} are allowed."
    whole = length_of(shot, setting)
    if whole > limit:
        return f"has {whole} characters with its descriptions and the style; at most {limit} are allowed. Shorten them."
    return None


def _text(value: object, longest: int | None = None) -> str:
    """Clean text on one line. Longer text is cut at a word, because losing a detail does no harm."""
    text = clean_text(value) if isinstance(value, str) else ""
    if longest is None or len(text) <= longest:
        return text
    return text[:longest].rsplit(" ", 1)[0].rstrip(" ,;:")
