"""How long the prompts of a brief may be, for a video model. In characters."""

from __future__ import annotations

from together_video.catalogue.models import Model
from together_video.errors import InputError
from together_video.prompts.briefs import Brief

#: Longest prompt to request from a chat model if the video model takes more.
_PROMPT_LENGTH = 1500


def refuse_promptless(model: Model) -> None:
    """Stop before a chat model is paid for prompts that cannot be used.

    Raises:
        InputError: the video model does not take a prompt.
    """
    if model.prompt.use == "unsupported":
        raise InputError(
            f"{model.name} does not take a prompt, so none are written: it works from "
            "media.frame_images. Give a request file with those, or choose another model. Nothing was sent."
        )


def prompt_limit(model: Model) -> int:
    """The longest prompt to request."""
    return min(model.prompt.maximum or _PROMPT_LENGTH, _PROMPT_LENGTH)


def negative_limit(brief: Brief, model: Model) -> int | None:
    """The longest negative prompt to request; None if none is wanted, or the model is not documented to take one.

    A job with a model without such documents has failed because of its negative prompt, so only documented support
    counts.
    """
    return model.negative_limit if brief.negative_prompts else None


def without_negative(brief: Brief, model: Model) -> str | None:
    """Why the requested negative prompts are not written, if so."""
    if not brief.negative_prompts or model.negative_limit is not None:
        return None
    return (
        f"{model.name} is not documented to take a negative prompt, so none are written. Give your own as "
        "negative_prompt, or "
        "set the model's limit in your own catalogue file."
    )
