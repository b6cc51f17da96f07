"""Shorthand that the API does not know: `aspect`, `quality`, `adherence`.

Presets become request fields before anything is checked, sent or named, so the same request in either form is one
request. A size tier in another case becomes the model's own: Wan 2.7 accepts a job with `720p`, but fails it, because
its tier is called `720P`.

| preset | becomes |
|---|---|
| quality preview, standard, production | steps 10, 20, 35 |
| adherence creative, balanced, strict | guidance_scale 6, 8, 10 |
| aspect | the model's best matching width and height, or resolution and ratio |

The numbers are those that Together's documents recommend, and whole, as the API's schema requires. Which
models take steps is not documented, so they are sent to every model unless the catalogue says that it takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from together_video.catalogue import Catalogue
from together_video.catalogue.aspects import fit_aspect
from together_video.catalogue.findings import Finding, note, quoted, warning
from together_video.catalogue.models import Model
from together_video.catalogue.sizes import Size, aspect_of
from together_video.errors import InputError
from together_video.json_schema import plain_fields
from together_video.requests import VideoRequest
from together_video.validation_messages import explain, validated

#: Denoising steps by quality: a quick preview, a good balance, and the middle of 30 to 40.
STEPS = {"preview": 10, "standard": 20, "production": 35}
#: Guidance by adherence: the least, the middle and the most of the recommended 6 to 10.
GUIDANCE = {"creative": 6, "balanced": 8, "strict": 10}

_SOURCE = "overview, parameters"
_SIZE_FIELDS = ("width", "height", "resolution", "ratio")


class Presets(BaseModel):
    """Shape, quality and closeness to the prompt, in words instead of numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=plain_fields)

    aspect: str | None = Field(
        default=None,
        title="Aspect",
        description="Shape of the picture, such as 9:16. The model's best matching size or tier is used.",
    )
    quality: Literal["preview", "standard", "production"] | None = Field(
        default=None, title="Quality", description="Denoising steps: 10, 20 or 35."
    )
    adherence: Literal["creative", "balanced", "strict"] | None = Field(
        default=None,
        title="Adherence",
        description="How closely to follow the prompt: guidance 6, 8 or 10.",
    )

    @field_validator("aspect")
    @classmethod
    def _aspect_is_a_shape(cls, value: str | None) -> str | None:
        shape = aspect_of(value) if value is not None else 1
        if shape is None or not 0.01 <= shape <= 100:
            raise ValueError("aspect: must be a shape such as 16:9 or 9:16")
        return value.strip() if value is not None else None


#: The names that are allowed beside request fields, in files and in settings.
PRESET_FIELDS = tuple(Presets.model_fields)


class Expansion(NamedTuple):
    """Request fields without shorthand; what was chosen, as findings; what is wrong, as sentences."""

    fields: dict[str, Any]
    chosen: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


def expand(fields: Mapping[str, Any], catalogue: Catalogue | None = None) -> Expansion:
    """Turn the presets among these fields into request fields, and a tier into the model's own spelling. Given steps
    and guidance take precedence.

    Never raises: errors are among the problems, each a sentence without a full stop.
    """
    given = {name: fields[name] for name in PRESET_FIELDS if fields.get(name) is not None}
    plain = {name: value for name, value in fields.items() if name not in PRESET_FIELDS}
    if not given and not isinstance(plain.get("resolution"), str):
        return Expansion(plain)
    known = catalogue or Catalogue.load()
    name = plain.get("model")
    model = (
        known.find(name.strip()) if isinstance(name, str) else known.default_model if name is None else None
    )
    chosen = _by("tier_is_spelled", _tier(plain, model))
    if not given:
        return Expansion(plain, tuple(chosen))
    try:
        presets = Presets.model_validate(given)
    except ValidationError as error:
        return Expansion(plain, tuple(chosen), problems=tuple(explain(error, Presets)))
    if presets.quality is not None:
        chosen += _by("quality_is_steps", _steps(presets.quality, plain, model))
    if presets.adherence is not None:
        chosen += _by("adherence_is_guidance", _guidance(presets.adherence, plain))
    if presets.aspect is not None:
        if both := [field for field in _SIZE_FIELDS if plain.get(field) is not None]:
            return Expansion(plain, problems=(f"aspect: give it or {' and '.join(both)}, not both",))
        # The check reports an unknown model. If another model takes over, it gets the shape.
        if model is None:
            plain["ratio"] = presets.aspect
        else:
            try:
                chosen += _by("aspect_is_size", _shape(presets.aspect, plain, model, known))
            except ValueError as error:
                return Expansion(plain, problems=(f"aspect: {error}",))
    return Expansion(plain, tuple(chosen))


