"""Findings about the form of a request: bounds, types, names, and lines that cannot be read.

The catalogue's rules check a request; these findings are about input that makes no request. They also name the field,
the rule, the source and a value that would pass.
"""

from __future__ import annotations

from pydantic import ValidationError

from together_video.catalogue.findings import Finding, Instead, error
from together_video.validation_messages import Explained, explained

#: Sources: the API's schema, and this project's own files, bounds and shorthand.
_SCHEMA, _OWN = "openapi", "project"
#: Other documents also describe these fields.
_SOURCES = {
    "prompt": "openapi, parameters",
    "seconds": "openapi, parameters",
    "steps": "openapi, parameters",
    "output_format": "openapi, parameters",
    "output_quality": "openapi, parameters",
    "guidance_scale": "openapi, parameters",
    "media": "openapi, overview",
    "frame_images": "openapi, overview",
    "extra": _OWN,
}
#: The schema only says integer; the bounds are this project's.
_BOUNDED_HERE = frozenset({"width", "height", "fps", "model"})
_RULES = {
    "extra_forbidden": "field_is_known",
    "missing": "field_is_given",
    "string_too_short": "says_something",
    "string_too_long": "within_bounds",
    "greater_than": "within_bounds",
    "greater_than_equal": "within_bounds",
    "less_than": "within_bounds",
    "less_than_equal": "within_bounds",
    "literal_error": "is_one_of_the_choices",
    "enum": "is_one_of_the_choices",
}
_RULES_OF_FIELDS = {
    "seconds": "length",
    "output_format": "format_is_made",
    "prompt": "says_something",
    "media": "frames_are_told_apart",
}


def findings_of(failure: ValidationError) -> list[Finding]:
    """One error for each field that failed validation."""
    return [_finding(found) for found in explained(failure)]


def finding_of(problem: str, *, rule: str) -> Finding:
    """A problem with this project's own files and shorthand: `aspect: …` names a field, everything else is about the
    line.
    """
    field, colon, words = problem.partition(": ")
    if not colon or not field.replace("_", "").replace(".", "").isalnum():
        field, words = "line", problem
    return error(field, _sentence(words), _OWN).model_copy(update={"rule": rule})


def finding_of_media(place: str, words: str) -> Finding:
    """Media that cannot be used: their place, and what is wrong with them."""
    return error(place, _sentence(words), "parameters, project").model_copy(
        update={"rule": "media_can_be_used"}
    )


def _finding(found: Explained) -> Finding:
    # Errors about the whole request name the field in their message.
    field = found.field or next(
        (name for name in ("media", "extra", "frame_images") if name in found.words), ""
    )
    top = field.partition(".")[0].partition("[")[0]
    rule = _RULES.get(found.kind)
    if rule is None:
        rule = _RULES_OF_FIELDS.get(top, "has_its_form") if found.kind == "value_error" else "has_its_type"
    source = _SOURCES.get(top, _SCHEMA)
    if rule == "within_bounds" and top in _BOUNDED_HERE:
        source = _OWN
    words = found.words.removeprefix(f"{field}: ")
    made = error(field or "line", _sentence(words), source, **_instead(found, top))
    return made.model_copy(update={"rule": rule})


def _instead(found: Explained, field: str) -> dict[str, Instead]:
    """The nearest value that would pass, for a top-level field."""
    if found.field != field:
        return {}
    if field == "output_format":
        return {field: "MP4"}
    if isinstance(found.bound, int | float):
        return {field: found.bound}
    return {}


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
