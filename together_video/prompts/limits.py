"""How long the prompts of a brief may be, for a video model. In characters."""

from __future__ import annotations

from together_video.catalogue.models import Model
from together_video.errors import InputError
from together_video.prompts.briefs import Brief

#: Longest prompt to ask a chat model for, where the video model takes more.
_PROMPT_LENGTH = 1500


def refuse_promptless(model: Model) -> None:
    """Before a chat model is paid for prompts that no video can be made of.

    Raises:
        InputError: the video model takes no prompt.
    """
    if model.prompt.use == "unsupported":
        raise InputError(
            f"{model.name} takes no prompt, so none are written: it works from media.frame_images. "
            "Give it a FILE of requests with those, or take another model. Nothing was sent."
        )


def prompt_limit(model: Model) -> int:
    """The longest prompt to ask for."""
    return min(model.prompt.maximum or _PROMPT_LENGTH, _PROMPT_LENGTH)


def negative_limit(brief: Brief, model: Model) -> int | None:
    """The longest negative prompt to ask for; None where none is wanted, or none is documented to be taken.

    One job of a model without documents on negative prompts has failed because of one, so only what is
    documented counts.
    """
    return model.negative_limit if brief.negative_prompts else None


def without_negative(brief: Brief, model: Model) -> str | None:
    """What to tell somebody who wants negative prompts that are not written."""
    if not brief.negative_prompts or model.negative_limit is not None:
        return None
    return (
        f"No document says that {model.name} takes a negative prompt, so none are written: give one of your own "
        "as negative_prompt, or its limit in your own catalogue file."
    )
