"""YAML text from elsewhere -> its value: only what JSON could also express, and nothing that grows or runs on reading.

Words and numbers follow YAML 1.2: `no` is a word and `16:9` a ratio, but YAML 1.1 reads them as false and 969. Anchors,
    tags, several documents and repeated names are refused.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from together_video.inputs.json_values import UnreadableText
from together_video.text import printable
from together_video.validation_messages import quoted

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

#: Deepest nesting: far more than any of our files needs, far less than the reader accepts.
_DEEPEST = 32


class _PlainLoader(_SafeLoader):
    """Null, true, false, numbers and text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as PyYAML has it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                said = quoted(key.value) if isinstance(key, yaml.ScalarNode) else "a list or an object"
                raise _Refused(f"a name must be text, is {said}", key.start_mark)
            if key.value in seen:
                raise _Refused(f"{quoted(key.value)} is given twice", key.start_mark)
            seen.add(key.value)
        return {
            self.construct_object(key, deep=deep): self.construct_object(value, deep=deep)
            for key, value in node.value
        }


class _Refused(yaml.MarkedYAMLError):
    def __init__(self, words: str, mark: Any) -> None:
        super().__init__(problem=words, problem_mark=mark)


def _integer(_: Any, node: yaml.ScalarNode) -> int:
    return int(node.value)


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = loader.construct_mapping(node, deep=True)
    return found


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,19}", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?",
        list("-+.0123456789"),
    ),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)
_PlainLoader.add_constructor("tag:yaml.org,2002:int", _integer)
_PlainLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def yaml_value(text: str) -> Any:
    """The value of a YAML text of one document.

    Raises:
        UnreadableText: the problem, as words that follow the text's name.
    """
    try:
        _refuse_events(text)
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a safe loader, and a stricter one
    except _Refused as error:
        raise UnreadableText(f"{error.problem}{_place(error.problem_mark)}") from None
    except yaml.MarkedYAMLError as error:
        problem = printable(str(error.problem or error.context or "it cannot be read"), 160)
        raise UnreadableText(f"is not YAML: {problem}{_place(error.problem_mark)}{_hint(problem)}") from None
    except yaml.YAMLError as error:
        # A character that YAML does not allow.
        raise UnreadableText(f"is not YAML: {printable(str(error).splitlines()[0], 160)}") from None
    except (RecursionError, ValueError):
        raise UnreadableText("is YAML that cannot be used") from None


def _refuse_events(text: str) -> None:
    """Before anything is built: an alias can expand to more than fits into memory."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Refused("contains a second document (---)", event.start_mark)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(f"*{_shown(anchor)} refers to another part: write it out", event.start_mark)
        if anchor is not None:
            raise _Refused(f"&{_shown(anchor)} is an anchor: leave it out", event.start_mark)
        if tag is not None:
            raise _Refused(f"{_shown(tag)} is a tag: leave it out", event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise _Refused(f"is nested more than {_DEEPEST} deep", event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _shown(name: object) -> str:
    return printable(str(name), 60)


def _place(mark: Any) -> str:
    return "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"


def _hint(problem: str) -> str:
    """A hint for the most common mistakes: a colon in a sentence without quotes, and tabs."""
    if "mapping values" in problem:
        return '. Put text with a colon in quotes: "Night: rain falls"'
    return ". Indent with spaces, not with tabs" if "'\\t'" in problem or "tab" in problem else ""
