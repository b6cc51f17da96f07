"""What a film is cut from: the pieces in order, their transitions, sound, captions and encoding."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: A side of the film's pictures, in pixels. Even, because H.264 halves both sides for colour.
Side = Annotated[int, Field(ge=16, le=8192, multiple_of=2)]
#: The factor behind NTSC's rounded frame rates: 23.976, 29.97, 59.94.
_NTSC = Fraction(1000, 1001)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Part):
    """One clip of the film."""

    path: Path = Field(description="The clip: MP4, WEBM or another video file.")
    sound: bool = Field(default=True, description="Whether the clip's own sound is used.")
    narration: Path | None = Field(
        default=None, description="A sound file that starts with this piece and may last longer."
    )
    caption: str = Field(default="", max_length=2000, description="The caption during this piece.")
    crossfade: float = Field(
        default=0,
        ge=0,
        le=30,
        description="Seconds in which the piece before fades into this one. 0 is a cut.",
    )
    repeats_first: bool = Field(
        default=False,
        description="Whether its first frame is the last frame of the piece before. One of the two is left out.",
    )


class Music(_Part):
    """Music behind the whole film."""

    path: Path = Field(description="A sound file.")
    loop: bool = Field(default=True, description="Whether it starts again if it is shorter than the film.")
    gain_db: float = Field(default=-6, ge=-60, le=12, description="Gain in dB. 0 leaves it as it is.")
    duck_db: float = Field(
        default=-12,
        ge=-60,
        le=0,
        description="How much quieter it gets while a piece has sound or narration, in dB.",
    )
    fade: float = Field(
        default=1, ge=0, le=30, description="Seconds of its fade-in at the start and its fade-out at the end."
    )


class Cut(_Part):
    """A film, from its pieces to its encoding. Equal cuts of equal files give equal films, byte for byte."""

    pieces: tuple[Piece, ...] = Field(min_length=1, max_length=1000, description="The pieces, in order.")
    width: Side | None = Field(default=None, description="Width in pixels. By default that of most frames.")
    height: Side | None = Field(default=None, description="Height in pixels. By default that of most frames.")
    fps: float | None = Field(
        default=None, ge=1, le=240, description="Frames per second. By default that of most frames."
    )
    crf: float = Field(
        default=18, ge=0, le=51, description="Quality of encoded frames: 0 is lossless, 51 the worst."
    )
    preset: Literal[
        "ultrafast",
        "superfast",
        "veryfast",
        "faster",
        "fast",
        "medium",
        "slow",
        "slower",
        "veryslow",
    ] = Field(default="medium", description="How much time the encoder may take to make the file smaller.")
    fade_in: float = Field(default=0, ge=0, le=30, description="Seconds of the fade from black at the start.")
    fade_out: float = Field(default=0, ge=0, le=30, description="Seconds of the fade to black at the end.")
    music: Music | None = None
    captions: Literal["none", "vtt", "track", "burned"] = Field(
        default="none",
        description="`vtt`: a file beside the film (`captions.webvtt`). `track`: a track that players can switch on. "
        "`burned`: drawn into the pictures, which have to be encoded.",
    )

    @model_validator(mode="after")
    def _begins_with_no_other(self) -> Cut:
        first = self.pieces[0]
        if first.crossfade or first.repeats_first:
            raise ValueError("the first piece has no piece before it: no crossfade, and no frame to repeat")
        return self

    @property
    def rate(self) -> Fraction | None:
        """Frames per second as a fraction; 29.97 is 30000/1001."""
        if self.fps is None:
            return None
        near = round(self.fps / float(_NTSC))
        if self.fps != round(self.fps) and abs(self.fps - float(near * _NTSC)) < 0.005:
            return near * _NTSC
        return Fraction(self.fps).limit_denominator(1001)
