"""What the archive keeps about a film: the film itself, the shots it was cut from, and the cut."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from together_video.ledger.names import Key, VideoId
from together_video.ledger.records import Moment, StoredObject, Usd
from together_video.text import counted

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class LastFrame(_Fact):
    """`films/frames/<sha256>.json`: which image is the last frame of the clip with this content."""

    clip: Sha256
    frame: Annotated[str, Field(pattern=r"^archive:media/[0-9a-f]{64}\.[a-z0-9]{2,5}$")]


class FilmShot(_Fact):
    """One shot of a film: the purchase that it comes from, and where it is in the film.

    `first_frame` and `clip_before` refer to what it was given from the shot before. `start` and `seconds` are seconds
    of the film. `encoded` counts the frames that were encoded again instead of copied.
    """

    number: int = Field(ge=1)
    title: str = Field(max_length=200)
    id: VideoId
    take: int = Field(ge=1)
    key: Key
    sha256: Sha256
    cost_usd: Usd | None = None
    first_frame: str | None = Field(default=None, max_length=200)
    clip_before: str | None = Field(default=None, max_length=200)
    start: float = Field(ge=0)
    seconds: float = Field(ge=0)
    encoded: int = Field(ge=0)


class FilmRecord(_Fact):
    """`films/<id>/film.json`: written last, so everything that it names exists."""

    id: VideoId
    title: str = Field(max_length=200)
    made_at: Moment
    video: StoredObject
    poster: StoredObject | None = None
    captions: StoredObject | None = None
    contact_sheet: StoredObject | None = None
    edit_list: StoredObject | None = None
    storyboard: StoredObject
    seconds: float = Field(ge=0)
    frames: int = Field(ge=1)
    rate: str = Field(pattern=r"^[1-9][0-9]{0,9}/[1-9][0-9]{0,9}$")
    width: int = Field(ge=1, le=16384)
    height: int = Field(ge=1, le=16384)
    codec: str = Field(max_length=20)
    shots: tuple[FilmShot, ...] = Field(min_length=1, max_length=200)
    cut: dict[str, JsonValue] = Field(default_factory=dict)
    notes: tuple[str, ...] = Field(default=(), max_length=100)

    @field_validator("shots")
    @classmethod
    def _shots_are_counted(cls, shots: tuple[FilmShot, ...]) -> tuple[FilmShot, ...]:
        if [one.number for one in shots] != list(range(1, len(shots) + 1)):
            raise ValueError("the shots are not numbered in order")
        return shots

    @property
    def files(self) -> list[StoredObject]:
        """Everything that it names, except the shots."""
        several = (
            self.video,
            self.poster,
            self.captions,
            self.contact_sheet,
            self.edit_list,
            self.storyboard,
        )
        return [one for one in several if one is not None]

    @property
    def cost_usd(self) -> Decimal:
        """What its shots cost, as the provider reported it. A clip that is shown twice counts once."""
        return sum({one.id: one.cost_usd or Decimal(0) for one in self.shots}.values(), Decimal(0))

    @property
    def fps(self) -> str:
        """Frames per second, as people write them."""
        above, below = map(int, self.rate.split("/"))
        return f"{above / below:.3f}".rstrip("0").rstrip(".")

    @property
    def sentence(self) -> str:
        """`12.4 s, 4 shots, 1280x720, 24 fps`"""
        shots = counted(len(self.shots), "shot")
        return f"{self.seconds:.1f} s, {shots}, {self.width}x{self.height}, {self.fps} fps"
