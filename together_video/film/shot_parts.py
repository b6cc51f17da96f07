"""Parts of a shot: how it follows the one before, and what is heard during it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from together_video.film.fields import FadeSeconds, MediaText, without_nulls
from together_video.json_schema import plain_fields

#: Seconds of a crossfade whose length nobody gave.
USUAL_CROSSFADE = 0.5


class FilmPart(BaseModel):
    """A part of a storyboard. Numbers where text belongs, such as a title of 1984, are text."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra=plain_fields,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        coerce_numbers_to_str=True,
    )

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        """NUL cannot be stored by a Prefect server on PostgreSQL."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("it holds a NUL character")
        return value


def _usual_seconds(schema: dict[str, Any]) -> None:
    """As `plain_fields`, and no seconds are offered."""
    plain_fields(schema)
    del schema["properties"]["seconds"]["default"]


class Transition(FilmPart):
    """How one shot goes over into the next."""

    model_config = ConfigDict(json_schema_extra=_usual_seconds)

    kind: Literal["cut", "crossfade"] = Field(default="cut", title="Kind", description="cut or crossfade.")
    seconds: FadeSeconds = Field(
        default=0,
        title="Seconds",
        description="How long a crossfade takes, in seconds; both shots are seen then, so the film is shorter by it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, data: Any) -> Any:
        """`cut`, `crossfade` or `{crossfade: 0.5}`, as people write it."""
        if isinstance(data, str):
            return {"kind": data.strip().lower()}
        if isinstance(data, Mapping) and "crossfade" in data:
            given = dict(data)
            seconds = given.pop("crossfade")
            data = {**given, "kind": "crossfade", "seconds": seconds}
        return without_nulls(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _seconds_belong_to_a_crossfade(self) -> Self:
        if self.kind == "cut" and self.seconds:
            raise ValueError("a cut takes no seconds: write crossfade, or leave the seconds out")
        if self.kind == "crossfade" and not self.seconds:
            if "seconds" in self.model_fields_set:
                raise ValueError("a crossfade takes more than 0 seconds: write cut")
            object.__setattr__(self, "seconds", USUAL_CROSSFADE)
        return self


class Audio(FilmPart):
    """What is heard during a shot, beside the music of the film."""

    own: Literal["keep", "mute"] = Field(
        default="keep", title="Own Sound", description="keep or mute the sound that the model made."
    )
    narration: MediaText | None = Field(
        default=None,
        title="Narration",
        description="An audio file that is heard from the beginning of the shot on: a file, link or s3:// address.",
    )

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, data: Any) -> Any:
        return {"own": data.strip().lower()} if isinstance(data, str) else data
