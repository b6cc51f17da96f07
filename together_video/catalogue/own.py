"""A user's own file of models: additions and corrections to the packaged catalogue.

    {"models": [
      {"name": "minimax/hailuo-02", "seconds": {"choices": [6, 10]}},
      {"name": "acme/dream-1", "tasks": ["text-to-video"], "size": {"by": "pixels", "pixels": ["1280x720"]}}
    ], "default_model": "acme/dream-1"}

A model that the catalogue knows is corrected field by field; null removes a fact. Any other model is added. Facts that
belong together are replaced together: a price with a new `usd`, a size with another `by`, a list of seconds instead of
a range.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from together_video.catalogue.models import Certainty, Model, Source
from together_video.errors import ConfigurationError

#: The environment variable with the path of the file.
VARIABLE = "TOGETHER_VIDEO_CATALOGUE"

#: The id of the file in the list of sources.
OWN_SOURCE = "your-file"

#: Largest file that is read, in bytes.
_LARGEST = 4 * 1024 * 1024
_PARTS = ("models", "sources", "default_model")


def with_own_models(packaged: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The packaged document with the additions and corrections of the file at `path`, to be validated as a whole.

    Raises:
        ConfigurationError: the file cannot be read, or has a mistake; the message names the file and the field.
    """
    own = _read(path)
    known = {model["name"]: model for model in packaged["models"]}
    sources = {OWN_SOURCE: {"title": f"your own file {path}"}, **_sources(own, path)}
    listed = {*packaged["sources"], *sources}
    seen: set[str] = set()
    for number, correction in enumerate(own.get("models", []), start=1):
        where = f"models[{number}]"
        if not isinstance(correction, dict) or not isinstance(name := correction.get("name"), str):
            raise _wrong(path, f"{where}: must be an object with the model's API name as name")
        where += f" ({name})"
        if name in seen:
            raise _wrong(path, f"{where}: is listed twice")
        seen.add(name)
        if "own" in correction:
            raise _wrong(path, f'{where}: unknown field "own"')
        model = _corrected(known.get(name), correction)
        _validate(model, path, where)
        if unlisted := {*model["sources"], *(model.get("limit_sources") or ())} - listed:
            raise _wrong(path, f"{where}: sources: {', '.join(sorted(unlisted))} is not among the sources")
        known[name] = model
    document = {**packaged, "models": list(known.values()), "sources": {**packaged["sources"], **sources}}
    document["own_file"] = path
    if (default := own.get("default_model")) is not None:
        if not isinstance(default, str) or default not in known:
            raise _wrong(path, f"default_model: there is no model {default!r}")
        document["default_model"] = default
    return document


def _read(path: str) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise _wrong(path, f"is larger than {_LARGEST // 1024**2} MB")
        content = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise _wrong(path, f"cannot be read ({error.strerror or error})") from error
    except json.JSONDecodeError as error:
        words = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _wrong(path, words) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, "is not JSON text in UTF-8") from error
    if isinstance(content, list):
        content = {"models": content}
    if not isinstance(content, dict) or not isinstance(content.get("models", []), list):
        raise _wrong(path, 'must be an object with a list of models: {"models": [...]}')
    if unknown := sorted(set(content) - set(_PARTS)):
        raise _wrong(path, f"unknown field {unknown[0]!r}; the known fields are {', '.join(_PARTS)}")
    return content


def _sources(own: Mapping[str, Any], path: str) -> dict[str, Any]:
    given = own.get("sources") or {}
    if not isinstance(given, dict):
        raise _wrong(path, "sources: must be an object of ids with their titles")
    found = {}
    for name, source in given.items():
        shaped = {"title": source} if isinstance(source, str) else source
        try:
            found[name] = Source.model_validate(shaped).model_dump()
        except ValidationError as error:
            raise _wrong(path, f"sources.{name}: {_reasons(error)}") from error
    return found


def _corrected(packaged: Mapping[str, Any] | None, correction: dict[str, Any]) -> dict[str, Any]:
    """The model with its corrections; a new model gets the minimum that it needs."""
    name = str(correction["name"])
    base: dict[str, Any] = dict(packaged) if packaged is not None else _blank(name)
    own = tuple(field for field in correction if field != "name") or ("name",)
    made = _merged(base, _in_whole(base, correction))
    if packaged is not None and "sources" not in correction:
        made["sources"] = [*base["sources"], OWN_SOURCE]
        if base.get("limit_sources") and "limit_sources" not in correction:
            made["limit_sources"] = [*base["limit_sources"], OWN_SOURCE]
    return {**made, "own": own}


def _blank(name: str) -> dict[str, Any]:
    return {
        "title": name.rpartition("/")[2],
        "organisation": name.partition("/")[0],
        "offered": True,
        "size": {"by": "pixels", "certain": False},
        "prompt": {"use": "required"},
        "sources": [OWN_SOURCE],
    }


def _in_whole(base: Mapping[str, Any], correction: dict[str, Any]) -> dict[str, Any]:
    """The correction, with null for each packaged fact that it replaces by another."""
    made = dict(correction)
    price, seconds, size = (made.get(part) for part in ("price", "seconds", "size"))
    if isinstance(price, dict) and "usd" in price:
        unit = (base.get("price") or {}).get("unit")
        ours = {"unit": unit, "certainty": Certainty.OWN.value, "note": "from your own file"}
        gone = dict.fromkeys(base.get("price") or {})
        made["price"] = {**gone, **{name: value for name, value in ours.items() if value}, **price}
    if isinstance(seconds, dict):
        if "choices" in seconds:
            made["seconds"] = {"minimum": None, "maximum": None, **seconds}
        elif "minimum" in seconds or "maximum" in seconds:
            made["seconds"] = {"choices": None, **seconds}
    if isinstance(size, dict) and {"by", "pixels", "tiers"} & size.keys():
        # Doubts about the packaged sizes, and their sources, do not apply to these.
        other = size.get("by", base["size"]["by"]) != base["size"]["by"]
        made["size"] = {**dict.fromkeys(base["size"] if other else ("certain", "sources")), **size}
    return made


def _merged(base: Mapping[str, Any], correction: Mapping[str, Any]) -> dict[str, Any]:
    """Objects merge by field, everything else is replaced; null removes a fact."""
    made = dict(base)
    for name, value in correction.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            below = made.get(name)
            made[name] = _merged(below if isinstance(below, dict) else {}, value)
        else:
            made[name] = value
    return made


def _validate(model: dict[str, Any], path: str, where: str) -> None:
    try:
        Model.model_validate(model)
    except ValidationError as error:
        raise _wrong(path, f"{where}: {_reasons(error)}") from error


def _reasons(error: ValidationError) -> str:
    # Not imported at the top, to avoid a cycle.
    from together_video.validation_messages import explain

    return "; ".join(explain(error, Model)[:3])


def _wrong(path: str, words: str) -> ConfigurationError:
    return ConfigurationError(f"{VARIABLE}: {path}: {words}.")
