"""One planned shot: its request, its price, and the expected form of its clip."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from together_video.catalogue.findings import Finding
from together_video.catalogue.pricing import Estimate
from together_video.catalogue.sizes import Size
from together_video.film.shots import Shot
from together_video.requests import VideoRequest
from together_video.text import one_line


class PlannedShot(BaseModel):
    """One shot with its request, its findings, its price, and the expected form of its clip.

    `chain` is the number of the chain that the shot belongs to, counted from 1. In the `request` of a shot that is made
    from the one before, a reference stands for the missing frame or clip. `seconds`, `size` and `fps` are None if the
    documentation does not state them. Shots that are made alike have an equal `key` and share one clip: `same_as` is
    the first such shot of the film.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    shot: Shot
    request: VideoRequest
    findings: tuple[Finding, ...]
    estimate: Estimate
    chain: int
    key: str
    same_as: int | None = None
    seconds: Decimal | None
    size: Size | None
    fps: int | None

    @property
    def title(self) -> str:
        """A few words for people: the shot's name, otherwise the start of its prompt or its caption."""
        words = self.shot.name or self.shot.prompt or self.shot.caption or self.request.title
        return one_line(words[:1000], 60)
