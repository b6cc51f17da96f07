"""Checks requests as the API does: fields, types and bounds of `CreateVideoBody`.

Deliberately written independently of the client's `VideoRequest`, so that each side notices the mistakes of the other.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.model_rules import check_model
from together_video.sandbox.refusal import Refusal
from together_video.sandbox.rendering.sizes import frame_size


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _Video(_Part):
    video: str = Field(min_length=1)


class _Audio(_Part):
    audio: str = Field(min_length=1)


class _Frame(_Part):
    input_image: str = Field(min_length=1)
    frame: Annotated[float, Field(ge=0)] | Literal["first", "last"] | None = None


class _Media(_Part):
    frame_images: list[_Frame] | None = None
    frame_videos: list[_Video] | None = None
    reference_images: list[str] | None = None
    reference_videos: list[_Video] | None = None
    reference_audios: list[str] | None = None
    source_video: str | _Video | None = None
    audio_inputs: list[str | _Audio] | None = None


class _CreateVideoBody(_Part):
    model: str = Field(min_length=1)
    prompt: str | None = Field(default=None, min_length=1, max_length=32_000)
    width: int | None = Field(default=None, gt=0)
    height: int | None = Field(default=None, gt=0)
    resolution: str | None = None
    ratio: str | None = None
    seconds: str | int | None = None
    fps: int | None = Field(default=None, gt=0, le=120)
    steps: int | None = Field(default=None, ge=10, le=50)
    seed: int | None = None
    guidance_scale: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output_format: Literal["MP4", "WEBM"] | None = None
    output_quality: int | None = Field(default=None, ge=0)
    negative_prompt: str | None = None
    generate_audio: bool | None = None
    media: _Media | None = None
    # Deprecated at this level, but still accepted.
    frame_images: list[_Frame] | None = None
    reference_images: list[str] | None = None


_FIELDS = frozenset(
    name for part in (_CreateVideoBody, _Media, _Frame, _Video, _Audio) for name in part.model_fields
)


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        Refusal: 400, it is not a JSON object.
    """
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON.", code="invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The request body must be a JSON object.", code="invalid_json")
    return body


def check_create(body: dict[str, Any], config: SandboxConfig) -> None:
    """Check the body of `POST /v2/videos` against the documentation.

    Raises:
        Refusal: 400 unsupported field or value, 404 unknown or retired model, 422 wrong type or bounds.
    """
    allowed = set(config.allowed_fields) | set(_CreateVideoBody.model_fields)
    unknown = [] if config.allow_unknown_fields else sorted(set(body) - allowed)
    if unknown:
        raise Refusal(400, f"Unsupported parameter: {unknown[0]}", unknown[0], "unsupportedParameter")
    known = {name: value for name, value in body.items() if name in _CreateVideoBody.model_fields}
    if known.get("output_format") not in (None, "MP4", "WEBM"):
        message = f"output_format {known['output_format']!r} is not supported: use MP4 or WEBM"
        raise Refusal(400, message, "output_format", "unsupportedParameter")
    try:
        checked = _CreateVideoBody.model_validate(known)
    except ValidationError as ex:
        first = ex.errors()[0]
        param = _field(first["loc"], unknown=first["type"] == "extra_forbidden")
        raise Refusal(422, f"{param}: {first['msg']}", param, "invalid_value") from None
    if checked.model in config.hidden_models or (config.models and checked.model not in config.models):
        raise Refusal(404, f"Unable to access model {checked.model}", "model", "model_not_available")
    _check_seconds(checked.seconds, config)
    _check_size(body, config)
    if checked.prompt is None and not (checked.media or checked.frame_images or checked.reference_images):
        raise Refusal(422, "prompt: Field required", "prompt", "missing_required_parameter")
    if config.model_rules:
        check_model(body, offered=config.models)


def _field(place: tuple[str | int, ...], *, unknown: bool) -> str:
    """The place of a problem in the body, such as `media.frame_images.0.frame`."""
    # Between the fields are names of union types, which mean nothing to a caller.
    parts = [part for part in place if isinstance(part, int) or part in _FIELDS]
    if unknown:
        parts.append(place[-1])
    return ".".join(map(str, parts))


def _check_seconds(given: str | int | None, config: SandboxConfig) -> None:
    if given is None:
        return
    try:
        seconds = float(given)
    except (ValueError, OverflowError):
        seconds = float("nan")
    # NaN fails every comparison, so this refuses it too.
    if not 0 < seconds <= config.max_seconds:
        message = f"seconds: {given!r} is not a length between 0 and {config.max_seconds:g}"
        raise Refusal(400, message, "seconds", "invalidDuration")


def _check_size(body: dict[str, Any], config: SandboxConfig) -> None:
    try:
        width, height = frame_size(body)
    except ValueError as ex:
        raise Refusal(400, str(ex), "resolution", "invalidResolution") from None
    if not 16 <= min(width, height) <= max(width, height) <= config.max_side:
        message = f"{width}x{height} is out of bounds: each side must be 16 to {config.max_side} pixels"
        raise Refusal(400, message, "width", "invalidDimensions")
