"""Rules about length, frame rate, guidance, format, seed and sound."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pydantic import JsonValue

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.findings import Finding, advice, error, shortened, warning
from together_video.catalogue.models import Model
from together_video.requests import VideoRequest

#: The recommended range, and the value above which artifacts are documented.
GUIDANCE_LEAST, GUIDANCE_ADVISED, GUIDANCE_SAFE = 6, 10, 12


def length(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Seconds: in the model's list or range, or else within the range of all models."""
    if request.seconds is None:
        return
    asked, rule = Decimal(request.seconds), model.seconds
    shown = shortened(request.seconds)
    if asked in rule.also_seen and not rule.allows(asked):
        message = f"{model.name} is listed with {rule} s; {shown} s is only in examples."
        yield advice("seconds", message, model.limits_from, seconds=str(rule.nearest(asked)))
    elif not rule.allows(asked):
        near = rule.nearest(asked)
        message = f"{model.name} makes {rule} s, not {shown}; the nearest is {near}."
        yield warning("seconds", message, model.limits_from, seconds=str(near))
    elif asked != asked.to_integral_value():
        whole = int(asked) + 1
        message = f"Only whole seconds are documented; {shown} may be refused, {whole} is safe."
        yield warning("seconds", message, model.limits_from, seconds=str(whole))
    elif rule.longest is None and not (general := catalogue.general.seconds).allows(asked):
        message = (
            f"No length is documented for {model.name}, only {general} s for all models; {shown} may fail."
        )
        near = general.nearest(asked)
        yield advice("seconds", message, ", ".join(catalogue.general.sources), seconds=str(near))


def no_nul(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """A NUL character means nothing to a model, and a Prefect server on PostgreSQL cannot store it."""
    for field, value in request.model_dump(mode="json", exclude_none=True).items():
        if _holds_nul(value):
            yield error(field, f"{field} contains a NUL character: leave it out.", "project")


def frame_rate(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    asked, known = request.fps, model.fps
    if asked is None:
        return
    general = catalogue.general.fps
    if known is not None and asked not in known:
        near = min(known, key=lambda rate: abs(rate - asked))
        message = f"{model.name} makes {_join(known)} frames per second, not {asked}; the nearest is {near}."
        yield warning("fps", message, model.limits_from, fps=near)
    elif known is None and not general.minimum <= asked <= general.maximum:
        message = f"Frame rates are documented from {general.minimum} to {general.maximum}, not {asked}."
        near = general.minimum if asked < general.minimum else general.maximum
        yield advice("fps", message, ", ".join(catalogue.general.sources), fps=near)


def steps_are_taken(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """The bounds of 10 and 50 are the API's own and checked in the request; this rule is about the model."""
    if request.steps is not None and model.takes_steps is False:
        yield warning(
            "steps", f"{model.name} does not take steps; leave them out.", model.limits_from, steps=None
        )


def guidance(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """6 to 10 is recommended, artifacts are documented above 12; the guides say float, schema and SDK say integer."""
    scale = request.guidance_scale
    if scale is None:
        return
    if scale > GUIDANCE_SAFE:
        message = (
            f"Guidance above {GUIDANCE_SAFE} may cause artifacts; "
            f"{GUIDANCE_LEAST} to {GUIDANCE_ADVISED} is recommended."
        )
        yield warning("guidance_scale", message, "parameters, openapi", guidance_scale=GUIDANCE_ADVISED)
    elif not GUIDANCE_LEAST <= scale <= GUIDANCE_ADVISED:
        near, where = (GUIDANCE_ADVISED, "above") if scale > GUIDANCE_ADVISED else (GUIDANCE_LEAST, "below")
        message = (
            f"Guidance of {GUIDANCE_LEAST} to {GUIDANCE_ADVISED} is recommended; {scale:g} is {where} that."
        )
        yield advice("guidance_scale", message, "parameters, openapi", guidance_scale=near)
    if not scale.is_integer():
        whole = min(max(round(scale), GUIDANCE_LEAST), GUIDANCE_ADVISED)
        message = (
            f"The API's schema and SDK require a whole number, such as {whole}: "
            f"a gateway that validates requests refuses {scale:g}."
        )
        yield warning("guidance_scale", message, "openapi, parameters", guidance_scale=whole)


def format_is_made(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    asked, made = request.output_format, model.formats
    if asked is not None and made is not None and asked not in made:
        message = f"{model.name} makes only {_join(made)}, not {asked}."
        yield warning("output_format", message, model.limits_from, output_format=made[0])


def seed_range(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    asked, rule = request.seed, model.seed
    if asked is not None and rule is not None and not rule.minimum <= asked <= rule.maximum:
        message = f"{model.name} takes seeds from {rule.minimum} to {rule.maximum}."
        near = rule.minimum if asked < rule.minimum else rule.maximum
        yield warning("seed", message, model.limits_from, seed=near)


def sound_is_made(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """`generate_audio`: whether the model has sound, and whether this switches it."""
    asked, sound = request.generate_audio, model.sound
    if sound is None:
        if asked is not None:
            message = f"It is not documented whether {model.name} makes sound; generate_audio may be ignored."
            yield advice("generate_audio", message, model.limits_from, generate_audio=None)
    elif asked is not None and sound.switch is not None:
        message = f"{model.name} does not read generate_audio: set {sound.switch} through extra instead."
        yield warning("generate_audio", message, model.limits_from, generate_audio=None)
    elif asked and sound.makes == "none":
        message = f"{model.name} makes only silent videos."
        yield warning("generate_audio", message, model.limits_from, generate_audio=None)
    elif sound.makes == "always" and asked is False:
        message = f"{model.name} always makes sound and has no switch for it; leave it out."
        yield warning("generate_audio", message, model.limits_from, generate_audio=None)


def settings_are_taken(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """`settings.audio`, which switches the sound of some models."""
    settings = request.extra.get("settings")
    is_set = isinstance(settings, dict) and "audio" in settings
    if is_set and model.sound is not None and model.sound.makes == "always":
        message = f"{model.name} always makes sound and has no switch for it; leave settings.audio out."
        yield warning("extra.settings.audio", message, model.limits_from)


def _holds_nul(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any("\0" in name or _holds_nul(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _join(known: tuple[object, ...]) -> str:
    return " or ".join(map(str, known))
