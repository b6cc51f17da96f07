"""How the sandbox behaves: prices, delays, formats, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from together_video.errors import ConfigurationError
from together_video.sandbox.faults import FaultRule

ChatFormat = Literal["json_schema", "json_schema_flat", "json_object", "text"]


class OtherUsage(BaseModel):
    """A line of the bill for something other than this sandbox's jobs: `at` in unix seconds, `cost` in USD."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float
    cost: float = Field(ge=0)
    quantity: float = Field(default=1, ge=0)
    product: str = "Serverless Inference - Video"
    model: str = ""
    key_id: str = ""


class SandboxConfig(BaseModel):
    """All settings of the sandbox. Times are in seconds, prices in USD, sizes in pixels.

    Raises:
        pydantic.ValidationError: a value is out of bounds, or a name is unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: Literal["2025", "2026"] = Field(
        default="2026", description="Which generation of the API's answer format to use."
    )
    api_keys: tuple[str, ...] = Field(
        default=(), description="Keys that are accepted. By default any key that is not empty."
    )
    models: tuple[str, ...] = Field(
        default=(), description="Models on offer. By default those that the catalogue has on offer."
    )
    generation_seconds: float | tuple[float, float] = Field(
        default=3.0, description="How long a job takes: a number, or the ends of a range."
    )
    tells: frozenset[Literal["progress", "remaining", "queue"]] = Field(
        default=frozenset(),
        description="What a running job reports besides its status: the percentage done, the seconds left, its place "
        "in the queue. The API's documentation has none of them.",
    )
    tells_factor: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="Factor by which these reports are wrong. With 10, ten times the true time.",
    )
    seed: int = Field(default=0, description="Seed for everything random: durations, faults, wording.")
    price: float = Field(default=0.28, ge=0, description="Price of one video.")
    prices: dict[str, float] = Field(default_factory=dict, description="Prices of individual models.")
    catalogue_prices: bool = Field(
        default=False,
        description="Bill each job at the catalogue's estimate, if there is one and `prices` has no price.",
    )
    hidden_models: frozenset[str] = Field(
        default=frozenset(), description="Models that are refused and not in the lists of models."
    )
    deprecated_models: frozenset[str] = Field(
        default=frozenset(), description="Models that are listed as deprecated. They still work."
    )
    listed_prices: dict[str, float] = Field(
        default_factory=dict,
        description="Prices of individual models in the list of models, instead of the catalogue's. Models that the "
        "catalogue does not know are listed too.",
    )
    link_seconds: Annotated[float, Field(gt=0)] = Field(
        default=3600.0, description="How long a link to a video works."
    )
    state_dir: Path | None = Field(
        default=None, description="Folder for the journal. Without it, jobs are lost when the sandbox stops."
    )
    allowed_fields: frozenset[str] = Field(
        default=frozenset({"settings"}), description="Undocumented fields that are accepted."
    )
    model_rules: bool = Field(
        default=True,
        description="Refuse what the documentation does not allow: unknown or retired models, and what a "
        "model does not take. Without this, any model name and any size works.",
    )
    fetch_media: bool = Field(
        default=True,
        description="Fetch and show the media of a request. A job fails if its media cannot be fetched.",
    )
    media_seconds: float = Field(default=10.0, gt=0, description="How long fetching one media file may take.")
    media_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="Largest media file, in bytes.")
    allow_unknown_fields: bool = Field(default=False, description="Accept any other field too.")
    chat_formats: frozenset[ChatFormat] = Field(
        default=frozenset({"json_schema", "json_schema_flat", "json_object", "text"}),
        description="Response formats that the chat models accept. Others are refused with 400.",
    )
    chat_seconds: float = Field(default=0.0, ge=0, description="How long a chat completion takes.")
    default_seconds: float | None = Field(
        default=None,
        gt=0,
        description="Length of a clip if the request gives none. By default the length that the catalogue bills for "
        "the model, or 5.",
    )
    max_seconds: float = Field(default=60.0, gt=0, description="Longest clip that can be requested.")
    max_side: int = Field(default=4096, ge=16, description="Longest side of a clip's picture.")
    one_picture: bool = Field(
        default=False,
        description="Do not show prompts, seeds and settings, so that clips of one model, size and length are one "
        "file, rendered once. For benchmarks.",
    )
    scale: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Make pictures smaller than requested, by this factor: quicker, for tests that ignore the "
        "pictures.",
    )
    drawn_scenes: bool = Field(
        default=False,
        description="Draw prompts about a lighthouse or a ship as a scene, a moment for each sentence. Other clips "
        "show the words of their prompt.",
    )
    billing: bool = Field(
        default=True, description="Whether the organisation has access to GET /v1/billing/usage."
    )
    billing_delay_seconds: float = Field(
        default=3600.0, ge=0, description="How long after the end of an hour or a day it appears on the bill."
    )
    billing_window_seconds: float = Field(
        default=3600.0, gt=0, description="Length of the bill's hours. Shorter ones are for tests."
    )
    other_usage: tuple[OtherUsage, ...] = Field(
        default=(), description="Usage by others in the organisation, which is on the bill too."
    )
    render_workers: int = Field(default=1, ge=1, le=8, description="How many clips are rendered at a time.")
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
            ConfigurationError: it cannot be read, or a setting is invalid.
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
