"""The storyboard of a brief as it is stored in the bucket."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief


class WrittenStoryboard(BaseModel):
    """`briefs/<id>.json`: the storyboard written from a brief in one edition, stored before it is used.

    `usage` holds the token counts that each answer reports, unchanged; `answers` holds the answers' ids.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    brief: StoryBrief
    edition: str = "once"
    chat_model: str
    storyboard: Storyboard
    created_at: datetime
    answers: tuple[str, ...] = ()
    usage: tuple[dict[str, JsonValue], ...] = ()
    problems: tuple[str, ...] = ()
