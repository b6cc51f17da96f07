"""How the sandbox behaves: prices, patience, formats, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from together_video.errors import ConfigurationError
from together_video.sandbox.faults import FaultRule

ChatFormat = Literal["json_schema", "json_schema_flat", "json_object", "text"]


class OtherUsage(BaseModel):
    """One line of the bill that is of no job of this sandbox: `at` in unix seconds, `cost` in USD."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float
    cost: float = Field(ge=0)
    quantity: float = Field(default=1, ge=0)
    product: str = "Serverless Inference - Video"
    model: str = ""
    key_id: str = ""


class SandboxConfig(BaseModel):
    """Everything that can be set. Times in seconds, prices in USD, sizes in pixels.

    Raises:
        pydantic.ValidationError: a value is out of bounds, or a name is unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: Literal["2025", "2026"] = Field(
        default="2026", description="Which generation of the answer format to speak."
    )
    api_keys: tuple[str, ...] = Field(
        default=(), description="Keys that are accepted. None listed: any key that is not empty."
    )
    models: tuple[str, ...] = Field(
        default=(), description="Models that are offered. None listed: those that the catalogue has on offer."
    )
    generation_seconds: float | tuple[float, float] = Field(
        default=3.0, description="How long a job takes: a number, or the low and high end of a range."
    )
    tells: frozenset[Literal["progress", "remaining", "queue"]] = Field(
        default=frozenset(),
        description="What a running job's answers say beside its status: the percentage that is done, the seconds "
        "that remain, the place in the queue. No document of the API has any of them.",
    )
    tells_factor: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="What a job tells is off by this factor: with 10, ten times the true time.",
    )
    seed: int = Field(default=0, description="Seeds all that is random here: durations, faults, wording.")
    price: float = Field(default=0.28, ge=0, description="Price of one video.")
    prices: dict[str, float] = Field(default_factory=dict, description="Prices of single models.")
    catalogue_prices: bool = Field(
        default=False,
        description="Bill each job at the catalogue's estimate of it, where it has one and `prices` has none.",
    )
    hidden_models: frozenset[str] = Field(
        default=frozenset(), description="Models that the lists of models leave out, and that are refused."
    )
    deprecated_models: frozenset[str] = Field(
        default=frozenset(), description="Models that are listed as deprecated. They are made all the same."
    )
    listed_prices: dict[str, float] = Field(
        default_factory=dict,
        description="Prices of single models in the list of models, in place of the catalogue's; a model that the "
        "catalogue does not know is listed too.",
    )
    link_seconds: Annotated[float, Field(gt=0)] = Field(
        default=3600.0, description="How long a link to a video works after it was given out."
    )
    state_dir: Path | None = Field(
        default=None, description="Folder of the journal. Without one, jobs are forgotten at the end."
    )
    allowed_fields: frozenset[str] = Field(
        default=frozenset({"settings"}), description="Fields beyond the documented ones that are taken."
    )
    model_rules: bool = Field(
        default=True,
        description="Refuse what the catalogue's documents do not allow: models that are unknown or retired, "
        "and what a model does not take. Without it any name is taken for a model, and any size is made.",
    )
    fetch_media: bool = Field(
        default=True,
        description="Fetch and show the media of a request; a job whose media are not there fails.",
    )
    media_seconds: float = Field(default=10.0, gt=0, description="How long fetching one of them may take.")
    media_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="Largest of them, in bytes.")
    allow_unknown_fields: bool = Field(default=False, description="Take any other field as well.")
    chat_formats: frozenset[ChatFormat] = Field(
        default=frozenset({"json_schema", "json_schema_flat", "json_object", "text"}),
        description="Response formats that the chat models take; others are refused with 400.",
    )
    chat_seconds: float = Field(default=0.0, ge=0, description="How long a chat completion takes.")
    default_seconds: float | None = Field(
        default=None,
        gt=0,
        description="Length of a clip when none is asked for. None: the length that the catalogue bills for the model, "
        "5 where it knows none.",
    )
    max_seconds: float = Field(default=60.0, gt=0, description="Longest clip that is made.")
    max_side: int = Field(default=4096, ge=16, description="Longest side of a picture that is made.")
    one_picture: bool = Field(
        default=False,
        description="Show nothing of prompts, seeds and settings: clips of one model, size and length are one file, "
        "rendered once. For measurements.",
    )
    scale: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Make pictures smaller than was asked for, by this factor: quicker, for tests that do not look at "
        "them.",
    )
    drawn_scenes: bool = Field(
        default=False,
        description="Draw prompts about a lighthouse or a ship as a scene, a moment for each sentence. Others, and all "
        "prompts without this, show their words.",
    )
    billing: bool = Field(
        default=True, description="Whether the organisation has access to GET /v1/billing/usage."
    )
    billing_delay_seconds: float = Field(
        default=3600.0, ge=0, description="How long after the end of an hour or a day its bill is shown."
    )
    billing_window_seconds: float = Field(
        default=3600.0, gt=0, description="Length of what the bill calls an hour. Shorter ones are for tests."
    )
    other_usage: tuple[OtherUsage, ...] = Field(
        default=(), description="What others of the organisation have used; it stands on the bill as well."
    )
    render_workers: int = Field(default=1, ge=1, le=8, description="Clips that are rendered at a time.")
    faults: tuple[FaultRule, ...] = Field(default=(), description="What goes wrong, and how often.")

    @model_validator(mode="after")
    def _the_range_is_one(self) -> Self:
        low, high = self.generation_range
        if not 0 <= low <= high:
            raise ValueError("generation_seconds must not be negative, nor its low end above its high end")
        return self

    @property
    def generation_range(self) -> tuple[float, float]:
        """Shortest and longest time that a job takes, in seconds."""
        span = self.generation_seconds
        return span if isinstance(span, tuple) else (span, span)

    @classmethod
    def load(cls, path: Path) -> SandboxConfig:
        """Read a JSON file.

        Raises:
            ConfigurationError: it cannot be read, or says something that cannot be.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as ex:
            raise ConfigurationError(f"The sandbox's configuration {path} cannot be read: {ex}.") from ex
        except ValidationError as ex:
            first = ex.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ConfigurationError(
                f"The sandbox's configuration {path} is wrong at {where}: {first['msg']}."
            ) from ex
