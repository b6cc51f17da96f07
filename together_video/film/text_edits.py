"""Change the takes in the text of a storyboard's file. Everything else stays as it was, comments too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import yaml

from together_video.errors import InputError
from together_video.film.reading import parse_storyboard
from together_video.film.recut import with_takes


def text_with_takes(text: str, form: Literal["yaml", "json"], takes: Mapping[int, int]) -> str | None:
    """The text with `use` of these shots, by number. None if that cannot be written without touching the rest, for
    example if a shot is nothing but its prompt.

    Example:
        ```python
        text_with_takes("title: Sea\\nshots:\\n  - prompt: a ship\\n", "yaml", {1: 2})
        ```
    """
    expected = with_takes(parse_storyboard(text, form, "The storyboard"), takes)
    try:
        shots = _value(yaml.compose(text, Loader=yaml.SafeLoader), "shots")
        if not isinstance(shots, yaml.SequenceNode):
            return None
        edits = [_edit(shots.value[number - 1], take, form) for number, take in takes.items()]
    except yaml.YAMLError:
        return None
    # From the end, so the positions of the others stay valid.
    for edit in sorted((one for one in edits if one is not None), reverse=True):
        start, end, words = edit
        text = text[:start] + words + text[end:]
    try:
        is_right = parse_storyboard(text, form, "The storyboard") == expected
    except InputError:
        return None
    return text if is_right else None


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def _edit(shot: yaml.Node, take: int, form: str) -> tuple[int, int, str] | None:
    """What to put between two positions of the text."""
    if not isinstance(shot, yaml.MappingNode):
        return None
    if (used := _value(shot, "use")) is not None:
        return used.start_mark.index, used.end_mark.index, str(take)
    begin = shot.start_mark.index
    if shot.flow_style:
        return begin + 1, begin + 1, f'"use": {take}, ' if form == "json" else f"use: {take}, "
    return begin, begin, f"use: {take}\n{' ' * shot.start_mark.column}"
