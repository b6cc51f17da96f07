"""One shot as it is planned: its request, its price, and what its clip should be like."""

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
    """One shot with its request, its findings, its price, and what its clip should be like.

    `chain` counts the runs of shots that are made from each other, from 1. In the `request` of a shot that is made from
    the one before, a reference stands for what is not there yet. `seconds`, `size` and `fps` are None where no document
    tells. `key` is equal for shots that are made alike, so that one clip serves for both: `same_as` is the first such
    shot of the film.
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
        """A few words for people: the shot's name, else those of its prompt or its caption."""
        words = self.shot.name or self.shot.prompt or self.shot.caption or self.request.title
        return one_line(words[:1000], 60)
