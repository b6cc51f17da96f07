"""One short sentence for each problem of an input."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from together_video.errors import InputError
from together_video.requests import VideoRequest
from together_video.text import printable

Model = TypeVar("Model", bound=BaseModel)

#: What the value should have been, by pydantic's type of error. Several for one field (such as one that takes text or
#: an object) are joined with "or".
_DEMANDS = {
    "string_type": "text",
    "string_unicode": "text that can be written as UTF-8",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "invalid-json-value": "a JSON value",
}

_BOUNDS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


class Explained(NamedTuple):
    """A problem of one field: its place (empty for the whole), the sentence, pydantic's type of error, and the nearest
    number that would pass.
    """

    field: str
    words: str
    kind: str
    bound: int | float | None = None


#: Most fields of one object that are explained.
_MOST_TOLD = 20
#: Longer names are not typing mistakes.
_LONGEST_HINTED = 60


def validated(model: type[Model], fields: object, what: str) -> Model:
    """A model from its fields. `what` names them in the message, such as "The brief".

    Raises:
        InputError: all their problems, in one sentence.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{what} cannot be used: {'; '.join(explain(error, model))}.") from error


def explain(error: ValidationError, model: type[BaseModel] = VideoRequest) -> list[str]:
    """Like `explained`, but only the sentences."""
    return [found.words for found in explained(error, model)]


def explained(error: ValidationError, model: type[BaseModel] = VideoRequest) -> list[Explained]:
    """Explain what a validation found: a sentence without a full stop for each field.

    `model` is the class that was validated: unknown names are compared with its fields. Examples: `steps: must be at
        most 50, is 80`, `unknown field "prmopt" (did you mean "prompt"?)`. Quoted values are shortened, and their
        control characters are escaped.
    """
    found: dict[str, list[ErrorDetails]] = {}
    siblings: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        path, names = _place(details["loc"], model)
        found.setdefault(path, []).append(details)
        siblings[path] = names
    # If a field takes text or an object, an object with a mistake inside is reported as that mistake only.
    outer = {path[: mark.start()] for path in found for mark in re.finditer(r"[.\[]", path)}
    told = [path for path in found if not path or path not in outer]
    explained = [
        Explained(
            path,
            printable(_sentence(path, found[path], siblings[path]), 240),
            found[path][0]["type"],
            _bound(found[path]),
        )
        for path in told[:_MOST_TOLD]
    ]
    if len(told) > _MOST_TOLD:
        explained.append(Explained("", f"and {len(told) - _MOST_TOLD} more fields are wrong", "more"))
    return explained


@lru_cache(maxsize=4096)
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    """The known name that is closest to this one. Cached: a file may repeat the same mistake on each line."""
    near = {other.lower(): other for other in known}
    hits = difflib.get_close_matches(name, near, n=1, cutoff=0.6)
    return near[hits[0]] if hits else None


def unknown_name(kind: str, name: str, known: Iterable[str], within: str = "") -> str:
    """`unknown field "prmopt" (did you mean "prompt"?)`, with its place."""
    near = _nearest(name.lower(), tuple(known)) if len(name) <= _LONGEST_HINTED else None
    hint = f' (did you mean "{near}"?)' if near else ""
    place = f" in {within}" if within else ""
    return f"unknown {kind} {quoted(name)}{place}{hint}"


def quoted(value: object) -> str:
    """A value for a sentence: text in quotes, short, without control characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{printable(value, 60)}"'
    if isinstance(value, dict | BaseModel):
        return "an object"
    if isinstance(value, list | tuple | set):
        return "a list"
    try:
        return printable(str(value), 60)
    except ValueError:  # an integer of thousands of digits
        return "too large to show"


def _sentence(path: str, several: Sequence[ErrorDetails], names: Sequence[str]) -> str:
    first = several[0]
    kind, context, value = first["type"], first.get("ctx") or {}, first["input"]
    if kind == "extra_forbidden":
        name = str(first["loc"][-1])
        return unknown_name("field", name, names, path.removesuffix(name).rstrip("."))
    said = _special(kind, context, value)
    if said is None:
        demands = [_demand(details) for details in several]
        # A number that came as text, as in a CSV cell, is shown as a number.
        shown = printable(value, 60) if kind in _BOUNDS and isinstance(value, str) else quoted(value)
        said = f"must be {' or '.join(dict.fromkeys(demands))}, is {shown}"
    named = not path or said.startswith((path, f"the {path}"))
    return said if named else f"{path}: {said}"


def _bound(several: Sequence[ErrorDetails]) -> int | float | None:
    context = several[0].get("ctx") or {}
    if "gt" in context:
        return 1 if context["gt"] == 0 else None
    bound = context.get("ge", context.get("le"))
    return bound if isinstance(bound, int | float) else None


def _special(kind: str, context: dict[str, Any], value: object) -> str | None:
    """Errors without the form "must be …"."""
    length = len(value) if isinstance(value, str) else 0
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", "cannot be used"))
    if kind == "missing":
        return "is missing"
    if kind == "string_too_short":
        least = context.get("min_length")
        return (
            "is empty: give some text, or leave it out"
            if not length
            else f"must have at least {least} characters, has {length}"
        )
    if kind == "string_too_long":
        return f"must have at most {context.get('max_length')} characters, has {length}"
    if kind in ("too_short", "too_long"):
        word, key = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        return f"must have at {word} {context.get(key)} entries, has {context.get('actual_length')}"
    return None


def _demand(details: ErrorDetails) -> str:
    template = _DEMANDS.get(details["type"])
    if template is None:
        # Rare in our models: keep pydantic's words without "Input should be".
        return details["msg"].removeprefix("Input should be ").splitlines()[0]
    # pydantic quotes the names of a literal singly; we quote doubly everywhere.
    return template.format(**details.get("ctx") or {}).replace("'", '"')


def _place(location: Sequence[int | str], model: type[BaseModel]) -> tuple[str, list[str]]:
    """The path as people write it, and the names that are known at its end.

    pydantic's location also names the branch of a union that was tried (`str`, `VideoRef`): the user did not write
    these, so they are left out.
    """
    path = ""
    classes: list[type[BaseModel]] = [model]
    names = list(_fields_of(model))
    annotation: Any = model
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        is_branch = _names_branch(part, annotation)
        field = next((found for c in classes if (found := _fields_of(c).get(part)) is not None), None)
        if field is None and is_branch:
            classes = [c for c in classes if c.__name__ == part] or classes
            names = [name for c in classes for name in _fields_of(c)]
            continue
        path += f".{part}" if path else part
        names = [name for c in classes for name in _fields_of(c)]
        annotation = field.annotation if field else None
        classes = _models_in(annotation)
    return path, names


def _fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields, by the names that people write."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _names_branch(part: str, annotation: Any) -> bool:
    """Whether a piece of a location is the label of a union's branch, below a field."""
    if annotation is None or isinstance(annotation, type):
        return False
    return (
        part in {c.__name__ for c in _models_in(annotation)} or part in _SCALARS or "[" in part or "-" in part
    )


_SCALARS = frozenset({"str", "int", "float", "bool", "none"})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field's annotation mentions, however deep in lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [found for argument in arguments for found in _models_in(argument)]
