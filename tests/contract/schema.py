"""The API's public schema, and what is known to be wrong with it.

Validation is stricter than the schema's own words: an object holds the fields that it lists and no others, so that a
field that the schema does not know is found.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

FILE = Path(__file__).parent.parent / "data" / "openapi-videos.yaml"

#: Objects that hold nothing but what the schema lists.
CLOSED = (
    *("CreateVideoBody", "VideoMedia", "VideoFrameImageInput", "VideoRef", "AudioRef", "VideoJob"),
    *(
        "ChatCompletionRequest",
        "ChatCompletionResponse",
        "ChatCompletionMessage",
        "UsageData",
        "ModelInfo",
        "Pricing",
    ),
    *("ResponseFormatText", "ResponseFormatJsonSchema", "ResponseFormatJsonObject", "ErrorData"),
)

Schemas = dict[str, Any]
Mend = Callable[[Schemas], None]


def _fields(schemas: Schemas, name: str) -> dict[str, Any]:
    return schemas[name]["properties"]  # type: ignore[no-any-return]


def _guidance(schemas: Schemas) -> None:
    _fields(schemas, "CreateVideoBody")["guidance_scale"]["type"] = "number"


def _settings(schemas: Schemas) -> None:
    _fields(schemas, "CreateVideoBody")["settings"] = {"type": "object"}


def _reference_audios(schemas: Schemas) -> None:
    _fields(schemas, "VideoMedia")["reference_audios"] = {"type": "array", "items": {"type": "string"}}


def _flat_format(schemas: Schemas) -> None:
    flat = {"type": {"const": "json_schema"}, "schema": {"type": "object"}}
    form = {"type": "object", "properties": flat, "required": list(flat), "additionalProperties": False}
    _fields(schemas, "ChatCompletionRequest")["response_format"]["anyOf"].append(form)


def _cost(schemas: Schemas) -> None:
    _fields(schemas, "VideoJob")["outputs"]["properties"]["cost"]["type"] = "number"


def _param(schemas: Schemas) -> None:
    _fields(schemas, "ErrorData")["error"]["properties"]["param"]["type"] = ["string", "null"]


def _code(schemas: Schemas) -> None:
    _fields(schemas, "ErrorData")["error"]["properties"]["code"]["type"] = ["string", "null"]


def _logprobs(schemas: Schemas) -> None:
    choice = schemas["ChatCompletionChoicesData"]["items"]["properties"]
    choice["logprobs"] = {"anyOf": [{"type": "null"}, choice["logprobs"]]}


def _video_models(schemas: Schemas) -> None:
    _fields(schemas, "ModelInfo")["type"]["enum"].append("video")


def _video_prices(schemas: Schemas) -> None:
    _fields(schemas, "Pricing")["video"] = {"type": ["number", "object"]}


#: What the schema has wrong or does not know yet, by name, with the change that mends it.
KNOWN: dict[str, Mend] = {
    "guidance_scale is typed integer; the guides give 7.5": _guidance,
    "settings.audio of Seedance 2.x is newer than the schema": _settings,
    "media.reference_audios of Seedance 2.x is newer than the schema": _reference_audios,
    "some models take a json_schema format only flattened": _flat_format,
    "outputs.cost is typed integer; samples show 0.28": _cost,
    "error.param may be null": _param,
    "error.code may be null": _code,
    "logprobs may be null": _logprobs,
    "models may be of type video": _video_models,
    "pricing.video is newer than the schema": _video_prices,
}
#: Calls that no path of the schema has: documented, and newer.
KNOWN_CALLS = {("GET", "/v1/whoami"), ("GET", "/v2/supported-models"), ("GET", "/v1/billing/usage")}


@cache
def document() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text("utf-8"))  # type: ignore[no-any-return]


@cache
def validator(name: str, without: str | None = None) -> Draft202012Validator:
    """For the schema of this name, with every known error fixed except one."""
    schemas = copy.deepcopy(document()["components"]["schemas"])
    for known, mend in KNOWN.items():
        if known != without:
            mend(schemas)
    for closed in CLOSED:
        schemas[closed]["additionalProperties"] = False
    root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    Draft202012Validator.check_schema(root)
    return Draft202012Validator(root)


def problems(name: str, value: object, without: str | None = None) -> list[str]:
    """What is wrong with a document, a line each."""
    found = validator(name, without).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def has_call(method: str, path: str) -> bool:
    """Whether the schema has this call; an id in the path stands for any."""
    for known, calls in document()["paths"].items():
        pieces, ours = known.split("/"), path.split("/")
        same = len(pieces) == len(ours) and all(
            piece == our or piece.startswith("{") for piece, our in zip(pieces, ours, strict=True)
        )
        if same and method.lower() in calls:
            return True
    return False
