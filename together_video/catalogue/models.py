"""The data model of a video model's facts. The facts themselves are in `catalogue.json`.

What is not documented is None (or empty). Unknown does not mean unlimited, and nothing is checked by it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from together_video.catalogue.sizes import PixelSize


class Task(StrEnum):
    """What a model makes a video from."""

    TEXT = "text-to-video"
    IMAGE = "image-to-video"
    REFERENCE = "reference-to-video"
    VIDEO = "video-to-video"


class MediaField(StrEnum):
    """The fields of `media`, by their API names."""

    FRAME_IMAGES = "frame_images"
    FRAME_VIDEOS = "frame_videos"
    REFERENCE_IMAGES = "reference_images"
    REFERENCE_VIDEOS = "reference_videos"
    REFERENCE_AUDIOS = "reference_audios"
    SOURCE_VIDEO = "source_video"
    AUDIO_INPUTS = "audio_inputs"


class Certainty(StrEnum):
    """How sure a price is, the surest first."""

    OWN = "own"  # from the user's own file
    DOCUMENTED = "documented"
    ASSUMED = "assumed"  # our interpretation of unclear documents
    THIRD_PARTY = "third-party"
    UNKNOWN = "unknown"

    @property
    def doubt(self) -> int:
        return list(Certainty).index(self)


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Fact):
    """The source of a fact."""

    title: str
    third_party: bool = False


class Seconds(_Fact):
    """Lengths in seconds: a list of `choices`, or a range. `also_seen`: lengths in examples that the table does not
    have.
    """

    choices: tuple[int, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: int | None = None
    also_seen: tuple[int, ...] = ()

    @property
    def longest(self) -> int | None:
        return max(self.choices) if self.choices else self.maximum

    def allows(self, seconds: Decimal) -> bool:
        if self.choices is not None:
            return seconds in self.choices
        below = self.minimum is not None and seconds < self.minimum
        above = self.maximum is not None and seconds > self.maximum
        return not below and not above

    def nearest(self, seconds: Decimal) -> int | None:
        """The allowed length closest to this one; None if no limit is known."""
        if self.choices:
            return min(self.choices, key=lambda choice: abs(choice - seconds))
        if self.minimum is not None and seconds < self.minimum:
            return self.minimum
        return self.maximum

    def __str__(self) -> str:
        if self.choices:
            return ", ".join(map(str, self.choices))
        return f"{self.minimum}-{self.maximum}" if self.maximum is not None else ""


class Tier(_Fact):
    """A size tier, in the model's own spelling. `sizes`: pixels by ratio, if documented."""

    name: str
    lines: int | None = None
    sizes: dict[str, PixelSize] = Field(default_factory=dict)


class Sizing(_Fact):
    """How to request the picture's size: in `pixels` (width, height) or by `tiers` (resolution, ratio). Empty `ratios`
    mean that the model does not take a ratio. `certain` is False if `by` is itself a guess. `wrong_case_fails`: a tier
    in another spelling is accepted, but the job fails. `sources`, if the sizes come from other sources than the model's
    other limits.
    """

    by: Literal["pixels", "tiers"]
    certain: bool = True
    pixels: tuple[PixelSize, ...] | None = None
    tiers: tuple[Tier, ...] | None = None
    ratios: tuple[str, ...] | None = None
    default_tier: str | None = None
    default_ratio: str | None = None
    wrong_case_fails: bool = False
    sources: tuple[str, ...] | None = None

    def tier(self, name: str | None) -> Tier | None:
        """The tier of this name, in any case."""
        wanted = (name or "").strip().casefold()
        return next((tier for tier in self.tiers or () if tier.name.casefold() == wanted), None)


class Sound(_Fact):
    """Whether the video has sound. `switch`: the field that turns it off, if that is not generate_audio."""

    makes: Literal["none", "yes", "unless-switched-off", "always"]
    switch: str | None = None


class PromptRule(_Fact):
    """Whether a prompt is required, optional or unsupported, and its length in characters. `optional`: one document
    requires it and another does not.
    """

    use: Literal["required", "optional", "unsupported"]
    minimum: int | None = None
    maximum: int | None = None


class NegativePromptRule(_Fact):
    """Longest negative prompt in characters; `fails`: jobs with one have failed."""

    maximum: int | None = None
    fails: bool = False


class MediaRule(_Fact):
    """The limit for one kind of media; `links_only`: neither base64 nor data URLs."""

    maximum: int | None = None
    links_only: bool = False


