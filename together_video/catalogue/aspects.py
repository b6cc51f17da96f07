"""Find the size, or the tier and ratio, of a model that comes closest to a wanted shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from together_video.catalogue.models import Model, Tier
from together_video.catalogue.sizes import Size, aspect_of, size_for

#: Shapes that differ by less than this look the same: 1366x768 and 1248x704 are called 16:9 too.
SAME_SHAPE = 0.03
#: The shorter edge, in pixels, for models without a list of sizes: most other models have such a size.
_LINES = 720


class AspectFit(NamedTuple):
    """The request fields for the shape, the same in words, and whether it is exactly the wanted shape.

    `documented` is False if the model's shapes are not documented; it may refuse this one.
    """

    fields: dict[str, Any]
    words: str
    exact: bool
    documented: bool = True


def fit_aspect(aspect: str, model: Model, usual: Size) -> AspectFit:
    """The model's best match. Among several sizes of that shape, the one closest to `usual` is used. If the
    model's sizes or ratios are not documented, the plain ones of the shape are used.

    Raises:
        ValueError: by its documents, the model takes no shape; the message says what to do.
    """
    wanted = aspect_of(aspect)
    if wanted is None:
        raise ValueError(f"{aspect!r} is not a shape such as 16:9")
    if model.size.by == "pixels":
        return _pixels(wanted, model, usual)
    return _tier_and_ratio(aspect.strip(), wanted, model, usual)


def _pixels(wanted: float, model: Model, usual: Size) -> AspectFit:
    if not model.size.pixels:
        plain = size_for(_LINES, wanted)
        return AspectFit(
            {"width": plain.width, "height": plain.height}, str(plain), exact=True, documented=False
        )
    closest = min(_distance(size.aspect, wanted) for size in model.size.pixels)
    alike = [size for size in model.size.pixels if _distance(size.aspect, wanted) < closest + SAME_SHAPE]
    size = min(alike, key=lambda each: abs(math.log(each.area / usual.area)))
    return AspectFit({"width": size.width, "height": size.height}, str(size), closest < SAME_SHAPE)


def _tier_and_ratio(aspect: str, wanted: float, model: Model, usual: Size) -> AspectFit:
    ratios = [(ratio, shape) for ratio in model.size.ratios or () if (shape := aspect_of(ratio))]
    if model.size.ratios is None:
        return AspectFit({"ratio": aspect}, f"ratio {aspect}", exact=True, documented=False)
    if not ratios:
        raise ValueError(
            f"{model.name} does not take a ratio, so you cannot choose its shape: leave the aspect out"
        )
    ratio, shape = min(ratios, key=lambda pair: _distance(pair[1], wanted))
    tier = model.size.tier(model.size.default_tier) or _nearest(model.size.tiers or (), usual.height)
    fields = {"ratio": ratio, **({"resolution": tier.name} if tier else {})}
    words = f"ratio {ratio}" + (f" at {tier.name}" if tier else "")
    if tier and ratio in tier.sizes:
        words += f" ({tier.sizes[ratio]})"
    return AspectFit(fields, words, _distance(shape, wanted) < SAME_SHAPE)


def _nearest(tiers: Sequence[Tier], lines: int) -> Tier | None:
    return min(tiers, key=lambda tier: abs((tier.lines or lines) - lines), default=None)


def _distance(one: float, other: float) -> float:
    return abs(math.log(one / other))
