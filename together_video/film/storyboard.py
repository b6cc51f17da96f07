"""A storyboard: the shots of a film in order, what they have in common, and how they are cut together."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from together_video.film.fields import FadeSeconds, Line, MediaText, Settings, without_nulls
from together_video.film.shot_parts import FilmPart
from together_video.film.shots import Shot

#: Most shots of a film, and most reference images for all of them.
MOST_SHOTS, MOST_REFERENCES = 200, 30

_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Decibels = Annotated[float, Field(ge=-60, le=20, allow_inf_nan=False)]


class Captions(StrEnum):
    """Where the captions of the shots go."""

    NONE = "none"
    VTT = "vtt"
    TRACK = "track"
    BURNED = "burned"


class Look(FilmPart):
    """What all shots have in common. The model sees one shot at a time, so every request repeats it."""

    style: _Words | None = Field(
        default=None,
        title="Style",
        description="Look, mood and light of the film. It is added to the prompt of every shot.",
    )
    negative_prompt: _Words | None = Field(
        default=None,
        title="Negative Prompt",
        description="What to avoid in every shot. Sent to models that are documented to take one.",
    )
    reference_images: tuple[MediaText, ...] = Field(
        default=(),
        max_length=MOST_REFERENCES,
        title="Reference Images",
        description="Images of a person, a thing or a style to keep in every shot, if its model takes them.",
    )


class Music(FilmPart):
    """Music under the whole film."""

    file: MediaText = Field(title="File", description="An audio file, a link or an s3:// address.")
    loop: bool = Field(
        default=True, title="Loop", description="Start it again if it is shorter than the film."
    )
    gain_db: Decibels = Field(
        default=-12, title="Gain (dB)", description="Gain in decibels. 0 leaves the music as it is."
    )
    duck_db: Annotated[float, Field(ge=-60, le=0, allow_inf_nan=False)] = Field(
        default=-9,
        title="Duck (dB)",
        description="How much softer the music gets during speech, in decibels.",
    )
    fade: FadeSeconds = Field(
        default=2, title="Fade", description="Seconds of its fade-out at the end of the film."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data


class Cut(FilmPart):
    """How the shots become one film."""

    width: int | None = Field(
        default=None,
        ge=16,
        le=8192,
        title="Width",
        description="Width in pixels. By default that of the shots.",
    )
    height: int | None = Field(
        default=None,
        ge=16,
        le=8192,
        title="Height",
        description="Height in pixels. By default that of the shots.",
    )
    fps: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] | None = Field(
        default=None, title="FPS", description="Frames per second. By default that of the shots."
    )
    crf: int = Field(
        default=18,
        ge=0,
        le=51,
        title="CRF",
        description="Quality of what is encoded again: a lower number gives better quality and larger files.",
    )
    preset: Literal[
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
    ] = Field(default="medium", title="Preset", description="Slower gives smaller files of the same quality.")
    fade_in: FadeSeconds = Field(
        default=0, title="Fade In", description="Seconds of the fade from black at the start."
    )
    fade_out: FadeSeconds = Field(
        default=0, title="Fade Out", description="Seconds of the fade to black at the end."
    )
    music: Music | None = Field(default=None, title="Music", description="Music under the whole film.")
    captions: Captions = Field(
        default=Captions.VTT,
        title="Captions",
        description="Captions of the shots: none, vtt (a file beside the film), track (in the film; viewers switch it "
        "on) or burned (into the picture).",
    )

    @model_validator(mode="after")
    def _size_is_whole(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("width and height: give both, or neither")
        if self.width and self.height and (self.width % 2 or self.height % 2):
            raise ValueError(f"{self.width}x{self.height}: width and height of a film must be even numbers")
        return self


class Storyboard(FilmPart):
    """A film before it is made."""

    title: Line = Field(title="Title", description="What the film is called.")
    look: Look = Field(default=Look(), title="Look", description="What all shots have in common.")
    defaults: Settings = Field(
        default={},
        title="Defaults",
        description="Request fields for every shot that does not set them itself, such as model and seconds.",
    )
    shots: tuple[Shot, ...] = Field(
        min_length=1, max_length=MOST_SHOTS, title="Shots", description="The shots in the order of the film."
    )
    cut: Cut = Field(default=Cut(), title="Cut", description="How the shots become one film.")

    @field_validator("title")
    @classmethod
    def _title_is_one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("it must be one line of printable text")
        return value

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_said(cls, data: Any) -> Any:
        return without_nulls(data) if isinstance(data, dict) else data

    @field_validator("shots")
    @classmethod
    def _shots_go_together(cls, shots: tuple[Shot, ...]) -> tuple[Shot, ...]:
        problems = []
        first = shots[0] if shots else None
        if first is not None and first.is_chained:
            said = "continue" if first.continues else "extend"
            problems.append(f"Shot 1: {said}: there is no shot before it")
        if first is not None and first.transition.kind != "cut":
            problems.append("Shot 1: transition: there is no shot before it; cut.fade_in fades the film in")
        named: dict[str, int] = {}
        for number, shot in enumerate(shots, 1):
            if shot.name is None:
                continue
            other = named.setdefault(shot.name.casefold(), number)
            if other != number:
                problems.append(f'Shot {number}: name: "{shot.name}" is the name of shot {other}')
        if problems:
            raise ValueError("; ".join(problems))
        return shots

    def canonical(self) -> str:
        """The storyboard as JSON text with sorted keys, without defaults. Equal storyboards give equal texts."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
