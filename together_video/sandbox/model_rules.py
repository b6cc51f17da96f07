"""What the service refuses for individual models, as far as the documentation says what a model takes.

The catalogue's check decides. This module maps its findings to answers. The form of a body is checked first and
independently (`checks`), so that each side notices the mistakes of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.findings import Level
from together_video.catalogue.pricing import counted_seconds, estimate
from together_video.requests import VideoRequest
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.faults import FaultRule
from together_video.sandbox.refusal import Refusal
from together_video.validation_messages import explain

#: Status and code of an error or a warning, by its rule. Findings of other rules pass: the documentation's own examples
#: use frame rates that its tables do not list, guidance above 12 only gives artifacts, generate_audio is ignored, and
#: truncated inline data is only a report.
_ANSWERS = {
    "model_is_known": (404, "model_not_available"),
    "model_is_offered": (404, "model_not_available"),
    "prompt_fits": (400, "invalid_value"),
    "negative_prompt": (400, "invalid_value"),
    "pixels_fit": (400, "invalidDimensions"),
    "tier_fits": (400, "invalidResolution"),
    "ratio_fits": (400, "invalidRatio"),
    "length": (400, "invalidDuration"),
    "steps_are_taken": (400, "unsupportedParameter"),
    "format_is_made": (400, "unsupportedParameter"),
    "seed_range": (400, "invalid_value"),
    "settings_are_taken": (400, "unsupportedParameter"),
    "required_media": (400, "missing_required_parameter"),
    "media_go_together": (400, "unsupportedParameter"),
    "media_are_paired": (400, "missing_required_parameter"),
    "media_are_taken": (400, "unsupportedParameter"),
    "frames_fit": (400, "invalid_value"),
}
_WEIGHTY = frozenset({Level.ERROR, Level.WARNING})
#: Length of a clip if nothing says how long it should be.
_USUAL_SECONDS = 5.0
_OLDER = ("frame_images", "reference_images")


def check_model(body: Mapping[str, Any], *, offered: tuple[str, ...] = ()) -> None:
    """Check a well-formed body against the facts about its model.

    Args:
        offered: models on offer, whatever the catalogue says.

    Raises:
        Refusal: 404 the model is unknown or retired, 422 no prompt, 400 anything else.
    """
    for finding in check(_request(body)):
        status, code = _ANSWERS.get(finding.rule or "", (None, None))
        if finding.level not in _WEIGHTY or status is None:
            continue
        if status == 404:
            if body["model"] in offered:
                continue
            raise Refusal(404, f"Unable to access model {body['model']}", "model", code)
        if finding.rule == "prompt_fits":
            if finding.level is Level.WARNING:
                # A prompt besides keyframes, or none if the documentation is unclear: not known to be refused.
                continue
            if body.get("prompt") is None:
                raise Refusal(422, "prompt: Field required", "prompt", "missing_required_parameter")
        if finding.rule in ("negative_prompt", "tier_fits") and fate_of(body) is not None:
            continue
        param = finding.field.removeprefix("extra.")
        raise Refusal(status, f"{param}: {finding.message}", param, code)


def fate_of(body: Mapping[str, Any]) -> FaultRule | None:
    """The fate of a job that is accepted and then fails, as some models do. None for all others."""
    model = Catalogue.load().find(body["model"])
    if model is None:
        return None
    if model.negative_prompt.fails and body.get("negative_prompt"):
        message = "The parameter negative_prompt is not supported by this model"
        return FaultRule(on="create", kind="job_failed", code="unsupportedParameter", message=message)
    asked = body.get("resolution")
    tier = model.size.tier(asked) if isinstance(asked, str) else None
    if model.size.wrong_case_fails and tier is not None and tier.name != asked:
        message = f"resolution must be one of {', '.join(each.name for each in model.size.tiers or ())}"
        return FaultRule(on="create", kind="job_failed", code="InvalidParameter", message=message)
    return None


def seconds_of(body: Mapping[str, Any], config: SandboxConfig) -> float:
    """The length of a request's clip in seconds: as requested, by default the length billed for its model."""
    if body.get("seconds"):
        return float(body["seconds"])
    if config.default_seconds is not None:
        return config.default_seconds
    try:
        counted = counted_seconds(_request(body))
    except Refusal:
        counted = None
    return _USUAL_SECONDS if counted is None else min(float(counted), config.max_seconds)


def price_of(body: Mapping[str, Any], config: SandboxConfig) -> float:
    """What a job costs, in USD."""
    if (price := config.prices.get(body["model"])) is not None:
        return price
    if config.catalogue_prices:
        try:
            known = estimate(_request(body)).usd
        except Refusal:
            known = None
        if known is not None:
            return float(known)
    return config.price


def _request(body: Mapping[str, Any]) -> VideoRequest:
    fields = {*VideoRequest.model_fields, *_OLDER} - {"extra", "labels", "label_in_id"}
    known = {name: value for name, value in body.items() if name in fields}
    extra = {name: value for name, value in body.items() if name not in fields}
    try:
        return VideoRequest.model_validate({**known, "extra": extra})
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) or None
        raise Refusal(422, "; ".join(explain(error)), field, "invalid_value") from None
