"""What a run has to say of a film at its end: the shots as any run has them, and the film."""

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
    title: str = Field(description="What it is called.")
    key: Key = Field(description="Its key in the bucket, or its path below the folder.")
    uri: str = Field(description="Where it is: `s3://bucket/key` or `file:///folder/key`.")
    poster: Key | None = Field(default=None, description="The key or path of its poster, if it has one.")
    file: str | None = Field(default=None, description="Where a copy of it is on this machine.")
    sha256: str = Field(description="The file's SHA-256, in hexadecimal.")
    size: int = Field(ge=0, le=2**53, description="The file's size in bytes.")
    seconds: float = Field(description="How long it plays.")
    width: int = Field(description="Width in pixels.")
    height: int = Field(description="Height in pixels.")
    cost_usd: Usd = Field(default=Decimal(0), description="What its shots have cost, whichever run paid.")
    is_new: bool = Field(description="Whether this run has joined it; else it was there.")
    words: str = Field(default="", description="The film in a few words.")
    notes: tuple[str, ...] = Field(default=(), description="What is worth a note about its making.")


class ShownShot(BaseModel):
    """A shot of the film, and the purchase that it is cut from."""

    model_config = ConfigDict(frozen=True)

    shot: int = Field(description="The shot's number.")
    title: str = Field(description="Its name, or the beginning of its prompt.")
    take: int = Field(description="The number of the take that the film shows.")
    id: str = Field(description="The purchase's id in the archive; shots with the same clip have the same.")


class Retake(BaseModel):
    """A further take of a shot, beside the one that the film shows."""

    model_config = ConfigDict(frozen=True)

    shot: int = Field(description="The shot's number.")
    take: int = Field(description="The number of the take: `use` in the storyboard puts it into the film.")
    id: str = Field(description="The purchase's id in the archive.")
    uri: str | None = Field(default=None, description="Where it is, once it is in the archive.")


class FilmSummary(Summary):
    """A row for each shot, in the film's order, and then one for each retake; and the film."""

    film: FilmOutcome | None = Field(default=None, description="The film; None where it could not be made.")
    shots: tuple[ShownShot, ...] = Field(default=(), description="The shots in the film's order.")
    retakes: tuple[Retake, ...] = Field(default=(), description="What was made beside the film.")
    problem: str | None = Field(default=None, description="Why there is no film.")
    may_pass: bool = Field(
        default=False,
        exclude=True,
        description="Whether the same shots may be joined later: the problem is the machine's or the archive's.",
    )

    @property
    def is_good(self) -> bool:
        """Whether the film is there, and every shot and retake."""
        return self.film is not None and super().is_good

    @property
    def sentence(self) -> str:
        """As of any run, and what became of the film."""
        shots = super().sentence
        if self.film is None:
            return f"{shots}; no film{f': {self.problem}' if self.problem else ''}".rstrip(".")
        how = "joined" if self.film.is_new else "was there already"
        return f"{shots}; the film {how}, {self.film.words}, {usd(self.film.cost_usd)} in all"

    def as_json(self) -> dict[str, Any]:
        document = super().as_json()
        film = None
        if self.film is not None:
            film = {**self.film.model_dump(mode="json"), "cost_usd": usd_number(self.film.cost_usd)}
        retakes = [one.model_dump(mode="json") for one in self.retakes]
        shots = [one.model_dump(mode="json") for one in self.shots]
        return {"film": film, "problem": self.problem, "shots": shots, "retakes": retakes, **document}
