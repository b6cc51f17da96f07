"""What a run reports about a film at its end: its shots, as in any run, and the film."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from together_video.ledger.names import Key
from together_video.ledger.records import Usd
from together_video.ledger.summary import Summary
from together_video.money import usd, usd_number


class FilmOutcome(BaseModel):
    """The film in the archive. Seconds, pixels, bytes, US dollars."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The film's id in the archive.")
    title: str = Field(description="The title of the film.")
    key: Key = Field(description="Its key in the bucket, or its path below the folder.")
    uri: str = Field(description="Where it is: `s3://bucket/key` or `file:///folder/key`.")
    poster: Key | None = Field(default=None, description="The key or path of its poster, if it has one.")
    file: str | None = Field(default=None, description="Where a copy on this machine is.")
    sha256: str = Field(description="The file's SHA-256, in hexadecimal.")
    size: int = Field(ge=0, le=2**53, description="The file's size in bytes.")
    seconds: float = Field(description="Its length in seconds.")
    width: int = Field(description="Width in pixels.")
    height: int = Field(description="Height in pixels.")
    cost_usd: Usd = Field(default=Decimal(0), description="What its shots cost, whichever run paid.")
    is_new: bool = Field(description="Whether this run joined it. Otherwise it existed already.")
    words: str = Field(default="", description="The film in a few words.")
    notes: tuple[str, ...] = Field(default=(), description="Remarks about how it was made.")


class ShownShot(BaseModel):
    """A shot of the film, and the purchase that it comes from."""

    model_config = ConfigDict(frozen=True)

    shot: int = Field(description="The shot's number.")
    title: str = Field(description="Its name, or the beginning of its prompt.")
    take: int = Field(description="The number of the take that the film shows.")
    id: str = Field(description="The purchase's id in the archive; shots with the same clip have the same.")


class Retake(BaseModel):
    """A further take of a shot, beside the one that the film shows."""

    model_config = ConfigDict(frozen=True)

    shot: int = Field(description="The shot's number.")
    take: int = Field(description="The take's number. `use` in the storyboard puts it into the film.")
    id: str = Field(description="The purchase's id in the archive.")
    uri: str | None = Field(default=None, description="Where it is, once it is in the archive.")


class FilmSummary(Summary):
    """A row for each shot, in the film's order, then one for each retake, and the film."""

    film: FilmOutcome | None = Field(default=None, description="The film. None if it could not be made.")
    shots: tuple[ShownShot, ...] = Field(default=(), description="The shots, in the film's order.")
    retakes: tuple[Retake, ...] = Field(default=(), description="Further takes that the film does not show.")
    problem: str | None = Field(default=None, description="Why there is no film.")
    may_pass: bool = Field(
        default=False,
        exclude=True,
        description="Whether joining the same shots later can work: the problem lies in the machine or the archive.",
    )

    @property
    def is_good(self) -> bool:
        """Whether the film, every shot and every retake exist."""
        return self.film is not None and super().is_good

    @property
    def sentence(self) -> str:
        """The shots as in any run, and what became of the film."""
        shots = super().sentence
        if self.film is None:
            return f"{shots}; no film{f': {self.problem}' if self.problem else ''}".rstrip(".")
        how = "was joined" if self.film.is_new else "existed already"
        return f"{shots}; the film {how}, {self.film.words}, {usd(self.film.cost_usd)} in all"

    def as_json(self) -> dict[str, Any]:
        document = super().as_json()
        film = None
        if self.film is not None:
            film = {**self.film.model_dump(mode="json"), "cost_usd": usd_number(self.film.cost_usd)}
        retakes = [one.model_dump(mode="json") for one in self.retakes]
        shots = [one.model_dump(mode="json") for one in self.shots]
        return {"film": film, "problem": self.problem, "shots": shots, "retakes": retakes, **document}
