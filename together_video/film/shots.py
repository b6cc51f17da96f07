"""One shot of a storyboard: what it shows, and how it follows the shot before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from together_video.film.fields import REQUEST_FIELDS, MediaText, problems_in
from together_video.film.shot_parts import Audio, FilmPart, Transition
from together_video.inputs.lines import MOST_TAKES
from together_video.json_schema import in_order, plain_fields
from together_video.requests import MAX_PROMPT, SecondsText

_TAKE = re.compile(r"(?:take\s*)?([0-9]{1,5})", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d][\w-]{0,39}")


def _take(value: object) -> object:
    if isinstance(value, str) and (found := _TAKE.fullmatch(value.strip())):
        return int(found[1])
    return value


#: The fields of a shot that a form shows: what people need first. Its settings would make the form three times as long;
#: settings for the whole film are under its defaults.
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
    """Like `plain_fields`. Other fields are checked when they are read."""
    plain_fields(schema)
    in_order(schema, _SHOWN, only=True)
    schema["additionalProperties"] = True
    # Without seconds: a form would offer 0, which is not allowed for a crossfade.
    schema["properties"]["transition"]["default"] = {"kind": "cut"}


class Shot(FilmPart):
    """One shot. Request fields can stand beside these names. They are kept in `settings`."""

    model_config = ConfigDict(json_schema_extra=_first_fields)

    name: str | None = Field(
        default=None,
        title="Name",
        description="A short name for the shot, such as harbour.",
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_PROMPT,
        title="Prompt",
        description="What the shot shows. The model sees no other shot: describe people, places and light each time.",
    )
    seconds: SecondsText | None = Field(
        default=None,
        title="Seconds",
        description="Length of the shot in seconds. By default that of the film.",
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        title="Model",
        description="The video model's API name. By default that of the film.",
    )
    seed: int | None = Field(
        default=None,
        title="Seed",
        description="The same seed gives the same video. By default that of the film.",
    )
    settings: dict[str, JsonValue] = Field(
        default={}, title="Settings", description="Other request fields for this shot, such as resolution."
    )
    continues: bool = Field(
        default=False,
        alias="continue",
        title="Continue",
        description="Start with the last frame of the shot before.",
    )
    extend: bool = Field(
        default=False,
        title="Extend",
        description="Continue from the whole shot before, if the model takes frame_videos.",
    )
    first: MediaText | None = Field(
        default=None,
        alias="from",
        title="From",
        description="Your own image for the first frame: a file, link, s3:// address or data URL.",
    )
    last: MediaText | None = Field(
        default=None,
        alias="to",
        title="To",
        description="Your own image for the last frame: a file, link, s3:// address or data URL.",
    )
    transition: Transition = Field(
        default=Transition(),
        title="Transition",
        description="The transition from the shot before to this one.",
    )
    caption: str | None = Field(
        default=None, max_length=500, title="Caption", description="Text shown during the shot."
    )
    audio: Audio = Field(default=Audio(), title="Audio", description="The sound of the shot.")
    use: Annotated[int | None, BeforeValidator(_take)] = Field(
        default=None,
        ge=1,
        le=MOST_TAKES,
        title="Use",
        description="Which take of the shot the film shows. By default take 1.",
    )

    @model_validator(mode="before")
    @classmethod
    def _request_fields_are_settings(cls, data: Any) -> Any:
        """Other names are request fields, or the short form of a transition."""
        if isinstance(data, str):
            return {"prompt": data}
        if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
            return data
        fields = dict(data)
        if "crossfade" in fields:
            if fields.get("transition") is not None:
                raise ValueError("transition and crossfade: give one of them")
            fields["transition"] = {"crossfade": fields.pop("crossfade")}
        # A form sends null for fields that were not filled in.
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
            raise ValueError("the prompt is empty: describe what the shot shows")
        return value

    @field_validator("name", mode="before")
    @classmethod
    def _name_is_a_word(cls, value: Any) -> Any:
        if value == "":  # a form field that was cleared
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
        # A misspelled name in the shot can also be meant for one of the shot's own fields.
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
            problems.append(
                f"{said} and from: give one of them; the first frame comes from the shot before or from you"
            )
        media = self.settings.get("media")
        if self.extend and isinstance(media, Mapping) and media.get("frame_videos"):
            problems.append(
                "extend and media.frame_videos: give one of them; the clip is the shot before or your own"
            )
        if self.prompt is None and not (self.first or self.last or self.continues or self.extend or media):
            problems.append("prompt: is missing, and there is no image or video instead")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def is_chained(self) -> bool:
        """Whether this shot is made from the one before."""
        return self.continues or self.extend

    @property
    def take(self) -> int:
        """The take that the film shows."""
        return self.use or 1


#: The names of a shot's fields in a file.
SHOT_NAMES = frozenset(
    {*Shot.model_fields, *(field.alias for field in Shot.model_fields.values() if field.alias)}
)
