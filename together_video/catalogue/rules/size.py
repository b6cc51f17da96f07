"""Rules about the picture's size: width and height in pixels, or a tier with a ratio."""

from __future__ import annotations

from collections.abc import Iterator

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.findings import Finding, Instead, advice, quoted, warning
from together_video.catalogue.models import Model, Tier
from together_video.catalogue.sizes import (
    Size,
    aspect_of,
    closest_ratio,
    closest_size,
    lines_of,
    size_for,
    wide_size,
)
from together_video.requests import VideoRequest


def pixels_fit(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Width and height: both or neither, only for a model sized in pixels, and from its list."""
    width, height = request.width, request.height
    if width is None and height is None:
        return
    given, other = ("width", "height") if width is not None else ("height", "width")
    if model.size.by == "tiers":
        say = warning if model.size.certain else advice
        wanted = Size(width, height) if width and height else None
        message = f"{model.name} is sized by resolution and ratio, not in pixels; {_as_tier(wanted, model)}."
        yield say(given, message, model.sizes_from, width=None, height=None, **_tier_for(wanted, model))
        return
    offered = model.size.pixels
    if width is None or height is None:
        message = f"{given.capitalize()} is given without {other}: give both or neither"
        near = [size for size in offered or () if getattr(size, given) == getattr(request, given)]
        message += f"; {model.name} has {_join(near)}." if near else "."
        size = near[0] if near else closest_size(wide_size(height or 720), offered or ())
        yield warning(other, message, model.sizes_from, **_pixels_of(size))
    elif offered is not None and (width, height) not in offered:
        near_size = closest_size(Size(width, height), offered)
        message = f"{model.name} has no size {width}x{height}; the nearest is {near_size}."
        yield warning("width", message, model.sizes_from, **_pixels_of(near_size))


def tier_fits(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """The resolution, in the model's own spelling."""
    asked = request.resolution
    if asked is None:
        return
    if not model.size.certain and model.size.by == "pixels":
        message = f"It is not documented how {model.name} is sized; resolution may be ignored or refused."
        yield advice("resolution", message, model.sizes_from, resolution=None)
        return
    if model.size.by == "pixels":
        message = f"{model.name} is sized in pixels: give width and height instead of a resolution"
        size = _meant(request, model)
        yield warning("resolution", message + _here(size), model.sizes_from, **_without_tier(request, size))
        return
    tiers = model.size.tiers
    if tiers is None or any(tier.name == asked for tier in tiers):
        return
    if near := model.size.tier(asked):
        message = f"{model.name} writes its tier {near.name}, not {quoted(asked)}."
    else:
        message = f"{model.name} has no tier {quoted(asked)}; it has {_join(tiers)}"
        near = _nearest_tier(lines_of(asked), tiers)
        message += f"; {near.name} is the nearest." if near and len(tiers) > 1 else "."
    say = warning if model.size.certain else advice
    yield say("resolution", message, model.sizes_from, resolution=near.name if near else None)


def ratio_fits(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """The ratio, from the model's list. An empty list means that the model does not take one."""
    asked, ratios = request.ratio, model.size.ratios
    if asked is None:
        return
    if not model.size.certain and model.size.by == "pixels":
        message = f"It is not documented how {model.name} is sized; ratio may be ignored or refused."
        yield advice("ratio", message, model.sizes_from, ratio=None)
    elif model.size.by == "pixels":
        message = f"{model.name} is sized in pixels: give width and height instead of a ratio"
        size = _meant(request, model)
        yield warning("ratio", message + _here(size), model.sizes_from, **_without_tier(request, size))
    elif ratios is not None and not ratios:
        yield warning(
            "ratio", f"{model.name} does not take a ratio; leave it out.", model.sizes_from, ratio=None
        )
    elif ratios is not None and asked not in ratios:
        message = f"{model.name} has no ratio {quoted(asked)}; it has {', '.join(ratios)}"
        aspect = aspect_of(asked)
        near = closest_ratio(aspect, ratios) if aspect else None
        message += f"; {near} is the nearest." if near else "."
        yield warning("ratio", message, model.sizes_from, ratio=near)


def _as_tier(wanted: Size | None, model: Model) -> str:
    """What to write instead of this size: `give resolution 720P and ratio 9:16`."""
    tiers = model.size.tiers or ()
    words = [f"{name} {value}" for name, value in _tier_for(wanted, model).items()]
    if words:
        return f"give {' and '.join(words)}"
    return f"its tiers are {_join(tiers)}" if tiers else "leave them out"


def _tier_for(wanted: Size | None, model: Model) -> dict[str, Instead]:
    """The resolution and ratio closest to this size, as far as the model has them."""
    near = _nearest_tier(min(wanted) if wanted else None, model.size.tiers or ())
    ratio = closest_ratio(wanted.aspect, model.size.ratios or ()) if wanted else None
    return {name: value for name, value in (("resolution", near and near.name), ("ratio", ratio)) if value}


def _meant(request: VideoRequest, model: Model) -> Size | None:
    """The listed size that this resolution and ratio probably mean."""
    lines = lines_of(request.resolution) if request.resolution else None
    aspect = aspect_of(request.ratio) if request.ratio else None
    if lines is None and aspect is None:
        return None
    wanted = size_for(lines or 720, aspect) if aspect else wide_size(lines or 720)
    return closest_size(wanted, model.size.pixels or ())


def _here(size: Size | None) -> str:
    return f", here {size}." if size else "."


def _without_tier(request: VideoRequest, size: Size | None) -> dict[str, Instead]:
    """A given size stays; otherwise, the one that was probably meant."""
    given = request.width is not None or request.height is not None
    return {"resolution": None, "ratio": None, **({} if given or size is None else _pixels_of(size))}


def _pixels_of(size: Size | None) -> dict[str, Instead]:
    return {"width": size.width if size else None, "height": size.height if size else None}


def _nearest_tier(lines: int | None, tiers: tuple[Tier, ...]) -> Tier | None:
    known = [(tier, tier.lines) for tier in tiers if tier.lines]
    if lines is None or not known:
        return tiers[0] if len(tiers) == 1 else None
    return min(known, key=lambda pair: abs(pair[1] - lines))[0]


def _join(things: list[Size] | tuple[Tier, ...]) -> str:
    return ", ".join(thing.name if isinstance(thing, Tier) else str(thing) for thing in things)
