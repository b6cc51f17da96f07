"""Fit a request to another model: check it again, change its size, drop what the other model does not take."""

from __future__ import annotations

from typing import NamedTuple

from together_video.catalogue.aspects import fit_aspect
from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.checks import check
from together_video.catalogue.findings import Finding, Instead, Level
from together_video.catalogue.sizes import Size, aspect_of, closest_ratio
from together_video.requests import VideoRequest

#: Rules whose suggestion is applied: the nearest size, tier, shape or length, or the field left out.
_FITTED = frozenset(
    {
        "pixels_fit",
        "tier_fits",
        "ratio_fits",
        "length",
        "frame_rate",
        "steps_are_taken",
        "format_is_made",
        "seed_range",
        "sound_is_made",
        "negative_prompt",
    }
)
#: Rules about what the video is made from: with other media or another prompt it would be another video.
_NEEDED = frozenset({"prompt_fits", "required_media", "media_go_together", "media_are_taken", "frames_fit"})
_WEIGHTY = frozenset({Level.ERROR, Level.WARNING})
#: The shapes that people mean with a size such as 1366x768.
_SHAPES = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21", "3:2", "2:3")
#: One change may require another, such as a tier its ratio.
_ROUNDS = 4


class Fit(NamedTuple):
    """What changes in the request besides its model, remarks about that, and why the model cannot make the video.

    `changes` are request fields with their new values, None for one that is left out. `problem` is None if the model
    can make the video.
    """

    changes: dict[str, Instead]
    remarks: tuple[str, ...] = ()
    problem: str | None = None


def fit(request: VideoRequest, name: str, catalogue: Catalogue | None = None) -> Fit:
    """The request for the model with that name.

    Raises:
        RequestInvalid: the catalogue does not have that model.

    Example:
        ```python
        request = VideoRequest(model="pixverse/pixverse-v5", prompt="a fox", width=1280, height=720, seconds=5)
        fit(request, "ByteDance/Seedance-2.0").changes
        # {'width': None, 'height': None, 'resolution': '720p', 'ratio': '16:9'}
        ```
    """
    known = catalogue or Catalogue.load()
    known.get(name)
    changes: dict[str, Instead] = {}
    remarks: list[str] = []
    for _ in range(_ROUNDS):
        made = request.model_copy(update={"model": name, **changes})
        findings = check(made, known)
        if (needed := _first(findings, _NEEDED)) is not None:
            return Fit({}, (), needed.message)
        wanted = [found for found in findings if _is_fitted(found)]
        fresh = {
            field: value
            for found in wanted
            for field, value in _instead(found).items()
            if getattr(made, field) != value
        }
        if not fresh:
            break
        changes |= fresh
        remarks += [found.message for found in wanted]
    changes = {**_shape(request, name, changes, known), **changes}
    return Fit(
        {field: value for field, value in changes.items() if getattr(request, field) != value},
        tuple(dict.fromkeys(remarks)),
    )


def _shape(
    request: VideoRequest, name: str, changes: dict[str, Instead], catalogue: Catalogue
) -> dict[str, Instead]:
    """The requested shape, for a model without documented shapes: no rule can suggest one."""
    made = request.model_copy(update={"model": name, **changes})
    if (made.width and made.height) or made.ratio:
        return {}
    wanted = aspect_of(request.ratio or "")
    if wanted is None and request.width and request.height:
        wanted = request.width / request.height
    ratio = closest_ratio(wanted, _SHAPES) if wanted else None
    if ratio is None:
        return {}
    general = catalogue.general
    try:
        fields = fit_aspect(ratio, catalogue.get(name), Size(general.width, general.height)).fields
    except ValueError:
        return {}
    for field in fields:
        changes.pop(field, None)
    return dict(fields)


def _first(findings: list[Finding], rules: frozenset[str]) -> Finding | None:
    return next((found for found in findings if found.level in _WEIGHTY and found.rule in rules), None)


def _is_fitted(found: Finding) -> bool:
    # The way of sizing may be a guess and its finding only advice, but keeping another model's size is worse.
    return found.rule in _FITTED and (found.level in _WEIGHTY or found.rule == "pixels_fit")


def _instead(found: Finding) -> dict[str, Instead]:
    return dict(found.instead) or {found.field: None}
