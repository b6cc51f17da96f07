"""The brief for a film: what a person asks for, before any shot is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from together_video.prompts.briefs import DEFAULT_CHAT_MODEL, Asked, Brief
from together_video.validation_messages import validated

#: Most shots that a chat model writes, and most seconds of the film.
MOST_WRITTEN, LONGEST_FILM = 60, 1_800

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class StoryBrief(Asked):
    """What the film is about, how many shots it has, how long it is, and its style."""

    subject: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=1,
        max_length=4_000,
        title="Subject",
        description="What the film is about: what happens, who is in it, where.",
    )
    shots: int | None = Field(
        default=None,
        ge=1,
        le=MOST_WRITTEN,
        title="Shots",
        description="How many shots. By default as many as the seconds need, or 6.",
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        le=LONGEST_FILM,
        allow_inf_nan=False,
        title="Seconds",
        description="Length of the film in seconds. By default that of its shots.",
    )
    style: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)] | None = (
        Field(
            default=None,
            title="Style",
            description="Look and mood, such as: hand-drawn watercolour, calm. By default the chat model chooses.",
        )
    )
    language: _Name = Field(
        default="English", title="Language", description="The language that the prompts are written in."
    )
    model: _Name | None = Field(
        default=None,
        title="Video model",
        description="The video model's API name. By default the catalogue's default.",
    )
    chat_model: _Name = Field(
        default=DEFAULT_CHAT_MODEL,
        title="Chat model",
        description="API name of the model that writes the storyboard. It should be able to answer in JSON.",
    )

    def as_brief(self) -> Brief:
        """The same as a brief for prompts, for what both have in common."""
        return Brief(
            subject=self.subject, style=self.style, language=self.language, chat_model=self.chat_model
        )


def story_id(brief: StoryBrief, edition: str = "once") -> str:
    """The id of a brief's storyboard in one edition: 24 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(f"storyboard\n{brief.canonical()}\n{edition}".encode()).hexdigest()[:24]


def make_story_brief(fields: Mapping[str, Any]) -> StoryBrief:
    """A brief from its fields.

    Raises:
        InputError: lists all its problems in one sentence.
    """
    return validated(StoryBrief, dict(fields), "The brief")