class MediaRules(_Fact):
    """Which media a model takes. `accepted` is None if that is not documented. Each group in `required` needs at least
    one field. A pair in `exclusive` names two groups that cannot be combined; in `paired` the first group needs one of
    the second. `rejects_others`: by the documents, the request fails if it has a field that is not accepted.
    """

    accepted: dict[MediaField, MediaRule] | None = None
    required: tuple[tuple[MediaField, ...], ...] = ()
    exclusive: tuple[tuple[tuple[MediaField, ...], tuple[MediaField, ...]], ...] = ()
    paired: tuple[tuple[tuple[MediaField, ...], tuple[MediaField, ...]], ...] = ()
    rejects_others: bool = False


class SeedRange(_Fact):
    minimum: int
    maximum: int


class Rate(_Fact):
    """USD per unit for one tier; `starting_from`: the documentation says "from", so it can be more."""

    usd: Decimal = Field(gt=0)
    starting_from: bool = False


class Coverage(_Fact):
    """What a documented price covers: a length in seconds, a size in lines (16:9), with sound or not."""

    seconds: int | None = Field(default=None, gt=0)
    lines: int | None = Field(default=None, gt=0)
    sound: bool | None = None


class Price(_Fact):
    """USD per `video` or per `second`, by tier if the documents have tiers.

    `unit_documented` is False if no source says whether the price is per video or per second. `tiers_with_video` is for
    requests with a video among their media. `disputed_usd` is a higher price that another source gives, `low_usd` a
    lower one.
    """

    usd: Decimal = Field(gt=0)
    unit: Literal["video", "second"]
    unit_documented: bool = True
    certainty: Certainty
    covers: Coverage = Coverage()
    tiers: dict[str, Rate] = Field(default_factory=dict)
    tiers_with_video: dict[str, Rate] = Field(default_factory=dict)
    disputed_usd: Decimal | None = None
    low_usd: Decimal | None = Field(default=None, gt=0)
    note: str


class Model(_Fact):
    """Everything known about one model. `name` is the API's; `offered` is as of the catalogue's date.

    A model that is not `offered` may still be on another page of the documents (`still_documented`), so it may still
    work. `ended` is the day on which its maker retired it.

    `typical_seconds` is how long the provider takes for a video, if known: it is not documented, but runs learn it.
    `own` lists the fields that come from the user's own file. `takes_steps` is None if it is not documented whether the
    model uses `steps`.
    """

    name: str = Field(min_length=1)
    title: str
    organisation: str
    offered: bool
    still_documented: bool = False
    ended: date | None = None
    tasks: tuple[Task, ...] | None = None
    seconds: Seconds = Seconds()
    size: Sizing
    fps: tuple[int, ...] | None = None
    keyframes: tuple[Literal["first", "last"], ...] | None = None
    sound: Sound | None = None
    prompt: PromptRule
    negative_prompt: NegativePromptRule = NegativePromptRule()
    media: MediaRules = MediaRules()
    formats: tuple[str, ...] | None = None
    takes_steps: bool | None = None
    seed: SeedRange | None = None
    price: Price | None = None
    typical_seconds: float | None = Field(default=None, gt=0, le=86_400)
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = Field(min_length=1)
    limit_sources: tuple[str, ...] | None = None
    own: tuple[str, ...] = ()

    @property
    def limits_from(self) -> str:
        """The sources of this model's limits, by id in the catalogue."""
        return ", ".join(self.limit_sources or self.sources)

    @property
    def sizes_from(self) -> str:
        """The sources of this model's sizes."""
        return ", ".join(self.size.sources or ()) or self.limits_from

    @property
    def availability(self) -> str:
        """Whether the model is offered, in a word or two."""
        if self.offered:
            return "yes"
        if self.ended is not None:
            return f"ended {self.ended}"
        return "not listed" if self.still_documented else "retired"

    @property
    def negative_limit(self) -> int | None:
        """Longest negative prompt in characters, None if the model is not documented to take one."""
        return None if self.negative_prompt.fails else self.negative_prompt.maximum

    @property
    def knows_text(self) -> bool:
        """Whether the model is documented to make videos from text alone."""
        return self.tasks is not None and Task.TEXT in self.tasks

    @model_validator(mode="after")
    def _tiers_are_known(self) -> Self:
        priced = {*self.price.tiers, *self.price.tiers_with_video} if self.price else set()
        named = {name for name in [*priced, self.size.default_tier] if name is not None}
        if unknown := {name for name in named if self.size.tier(name) is None}:
            raise ValueError(f"{self.name} has no tier {', '.join(sorted(unknown))}")
        return self
