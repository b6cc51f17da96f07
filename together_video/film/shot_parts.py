"""Parts of a shot: the transition from the one before, and its sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from together_video.film.fields import FadeSeconds, MediaText, without_nulls
from together_video.json_schema import plain_fields

_TOO_SHORT = "a crossfade needs more than 0 seconds: write cut instead"
#: Seconds of a crossfade if no length is given.
USUAL_CROSSFADE = 0.5


class FilmPart(BaseModel):
    """A part of a storyboard. A number in place of text, such as the title 1984, is read as text."""

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
        """A Prefect server on PostgreSQL cannot store NUL."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("it contains a NUL character")
        return value


def _usual_seconds(schema: dict[str, Any]) -> None:
    """Like `plain_fields`, without a default for the seconds."""
    plain_fields(schema)
    del schema["properties"]["seconds"]["default"]


class Transition(FilmPart):
    """The transition from one shot to the next."""

    model_config = ConfigDict(json_schema_extra=_usual_seconds)

    kind: Literal["cut", "crossfade"] = Field(default="cut", title="Kind", description="cut or crossfade.")
    seconds: FadeSeconds = Field(
        default=0,
        title="Seconds",
        description="Length of a crossfade in seconds. Both shots are visible then, so the film gets shorter by it.",
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
            if isinstance(seconds, int | float) and seconds < 0:
                raise ValueError(_TOO_SHORT)
            data = {**given, "kind": "crossfade", "seconds": seconds}
        return without_nulls(data) if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _seconds_belong_to_a_crossfade(self) -> Self:
        if self.kind == "cut" and self.seconds:
            raise ValueError("a cut has no seconds: write crossfade, or leave out the seconds")
        if self.kind == "crossfade" and not self.seconds:
            if "seconds" in self.model_fields_set:
                raise ValueError(_TOO_SHORT)
            object.__setattr__(self, "seconds", USUAL_CROSSFADE)
        return self


class Audio(FilmPart):
    """The sound of a shot, apart from the music of the film."""

    own: Literal["keep", "mute"] = Field(
        default="keep", title="Own Sound", description="keep or mute the sound that the model generated."
    )
    narration: MediaText | None = Field(
        default=None,
        title="Narration",
        description="An audio file that starts with the shot: a file, link or s3:// address.",
    )

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, data: Any) -> Any:
        return {"own": data.strip().lower()} if isinstance(data, str) else data
