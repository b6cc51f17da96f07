"""A brief: a person's order, before any prompt is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from together_video.errors import InputError, Spent
from together_video.json_schema import plain_fields
from together_video.validation_messages import validated

#: Writes the prompts unless the brief names another model. Among the small models with documented JSON output it has
#: open weights and many hosts, so a brief also works with other OpenAI-compatible services. A few prompts cost next to
#: nothing compared with a video.
DEFAULT_CHAT_MODEL = "openai/gpt-oss-120b"

#: Most prompts that one brief may ask for.
MAX_COUNT = 200

#: The subject of the brief in `deployments/prefect.yaml`, until somebody replaces it.
PLACEHOLDER = "REPLACE THIS with what your videos are about"

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Asked(BaseModel):
    """What briefs for videos and for films have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields)

    @field_validator("subject", "style", "language", "model", "chat_model", check_fields=False)
    @classmethod
    def _no_nul(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("it contains a NUL character")
        return value

    def canonical(self) -> str:
        """The brief as JSON text with sorted keys: equal briefs give equal text.

        Defaults are left out, so that a later version with another default (or a new field) still finds the stored and
        paid prompts.
        """
        asked = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Brief(Asked):
    """What the videos are about, how many to make, and in which style."""

    subject: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=1,
        max_length=4_000,
        title="Subject",
        description="What the videos are about. A sentence is enough; details make them more your own.",
    )
    count: int = Field(
        default=4, ge=1, le=MAX_COUNT, title="Count", description="How many different videos to make."
    )
    style: _Line | None = Field(
        default=None,
        title="Style",
        description="The look and mood that all videos share, such as: hand-drawn watercolour, calm.",
    )
    language: _Name = Field(
        default="English", title="Language", description="The language that the prompts are written in."
    )
    model: _Name | None = Field(
        default=None,
        title="Video model",
        description="The video model's API name. Without one, the catalogue's default is used.",
    )
    seconds: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        title="Seconds",
        description="Length of each video in seconds, so that no prompt describes more than fits.",
    )
    negative_prompts: bool = Field(
        default=False,
        title="Negative prompts",
        description="Also write a negative prompt for each video, if the video model is documented to take one.",
    )
    chat_model: _Name = Field(
        default=DEFAULT_CHAT_MODEL,
        title="Chat model",
        description="API name of the model that writes the prompts. It should support JSON answers.",
    )


def brief_id(brief: Brief, edition: str = "once") -> str:
    """The id of a brief's prompts in one edition: 24 hexadecimal digits of a SHA-256."""
    return hashlib.sha256(f"{brief.canonical()}\n{edition}".encode()).hexdigest()[:24]


def refuse_placeholder(brief: Brief) -> None:
    """Refuse the example brief of `prefect.yaml`, even if other fields were changed.

    Raises:
        InputError: its subject is still the placeholder.
    """
    if " ".join(brief.subject.split()).casefold() == PLACEHOLDER.casefold():
        raise InputError(
            "The brief is still the placeholder of prefect.yaml.",
            spent=Spent.NOTHING,
            remedy="Write what your videos are about into the `subject` of the deployment.",
        )


def make_brief(fields: Mapping[str, Any]) -> Brief:
    """A brief from its fields.

    Raises:
        InputError: all its problems, in one sentence.
    """
    return validated(Brief, dict(fields), "The brief")