def overlay(said: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that apply beside the given fields: between a preset and its field, the given one counts."""
    rivals = [("quality", ("steps",)), ("adherence", ("guidance_scale",)), ("aspect", _SIZE_FIELDS)]
    gone: set[str] = set()
    for preset, fields in rivals:
        if said.get(preset) is not None:
            gone.update(fields)
        elif any(said.get(field) is not None for field in fields):
            gone.add(preset)
    return {name: value for name, value in defaults.items() if name not in gone}


def make_request(
    fields: Mapping[str, Any], catalogue: Catalogue | None = None
) -> tuple[VideoRequest, tuple[Finding, ...]]:
    """The request from these fields and presets, and what was chosen.

    Raises:
        InputError: all their problems, in one sentence.
    """
    found = expand(fields, catalogue)
    problems = list(found.problems)
    try:
        request = VideoRequest.model_validate(found.fields)
    except ValidationError as error:
        raise InputError(f"Nothing was sent: {'; '.join([*problems, *explain(error)])}.") from error
    if problems:
        raise InputError(f"Nothing was sent: {'; '.join(problems)}.")
    return request, found.chosen


def make_presets(words: Mapping[str, Any]) -> Presets:
    """Presets from their fields.

    Raises:
        InputError: all their problems, in one sentence.
    """
    return validated(Presets, dict(words), "The presets")


def with_presets(
    request: VideoRequest, presets: Presets | None, catalogue: Catalogue | None = None
) -> tuple[VideoRequest, tuple[Finding, ...]]:
    """The request with these presets as defaults and the tier in the model's spelling, and what was chosen.

    Raises:
        InputError: the model's shape cannot be chosen.
    """
    if presets is None and request.resolution is None:
        return request, ()
    said = {name: getattr(request, name) for name in request.model_fields_set}
    words = {} if presets is None else presets.model_dump(exclude_none=True)
    return make_request({**overlay(said, words), **said}, catalogue)


def _by(rule: str, findings: list[Finding]) -> list[Finding]:
    """The findings with this rule; without a source of their own, they get the presets' source."""
    return [found.model_copy(update={"rule": rule, "source": found.source or _SOURCE}) for found in findings]


def _tier(plain: dict[str, Any], model: Model | None) -> list[Finding]:
    asked = plain.get("resolution")
    tier = model.size.tier(asked) if model is not None and isinstance(asked, str) else None
    if model is None or tier is None or tier.name == asked:
        return []
    plain["resolution"] = tier.name
    words = f"{model.name} writes its tier {tier.name}, which is sent instead of {quoted(str(asked))}."
    return [note("resolution", words, model.sizes_from)]


def _steps(quality: str, plain: dict[str, Any], model: Model | None) -> list[Finding]:
    steps = STEPS[quality]
    if plain.get("steps") is not None:
        return [note("steps", f"Steps are given, so quality {quality} ({steps} steps) changes nothing.")]
    if model is not None and model.takes_steps is False:
        return [note("steps", f"{model.name} does not take steps, so quality {quality} changes nothing.")]
    plain["steps"] = steps
    doubt = ""
    if model is not None and model.takes_steps is None:
        doubt = f"; it is not documented whether {model.name} takes them"
    return [note("steps", f"Quality {quality} is {steps} steps{doubt}.", _SOURCE)]


def _guidance(adherence: str, plain: dict[str, Any]) -> list[Finding]:
    scale = GUIDANCE[adherence]
    if plain.get("guidance_scale") is not None:
        words = f"A guidance scale is given, so adherence {adherence} ({scale:g}) changes nothing."
        return [note("guidance_scale", words)]
    plain["guidance_scale"] = scale
    return [note("guidance_scale", f"Adherence {adherence} is a guidance scale of {scale:g}.", _SOURCE)]


def _shape(aspect: str, plain: dict[str, Any], model: Model, catalogue: Catalogue) -> list[Finding]:
    general = catalogue.general
    fit = fit_aspect(aspect, model, Size(general.width, general.height))
    plain.update(fit.fields)
    if not fit.documented:
        words = f"The shapes of {model.name} are not documented; {fit.words} is sent for {aspect} and may be refused."
        return [warning("aspect", words, model.limits_from)]
    if fit.exact:
        return [note("aspect", f"{aspect} is {fit.words} on {model.name}.", model.limits_from)]
    words = f"{model.name} has no size of {aspect}; the nearest, {fit.words}, is used."
    return [warning("aspect", words, model.limits_from)]
