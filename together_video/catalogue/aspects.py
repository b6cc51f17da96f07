"""Which of a model's sizes, or which tier and ratio, comes nearest to a wanted shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from together_video.catalogue.models import Model, Tier
from together_video.catalogue.sizes import Size, aspect_of

#: Shapes that differ by less than this look the same: 1366x768 and 1248x704 are called 16:9 too.
SAME_SHAPE = 0.03


class AspectFit(NamedTuple):
    """The request fields that give the shape, in words too, and whether it is the wanted one."""

    fields: dict[str, Any]
    words: str
    exact: bool


def fit_aspect(aspect: str, model: Model, usual: Size) -> AspectFit:
    """The model's best match. Of several sizes of that shape the one nearest to `usual` is taken.

    Raises:
        ValueError: nothing is known that could be chosen from; the message says what to do.
    """
    wanted = aspect_of(aspect)
    if wanted is None:
        raise ValueError(f"{aspect!r} is no shape such as 16:9")
    if model.size.by == "pixels":
        return _pixels(wanted, model, usual)
    return _tier_and_ratio(wanted, model, usual)


def _pixels(wanted: float, model: Model, usual: Size) -> AspectFit:
    if not model.size.pixels:
        raise ValueError(f"no document lists the sizes of {model.name}: give width and height instead")
    closest = min(_distance(size.aspect, wanted) for size in model.size.pixels)
    alike = [size for size in model.size.pixels if _distance(size.aspect, wanted) < closest + SAME_SHAPE]
    size = min(alike, key=lambda each: abs(math.log(each.area / usual.area)))
    return AspectFit({"width": size.width, "height": size.height}, str(size), closest < SAME_SHAPE)


def _tier_and_ratio(wanted: float, model: Model, usual: Size) -> AspectFit:
    ratios = [(ratio, shape) for ratio in model.size.ratios or () if (shape := aspect_of(ratio))]
    if not ratios:
        takes = "takes no ratio" if model.size.ratios is not None else "has no ratios that are documented"
        raise ValueError(f"{model.name} {takes}, so its shape cannot be chosen: leave the aspect out")
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
