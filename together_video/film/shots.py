"""One shot of a storyboard: what it shows, how it follows the shot before, and what is heard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from together_video.film.fields import (
    REQUEST_FIELDS,
    FadeSeconds,
    MediaText,
    problems_in,
)
from together_video.inputs.lines import MOST_TAKES
from together_video.json_schema import in_order, plain_fields
from together_video.requests import MAX_PROMPT, SecondsText

#: Seconds of a crossfade whose length nobody gave.
USUAL_CROSSFADE = 0.5
_TAKE = re.compile(r"(?:take\s*)?([0-9]{1,5})", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w-]{0,39}")


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
        # A form sends null for what was not filled in.
        return (
            {name: value for name, value in data.items() if value is not None}
            if isinstance(data, Mapping)
            else data
        )

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


def _take(value: object) -> object:
    if isinstance(value, str) and (found := _TAKE.fullmatch(value.strip())):
        return int(found[1])
    return value


#: A shot's fields as a form shows them: what people need first. Its settings, which a form cannot leave out, would
#: make it three times as long; those of the film stand under its defaults.
_SHOWN = (
    "prompt",
    "continue",
    "seconds",
    "caption",
    "transition",
    "model",
    "seed",
    "name",
    "from",
    "to",
    "extend",
    "audio",
    "use",
)


def _first_fields(schema: dict[str, Any]) -> None:
    """As `plain_fields`; what stands beside these is checked when it is read."""
    plain_fields(schema)
    in_order(schema, _SHOWN, only=True)
    schema["additionalProperties"] = True
    # Without seconds: a form would offer 0, which no crossfade takes.
    schema["properties"]["transition"]["default"] = {"kind": "cut"}


class Shot(FilmPart):
    """One shot. Request fields may stand beside these names, and are kept in `settings`."""

    model_config = ConfigDict(json_schema_extra=_first_fields)

    name: str | None = Field(
        default=None,
        title="Name",
        description="A word of your own to call the shot by, such as harbour.",
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_PROMPT,
        title="Prompt",
        description="What the shot shows. The model sees no other shot: name people, places and light each time.",
    )
    seconds: SecondsText | None = Field(
        default=None, title="Seconds", description="Length of the shot in seconds; else that of the defaults."
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        title="Model",
        description="The video model's API name; else that of the defaults.",
    )
    seed: int | None = Field(
        default=None,
        title="Seed",
        description="The same seed gives the same video; else that of the defaults.",
    )
    settings: dict[str, JsonValue] = Field(
        default={}, title="Settings", description="Other request fields of this shot, such as resolution."
    )
    continues: bool = Field(
        default=False,
        alias="continue",
        title="Continue",
        description="Begin with the last frame of the shot before.",
    )
    extend: bool = Field(
        default=False,
        title="Extend",
        description="Give the model the whole shot before to continue from, where it takes frame_videos.",
    )
    first: MediaText | None = Field(
        default=None,
        alias="from",
        title="From",
        description="An image of your own for the first frame: a file, link, s3:// address or data URL.",
    )
    last: MediaText | None = Field(
        default=None,
        alias="to",
        title="To",
        description="An image of your own for the last frame: a file, link, s3:// address or data URL.",
    )
    transition: Transition = Field(
        default=Transition(),
        title="Transition",
        description="How the shot before goes over into this one.",
    )
    caption: str | None = Field(
        default=None, max_length=500, title="Caption", description="Text that is shown during the shot."
    )
    audio: Audio = Field(default=Audio(), title="Audio", description="What is heard during the shot.")
    use: Annotated[int | None, BeforeValidator(_take)] = Field(
        default=None,
        ge=1,
        le=MOST_TAKES,
        title="Use",
        description="Which take of the shot the film is cut from; take 1 if nothing is said.",
    )

    @model_validator(mode="before")
    @classmethod
    def _request_fields_are_settings(cls, data: Any) -> Any:
        """What stands beside the shot's own names is a request field, or the short form of a transition."""
        if isinstance(data, str):
            return {"prompt": data}
        if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
            return data
        fields = dict(data)
        if "crossfade" in fields:
            if fields.get("transition") is not None:
                raise ValueError("transition and crossfade: give one of them")
            fields["transition"] = {"crossfade": fields.pop("crossfade")}
        # A form sends null for what was not filled in.
        own = {name: value for name, value in fields.items() if name in SHOT_NAMES and value is not None}
        beside = {name: value for name, value in fields.items() if name not in SHOT_NAMES}
        if not beside:
            return own
        settings = own.get("settings") or {}
        if not isinstance(settings, Mapping):
            return own
        if twice := sorted(settings.keys() & beside.keys()):
            raise ValueError(f"{', '.join(twice)}: given in the shot and in its settings")
        return {**own, "settings": {**settings, **beside}}

    @field_validator("prompt")
    @classmethod
    def _prompt_says_something(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("the prompt is empty: say what the shot shows")
        return value

    @field_validator("name", mode="before")
    @classmethod
    def _name_is_a_word(cls, value: Any) -> Any:
        if value == "":  # a form's field that was emptied
            return None
        if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
            raise ValueError(
                "a name is one word that begins with a letter: letters, digits, _ and -, 40 at most"
            )
        return value

    @field_validator("settings")
    @classmethod
    def _settings_are_usable(cls, value: dict[str, Any]) -> dict[str, Any]:
        own = sorted(value.keys() & SHOT_NAMES)
        problems = [f"{name}: write it in the shot itself, not in its settings" for name in own]
        rest = {name: given for name, given in value.items() if name not in own and given is not None}
        # What stands in the shot itself may be meant for one of its own names, too.
        known = (*sorted(SHOT_NAMES - {"settings", "continues", "first", "last"}), *REQUEST_FIELDS)
        if problems := [*problems, *problems_in(rest, known)]:
            raise ValueError("; ".join(problems))
        return rest

    @model_validator(mode="after")
    def _nothing_contradicts(self) -> Self:
        problems = []
        if self.continues and self.extend:
            problems.append("continue and extend: give one of them")
        if self.first is not None and (self.continues or self.extend):
            said = "continue" if self.continues else "extend"
            problems.append(f"{said} and from: the first frame is either that of the shot before or your own")
        media = self.settings.get("media")
        if self.extend and isinstance(media, Mapping) and media.get("frame_videos"):
            problems.append("extend and media.frame_videos: the clip is either the shot before or your own")
        if self.prompt is None and not (self.first or self.last or self.continues or self.extend or media):
            problems.append("prompt: is missing, and no image or video is given instead of it")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def is_chained(self) -> bool:
        """Whether it is made from the shot before."""
        return self.continues or self.extend

    @property
    def take(self) -> int:
        """The take that the film is cut from."""
        return self.use or 1


#: The names of a shot's fields in a file.
SHOT_NAMES = frozenset(
    {*Shot.model_fields, *(field.alias for field in Shot.model_fields.values() if field.alias)}
)
