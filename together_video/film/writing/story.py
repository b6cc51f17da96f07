"""A story as a chat model writes it: the characters and places, and the shots that show them.

Characters and places are described once. The description is added word for word to the prompt of each shot that shows
them, because the video model sees one prompt at a time.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from together_video.film.shot_requests import styled

#: Longest texts that are accepted, in characters. The chat model is asked for less.
LONGEST_TITLE, LONGEST_NAME, LONGEST_TEXT, LONGEST_LOOKS, LONGEST_DETAIL = 120, 60, 900, 400, 240
#: Most characters and most places of a film.
MOST_DESCRIBED = 12


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class Described(_Told):
    """A character or a place, and what it looks like."""

    name: str
    looks: str


class Setting(_Told):
    """What all shots have in common."""

    title: str
    style: str | None = None
    characters: tuple[Described, ...] = ()
    places: tuple[Described, ...] = ()


class ToldShot(_Told):
    """One shot: what happens, who is visible, where, in what light, and how the camera moves."""

    text: str
    characters: tuple[str, ...] = ()
    place: str | None = None
    light: str = ""
    camera: str = ""
    continues: bool = False


def length_of(shot: ToldShot, setting: Setting) -> int:
    """The length of its prompt as sent, in characters, with the style of the film."""
    prompt = prompt_of(shot, setting)
    return len(styled(prompt, setting.style) if setting.style else prompt)


def prompt_of(shot: ToldShot, setting: Setting) -> str:
    """The whole prompt of a shot. Everyone and everything in it is described as in all other shots."""
    seen = [one for one in setting.characters if is_seen(one, shot)]
    place = next((one for one in setting.places if shot.place and _same(one.name, shot.place)), None)
    parts = [shot.text, *(_described(one) for one in seen)]
    parts += [_described(place)] if place else [shot.place or ""]
    parts += [shot.light, shot.camera]
    return " ".join(_sentence(part) for part in parts if part)


def is_seen(character: Described, shot: ToldShot) -> bool:
    """Whether the shot names the character, in its list or in its text."""
    if any(_same(character.name, name) for name in shot.characters):
        return True
    name, text = character.name.casefold(), shot.text.casefold()
    # Not every script separates words.
    if not name.isascii():
        return name in text
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _described(one: Described) -> str:
    return f"{one.name}: {one.looks}"


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{whole}."
