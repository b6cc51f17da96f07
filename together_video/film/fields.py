"""Request fields in a storyboard: those for every shot, and those of one shot beside the shot's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, ValidationError, WithJsonSchema

from together_video.inputs.presets import PRESET_FIELDS, Presets
from together_video.json_schema import in_order
from together_video.requests import VideoRequest
from together_video.validation_messages import explain, unknown_name

#: Request fields that a storyboard writes differently, and how.
_SAID_OTHERWISE = {
    "prompt": "write the prompt of each shot in the shot",
    "frame_images": "write from: and to: in the shot",
    "take": "write use: in the shot",
}
#: What is allowed there: request fields, and the shorthand of request files.
REQUEST_FIELDS = (
    *(name for name in VideoRequest.model_fields if name != "prompt"),
    *PRESET_FIELDS,
    "reference_images",
)
#: Longest text that names media, which can be a data URL.
LONGEST_MEDIA = 1_000_000


def problems_in(fields: Mapping[str, Any], known: tuple[str, ...] = REQUEST_FIELDS) -> list[str]:
    """Problems of these request fields that do not depend on the model, as sentences without a full stop.

    `known` are the names that an unknown one is compared with.
    """
    problems = [f"{name}: {words}" for name, words in _SAID_OTHERWISE.items() if fields.get(name) is not None]
    media = fields.get("media")
    if isinstance(media, Mapping) and media.get("frame_images"):
        problems.append(f"media.frame_images: {_SAID_OTHERWISE['frame_images']}")
    others = [name for name in fields if name not in REQUEST_FIELDS and name not in _SAID_OTHERWISE]
    problems += [unknown_name("field", name, known) for name in others]
    presets = {name: fields[name] for name in PRESET_FIELDS if fields.get(name) is not None}
    plain = {
        name: value
        for name, value in fields.items()
        if name in REQUEST_FIELDS and name not in presets and value is not None
    }
    for model, given in ((Presets, presets), (VideoRequest, {"model": "any", **plain})):
        try:
            model.model_validate(given)
        except ValidationError as error:
            problems += explain(error, model)
    return problems


def _usable(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if problems := problems_in(fields):
        raise ValueError("; ".join(problems))
    return without_nulls(fields)


def without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were filled in. A form sends null for the rest, as does an empty entry in a YAML file."""
    return {name: value for name, value in fields.items() if value is not None}


def _schema() -> dict[str, Any]:
    properties = {
        **VideoRequest.model_json_schema()["properties"],
        **Presets.model_json_schema()["properties"],
    }
    # A form shows the simple ones. The others are checked when they are read.
    shown = {
        name: field
        for name, field in properties.items()
        if name not in {"prompt", "media", "extra", "labels", "label_in_id"}
    }
    schema = {"type": "object", "properties": shown, "additionalProperties": True}
    in_order(schema, ("model", "seconds", "aspect", "width", "height", "resolution"))
    return schema


#: Request fields for every shot: any except the prompt. Null leaves one out.
Settings = Annotated[dict[str, JsonValue], AfterValidator(_usable), WithJsonSchema(_schema())]

#: A file, a link, an s3:// address or a data URL.
MediaText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_MEDIA)]
#: Text on one line.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
#: Seconds of a crossfade or a fade.
FadeSeconds = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
