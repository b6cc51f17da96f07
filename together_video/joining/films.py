"""What becomes of a cut: the plan, before anything is made, and the film that was made by it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedPiece(_Facts):
    """One piece in the film. Frames are counted at the film's rate, from 0; those of a crossfade belong to both."""

    path: Path
    first_frame: int = Field(ge=0, description="The film's frame with which it begins.")
    start: float = Field(ge=0, description="Seconds of the film at which it begins.")
    frames: int = Field(ge=1, description="Its frames that are shown.")
    skipped: int = Field(ge=0, description="Its own frames that are left out at its beginning.")
    copied: int = Field(ge=0, description="Frames whose packets are copied as they are.")
    crossfade: int = Field(ge=0, description="Frames that the crossfade into it takes.")
    until: int = Field(ge=1, description="The film's frame with which the next piece begins, or all frames.")
    has_sound: bool = Field(description="Whether it has sound of its own that is heard.")
    why: tuple[str, ...] = Field(default=(), max_length=10, description="Why frames of it are encoded.")

    @property
    def encoded(self) -> int:
        """Frames that are not copied."""
        return self.frames - self.copied


class JoinPlan(_Facts):
    """How the film is made. `seconds` is its length, `rate` its frames per second as a fraction."""

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
        """The pieces all of whose packets are copied, from 1."""
        return tuple(number for number, one in enumerate(self.pieces, start=1) if not one.encoded)

    @property
    def encoded(self) -> tuple[int, ...]:
        """The pieces some or all of whose frames are encoded, from 1."""
        return tuple(number for number, one in enumerate(self.pieces, start=1) if one.encoded)


class JoinedFilm(JoinPlan):
    """A film that was made: `size` in bytes, `sha256` in hexadecimal digits, and what is worth a note."""

    path: Path
    size: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    notes: tuple[str, ...] = ()
