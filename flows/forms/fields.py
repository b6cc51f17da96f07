"""Fields that forms and the parameters of flows share, with the descriptions that Prefect's UI shows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, WithJsonSchema
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from prefect_together_video.blocks.archive import VideoArchive
from together_video.requests import VideoRequest


def _settings_schema() -> dict[str, Any]:
    fields = VideoRequest.model_json_schema()["properties"]
    shown = {name: field for name, field in fields.items() if name not in {"prompt", "media", "extra"}}
    return {"type": "object", "title": "Settings", "properties": shown, "additionalProperties": True}


#: Any request fields. A form shows all but media; for a plain object it would show nothing.
Settings = Annotated[dict[str, JsonValue], WithJsonSchema(_settings_schema())]

#: The fields of a request that people need first.
FIRST_FIELDS = ("prompt", "model", "seconds", "width", "height", "seed")


class _FirstFields:
    """The request fields that people need first. The server also accepts and checks the others; no form shows them."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(schema))
        fields = _all_fields(whole)
        hidden = {
            f"^{name}$": {"anyOf": [field, {"type": "null"}]}
            for name, field in fields.items()
            if name not in FIRST_FIELDS
        }
        shown = {name: fields[name] for name in FIRST_FIELDS}
        return {**whole, "properties": shown, "patternProperties": hidden}


class _OtherFields:
    """The fields of a request that `_FirstFields` leaves out."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(VideoRequest.__pydantic_core_schema__))
        fields = _all_fields(whole)
        shown = {name: field for name, field in fields.items() if name not in FIRST_FIELDS}
        rest = {
            name: said for name, said in whole.items() if name not in {"patternProperties", "description"}
        }
        return {**rest, "title": "Details", "properties": shown}


def _all_fields(request: dict[str, Any]) -> dict[str, Any]:
    """All fields of a request's schema, even of one that `_FirstFields` has made: pydantic 2.11 keeps that one as the
    schema of the class.
    """
    hidden = request.get("patternProperties", {})
    return {**request["properties"], **{name[1:-1]: choice["anyOf"][0] for name, choice in hidden.items()}}


Request = Annotated[VideoRequest, _FirstFields()]
#: More fields of a request.
Details = Annotated[dict[str, JsonValue], _OtherFields()]
Archive = Annotated[
    VideoArchive | None,
    Field(description="Where to keep the videos. Empty for the archive that the environment names."),
]
