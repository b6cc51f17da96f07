"""The rows of a gallery, one for each card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from together_video.gallery.film import InFilm
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.ledger.summary import VideoOutcome


class GalleryRow(BaseModel):
    """One card: the outcome of the video, and its record, or at least its plan, if there is one.

    `mark` and `note` are what reviewers have said about it so far. `in_film` is its place in the film of the page.
    """

    model_config = ConfigDict(frozen=True)

    outcome: VideoOutcome
    record: VideoRecord | None = None
    plan: VideoPlan | None = None
    mark: Literal["star", "reject"] | None = None
    note: str = ""
    in_film: InFilm | None = None

    @property
    def made_by(self) -> VideoPlan | None:
        """The plan that the video was, or will be, bought with."""
        return self.record.plan if self.record else self.plan


def marked(row: GalleryRow, marks: Mapping[str, Mark]) -> GalleryRow:
    """The row with the current mark of its video, if there is one."""
    mark = marks.get(row.outcome.id)
    return row if mark is None else row.model_copy(update={"mark": mark.mark, "note": mark.note})
