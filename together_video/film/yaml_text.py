"""A storyboard as a YAML file for people to edit: long texts folded, defaults left out, helpful comments added."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from together_video.film.shots import Shot
from together_video.film.storyboard import Storyboard
from together_video.text import one_line

_WIDTH = 100
#: A comment can contain a command, which must not be folded.
_LONGEST_COMMENT = 500
#: Longer texts are folded, if possible.
_LONG = 70
#: Words that need no quotes: every version of YAML reads them as text.
_PLAIN = re.compile(r"[A-Za-z][\w ./,()’-]*[\w.)]|[A-Za-z]", re.ASCII)
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


def storyboard_yaml(
    storyboard: Storyboard, *, head: Sequence[str] = (), comments: Mapping[int, str] | None = None
) -> str:
    """The storyboard in YAML, which `read_storyboard` reads as the same storyboard.

    Args:
        head: lines of a comment at the top.
        comments: comments above single shots, by their numbers.
    """
    return "\n".join([*map(_comment, head), *_lines(storyboard, comments or {})]) + "\n"


def _lines(storyboard: Storyboard, comments: Mapping[int, str]) -> Iterator[str]:
    yield from _entry("title", storyboard.title, 0)
    look = _said(storyboard.look)
    if look:
        yield "look:"
        if "style" in look:
            yield "  # The style is added to the prompt of every shot."
        yield from _entries(look, 1)
    if storyboard.defaults:
        yield "defaults:"
        yield from _entries(storyboard.defaults, 1)
    yield "shots:"
    for number, shot in enumerate(storyboard.shots, 1):
        if said := comments.get(number):
            yield "  " + _comment(said)
        yield from _item(_shot_fields(shot), 1)
    if cut := _said(storyboard.cut):
        yield "cut:"
        yield from _entries(cut, 1)


def _said(part: BaseModel) -> dict[str, Any]:
    return part.model_dump(mode="json", exclude_defaults=True)


def _shot_fields(shot: Shot) -> dict[str, Any]:
    """As people write them: short forms, and request fields beside the shot's own fields."""
    fields = _said(shot)
    settings = fields.pop("settings", {})
    if shot.transition.kind == "crossfade":
        del fields["transition"]
        fields["crossfade"] = shot.transition.seconds
    if fields.get("audio") == {"own": shot.audio.own}:
        fields["audio"] = shot.audio.own
    if shot.seconds is not None:
        fields["seconds"] = float(shot.seconds) if "." in shot.seconds else int(shot.seconds)
    return {**fields, **settings}


def _entries(fields: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in fields.items():
        yield from _entry(name, value, depth)


def _entry(name: str, value: Any, depth: int) -> Iterator[str]:
    start = "  " * depth + _word(name) + ":"
    if isinstance(value, Mapping) and value:
        yield start
        yield from _entries(value, depth + 1)
    elif isinstance(value, list | tuple) and value:
        yield start
        for each in value:
            yield from _item(each, depth + 1)
    elif isinstance(value, str) and _can_be_folded(value):
        yield f"{start} >-"
        indent = "  " * (depth + 1)
        yield from textwrap.wrap(
            value,
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    else:
        yield f"{start} {_scalar(value)}"


def _item(value: Any, depth: int) -> Iterator[str]:
    dash = "  " * depth + "- "
    if isinstance(value, Mapping) and value:
        for number, line in enumerate(_entries(value, depth + 1)):
            yield line if number else dash + line[len(dash) :]
    else:
        yield dash + _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _word(value)
    return _flow(value)


def _word(text: str) -> str:
    """As a value or a name, without quotes if no reader could take it for anything else."""
    is_word = _PLAIN.fullmatch(text) and text.casefold() not in _RESERVED
    return text if is_word else _quoted(text)


def _flow(value: Any) -> str:
    """Numbers, true, null, and lists and objects that are empty or inside a list, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(name)}: {_flow(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]"


def _quoted(text: str) -> str:
    """In quotes, on one line: PyYAML would start a new line at a line break, with the wrong indentation."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter == "\n":
        return "\\n"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _can_be_folded(text: str) -> bool:
    """Folding gives one line of words separated by single spaces."""
    return len(text) > _LONG and text.isprintable() and text == " ".join(text.split())


def _comment(text: str) -> str:
    line = one_line(text, _LONGEST_COMMENT)
    return f"# {line}" if line else "#"
