"""Fields that stand in forms and among the parameters of flows, with the words that Prefect's UI shows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, WithJsonSchema

from prefect_together_video.blocks.archive import VideoArchive
from together_video.requests import VideoRequest


def _settings_schema() -> dict[str, Any]:
    fields = VideoRequest.model_json_schema()["properties"]
    shown = {name: field for name, field in fields.items() if name not in {"prompt", "media", "extra"}}
    return {"type": "object", "title": "Settings", "properties": shown, "additionalProperties": True}


#: Any request fields; a form shows those that are no media, where it would show nothing of a mere object.
Settings = Annotated[dict[str, JsonValue], WithJsonSchema(_settings_schema())]
Archive = Annotated[
    VideoArchive | None, Field(description="Where the videos are kept; else the environment's.")
]
