"""The size and length that the video of a request should have, as far as it is documented. If it is not, the answer
is None: undocumented defaults of the service are not guessed.
"""

from __future__ import annotations

from decimal import Decimal

from together_video.catalogue.models import Model, Tier
from together_video.catalogue.sizes import Size
from together_video.requests import VideoRequest


def expected_seconds(request: VideoRequest, model: Model) -> Decimal | None:
    """The length in seconds: as requested, or the model's default, or its only length."""
    if request.seconds is not None:
        return Decimal(request.seconds)
    if model.seconds.default is not None:
        return Decimal(model.seconds.default)
    choices = model.seconds.choices
    return Decimal(choices[0]) if choices and len(choices) == 1 else None


def expected_fps(request: VideoRequest, model: Model) -> int | None:
    """Frames per second: as requested, or the model's only rate."""
    if request.fps is not None:
        return request.fps
    return model.fps[0] if model.fps and len(model.fps) == 1 else None


def expected_tier(request: VideoRequest, model: Model) -> Tier | None:
    """The requested tier, or the model's default."""
    return model.size.tier(request.resolution or model.size.default_tier)


def expected_size(request: VideoRequest, model: Model) -> Size | None:
    """Width and height in pixels: as requested, or from the model's table for tier and ratio."""
    if model.size.by == "pixels":
        if request.width and request.height:
            return Size(request.width, request.height)
        only = model.size.pixels
        return only[0] if only and len(only) == 1 and not (request.width or request.height) else None
    tier = expected_tier(request, model)
    ratio = request.ratio or model.size.default_ratio
    return tier.sizes.get(ratio) if tier and ratio else None
