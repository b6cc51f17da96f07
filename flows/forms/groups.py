"""The optional groups of the forms: settings that most people leave alone.

A field has a default if possible, because Prefect shows buttons for a field that can also be null. A field that is left
at its default has no effect. Any other value replaces the parameter of the same name, and must not contradict it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from prefect_together_video.flows.forms.choices import Adherence, Quality
from prefect_together_video.flows.forms.fields import Details, Request, Settings
from prefect_together_video.flows.forms.form import Amount, Money
from prefect_together_video.tasks.session.run_policy import MEANING, OnAmbiguous
from together_video.inputs.presets import Presets
from together_video.inputs.text_lists import Lines
from together_video.json_schema import plain_fields
from together_video.tries import MOST_ATTEMPTS, MOST_FALLBACKS


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields, title="More")


class _Terms(_Group):
    """How a video is bought, and when again."""

    edition: str = Field(default="once", description=MEANING["edition"])
    attempts: int = Field(default=1, ge=1, le=MOST_ATTEMPTS, description=MEANING["attempts"])
    new_seed: bool = Field(default=False, description=MEANING["new_seed"])
    fallback_models: tuple[str, ...] = Field(
        default=(), max_length=MOST_FALLBACKS, description=MEANING["fallback_models"]
    )
    on_ambiguous: OnAmbiguous = Field(default="hold", description=MEANING["on_ambiguous"])
    strict: bool = Field(default=False, description=MEANING["strict"])


class _Look(_Group):
    """How a video looks, in words."""

    quality: Quality = Field(default="default", description=Presets.model_fields["quality"].description)
    adherence: Adherence = Field(default="default", description=Presets.model_fields["adherence"].description)


class VideoMore(_Terms, _Look):
    """The optional group of generate-video."""

    details: Details = Field(default={}, description="More fields of the request, as the API takes them.")
    shape: str = Field(default="", description=Presets.model_fields["aspect"].description)
    retry_failed: bool = Field(default=False, description=MEANING["retry_failed"])
    price_usd: Money = Field(default=None, description=MEANING["price_usd"])


class InboxMore(_Terms):
    """The optional group of watch-inbox."""

    in_flight: int = Field(default=20, ge=1, le=1000, description=MEANING["in_flight"])
    workers: int = Field(default=1, ge=1, le=100, description=MEANING["workers"])


class FilmMore(_Terms):
    """The optional group of generate-film."""

    settings: Settings | None = Field(
        default=None,
        description="Request fields for every shot of the storyboard that is written from the brief.",
    )
    file: str = Field(
        default="",
        description="Instead of a brief or a storyboard: a YAML or JSON file on the machine that runs this.",
    )
    in_flight: int = Field(default=20, ge=1, le=1000, description=MEANING["in_flight"])
    retry_failed: bool = Field(default=False, description=MEANING["retry_failed"])
    price_usd: Money = Field(default=None, description=MEANING["price_usd"])
    approve_hours: float = Field(default=168, gt=0, le=8760, description=MEANING["approve_hours"])


class BatchMore(_Terms, _Look):
    """The optional group of generate-batch."""

    other_model: str = Field(
        default="", max_length=200, description="API name of a model that is not in the list above."
    )
    settings: Settings | None = Field(
        default=None, description="Request fields for each prompt of the brief or line of the file."
    )
    file: str = Field(
        default="",
        description="Instead of a subject: a JSONL, CSV, JSON or text file on the machine that runs this.",
    )
    lines: Lines = Field(
        default="checked",
        description="How to split a text file into prompts: checked lines, lines as they are, or paragraphs.",
    )
    requests: tuple[Request, ...] = Field(
        default=(), description="Instead of a subject: the requests, as the API takes them."
    )
    language: str = Field(default="English", description="The language that the prompts are written in.")
    negative_prompts: bool = Field(
        default=False, description="Also write a negative prompt for each video, if the model takes one."
    )
    chat_model: str = Field(
        default="", max_length=200, description="API name of the model that writes the prompts."
    )
    in_flight: int = Field(default=20, ge=1, le=1000, description=MEANING["in_flight"])
    workers: int = Field(default=1, ge=1, le=100, description=MEANING["workers"])
    retry_failed: bool = Field(default=False, description=MEANING["retry_failed"])
    price_usd: Money = Field(default=None, description=MEANING["price_usd"])
    approve_hours: float = Field(default=168, gt=0, le=8760, description=MEANING["approve_hours"])
    share_days: Amount = Field(default=None, le=7, description=MEANING["share_days"])
