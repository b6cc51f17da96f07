"""What an event about a film asks for: its payload as one JSON text."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from together_video.film.reading import storyboard_of
from together_video.film.storyboard import Storyboard
from together_video.film.writing.briefs import StoryBrief
from together_video.inputs.events import payload_object
from together_video.validation_messages import validated


class FilmOrder(BaseModel):
    """A storyboard or a brief for one, with its options. Other parts of the payload are ignored."""

    model_config = ConfigDict(frozen=True)

    storyboard: Storyboard | None = None
    brief: StoryBrief | None = None
    settings: dict[str, JsonValue] | None = None
    edition: str | None = None
    budget_usd: Decimal | None = Field(default=None, gt=0)


def read_film_event(payload: str) -> FilmOrder:
    """The payload of an event, from its JSON.

    Example:
        >>> read_film_event('{"storyboard": {"title": "Foxes", "shots": ["a fox"]}}').storyboard.title
        'Foxes'

    Raises:
        InputError: it is not a JSON object, is too long, or has a part that cannot be used; says which.
    """
    value = payload_object(payload)
    board = value.pop("storyboard", None)
    order = validated(FilmOrder, value, "The event's payload")
    if board is None:
        return order
    return order.model_copy(update={"storyboard": storyboard_of(board, "The event's storyboard")})
