"""The result of a cut: the plan, before anything is made, and the finished film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedPiece(_Facts):
    """One piece in the film. Frames count at the film's rate, from 0. Those of a crossfade belong to both pieces."""

    path: Path
    first_frame: int = Field(ge=0, description="The film's frame at which it starts.")
    start: float = Field(ge=0, description="When it starts, in seconds of the film.")
    frames: int = Field(ge=1, description="How many of its frames are shown.")
    skipped: int = Field(ge=0, description="How many of its frames are left out at its start.")
    copied: int = Field(ge=0, description="How many frames are copied, packet by packet.")
    crossfade: int = Field(ge=0, description="Frames of the crossfade into it.")
    until: int = Field(ge=1, description="The film's frame at which the next piece starts, or all frames.")
    has_sound: bool = Field(description="Whether it has sound of its own that is used.")
    why: tuple[str, ...] = Field(default=(), max_length=10, description="Why some of its frames are encoded.")

    @property
    def encoded(self) -> int:
        """How many frames are not copied."""
        return self.frames - self.copied


class JoinPlan(_Facts):
    """How the film is made. `seconds` is its length, and `rate` its frames per second as a fraction."""

    width: int = Field(ge=2, le=16384)
    height: int = Field(ge=2, le=16384)
    rate: str = Field(pattern=r"^\d{1,10}/\d{1,10}$")
    frames: int = Field(ge=1)
    seconds: float = Field(ge=0)
    codec: Literal["h264", "hevc"]
    sound: Literal["none", "copied", "encoded"]
    sound_why: str | None = Field(default=None, max_length=500, description="Why the sound is encoded.")
    pieces: tuple[PlannedPiece, ...]

    @property
    def fps(self) -> Fraction:
        return Fraction(self.rate)

    @property
    def copied(self) -> tuple[int, ...]:
        """The pieces that are copied entirely, counted from 1."""
        return tuple(number for number, one in enumerate(self.pieces, start=1) if not one.encoded)

    @property
    def encoded(self) -> tuple[int, ...]:
        """The pieces with frames that are encoded, counted from 1."""
        return tuple(number for number, one in enumerate(self.pieces, start=1) if one.encoded)


class JoinedFilm(JoinPlan):
    """A finished film: `size` in bytes, `sha256` in hexadecimal digits, and remarks."""

    path: Path
    size: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    notes: tuple[str, ...] = ()
