"""Rules about the prompt and the negative prompt. Lengths are in characters."""

from __future__ import annotations

from collections.abc import Iterator

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.findings import Finding, error, warning
from together_video.catalogue.models import Model
from together_video.requests import VideoRequest


def prompt_fits(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """The service refuses a missing prompt or one of the wrong length. If one document requires a prompt and another
    does not, a missing one is a warning.

    A prompt for a model that does not take one is only a warning: the documentation says that the model works from
    keyframes *instead of* a prompt, not that a prompt makes the request fail.
    """
    rule, prompt = model.prompt, request.prompt
    if rule.use == "unsupported":
        if prompt is not None:
            message = f"{model.name} does not take a prompt: it works from media.frame_images instead; leave it out."
            yield warning("prompt", message, model.limits_from, prompt=None)
        return
    if prompt is None:
        if rule.use == "optional":
            message = f"The documents disagree on whether {model.name} needs a prompt: without one it may be refused."
            yield warning("prompt", message, model.limits_from)
        else:
            yield error(
                "prompt", f"{model.name} needs a prompt: say what the video shows.", model.limits_from
            )
    elif rule.maximum is not None and len(prompt) > rule.maximum:
        message = f"The prompt has {len(prompt)} characters; {model.name} takes at most {rule.maximum}."
        yield error("prompt", message, model.limits_from)
    elif rule.minimum is not None and len(prompt) < rule.minimum:
        message = f"The prompt is too short; {model.name} needs at least {rule.minimum} characters."
        yield error("prompt", message, model.limits_from)


def negative_prompt(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    rule, text = model.negative_prompt, request.negative_prompt
    if text is None:
        return
    if rule.fails:
        message = f"A job with {model.name} has failed because of its negative prompt; leave it out."
        yield warning("negative_prompt", message, model.limits_from, negative_prompt=None)
    if rule.maximum is not None and len(text) > rule.maximum:
        message = (
            f"The negative prompt has {len(text)} characters; {model.name} takes at most {rule.maximum}."
        )
        yield warning("negative_prompt", message, model.limits_from)
