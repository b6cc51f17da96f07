"""What the service refuses for single models, as far as documents say that it does.

The facts are the catalogue's. The judgement is made here and not by its checks, so that what one side
gets wrong the other shall notice. What is only unusual passes: a stand-in that is sterner than the
service would hide what the service does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.models import MediaField, Model
from together_video.sandbox.refusal import Refusal

#: At the top level these are deprecated, and still taken.
_OLDER = ("frame_images", "reference_images")


def check_model(body: Mapping[str, Any], *, known_only: bool) -> None:
    """Hold a body that is well-formed against the facts about its model.

    Raises:
        Refusal: 404 the model is unknown (only with `known_only`); 400 a prompt that is missing or of the
            wrong length, media that are missing, not taken, or not taken together.
    """
    name = body["model"]
    model = next((known for known in Catalogue.load().models if known.name == name), None)
    if model is None:
        if known_only:
            raise Refusal(404, f"Unable to access model {name}", "model", "model_not_available")
        return
    _check_prompt(body.get("prompt"), model)
    media = body.get("media") or {}
    given = {field for field in MediaField if media.get(field) or (field in _OLDER and body.get(field))}
    for group in model.media.required:
        if not given & set(group):
            wanted = _names(group, " or ")
            raise Refusal(400, f"{name} requires {wanted}", f"media.{group[0]}", "missing_required_parameter")
    if model.media.rejects_others and (strange := given - set(model.media.accepted or {})):
        field = min(strange)
        raise Refusal(400, f"{name} does not support media.{field}", f"media.{field}", "unsupportedParameter")
    for first, second in model.media.exclusive:
        if given & set(first) and given & set(second):
            both = f"{_names(given & set(first), ', ')} together with {_names(given & set(second), ', ')}"
            raise Refusal(400, f"{name} does not support {both}", "media", "unsupportedParameter")


def _check_prompt(prompt: str | None, model: Model) -> None:
    rule = model.prompt
    if rule.use == "unsupported":
        return
    if prompt is None:
        raise Refusal(422, "prompt: Field required", "prompt", "missing_required_parameter")
    least, most = rule.minimum or 0, rule.maximum or len(prompt)
    if not least <= len(prompt) <= most:
        message = f"prompt must have {least} to {most} characters for {model.name}, has {len(prompt)}"
        raise Refusal(400, message, "prompt", "invalid_value")


def _names(fields: Iterable[MediaField], between: str) -> str:
    return between.join(f"media.{field}" for field in sorted(fields))
