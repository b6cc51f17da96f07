"""The title of a video: its prompt, and what differs from the others of its sweep."""

from __future__ import annotations

from collections.abc import Mapping

from together_video.text import one_line

#: Longest text for what varies, in characters.
MOST_VARIED = 60
#: Fields with values that need no name: `9:16`, not `aspect 9:16`.
_PLAIN = frozenset({"aspect", "ratio", "resolution", "quality", "adherence", "model", "output_format"})
#: How `inputs.sweeps` shows null.
_DEFAULT = "default"


def varied(values: Mapping[str, str]) -> str:
    """The values that vary in a sweep for one video, such as `seed 2 · 9:16`; empty if only prompts vary.

    Args:
        values: the fields that vary with this video's value as text, in the order of the line.
    """
    words = [_word(name, value) for name, value in values.items() if name != "prompt"]
    return one_line(" · ".join(words), MOST_VARIED)


def title_of(text: str, values: Mapping[str, str] | None, longest: int) -> str:
    """`a fox in the snow · seed 2 · 9:16`: the text, and what varies in its sweep, if it has one.

    If both together are too long, the text is cut, because the rest distinguishes the videos of a sweep.
    """
    return with_varied(text, varied(values or {}), longest)


def with_varied(text: str, more: str, longest: int) -> str:
    """The same, with `more` already made by `varied`."""
    if not more:
        return one_line(text, longest)
    return one_line(f"{one_line(text, max(longest - len(more) - 3, 8))} · {more}", longest)


def _word(name: str, value: str) -> str:
    name, value = one_line(name, 40), one_line(value, 40)
    if name == "seconds" and value != _DEFAULT:
        return f"{value} s"
    if name in _PLAIN and value != _DEFAULT:
        return value
    return f"{name.replace('_', ' ')} {value}"
