"""How long each shot of a film is, so that they add up to the requested length. In seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from together_video.catalogue import Catalogue
from together_video.catalogue.models import Model
from together_video.errors import InputError
from together_video.film.writing.briefs import MOST_WRITTEN, StoryBrief

#: Shots of a film if the brief gives neither shots nor seconds; seconds of a shot if the model has no default length.
_USUAL_SHOTS, _USUAL_SECONDS = 6, 6


def lengths_of(brief: StoryBrief, model: Model, catalogue: Catalogue | None = None) -> tuple[int, ...]:
    """The length of each shot, one that the model offers. The longer ones are spread over the film.

    The sum is as close to the requested length as the model's lengths allow.

    Raises:
        InputError: this many shots of this model miss the requested length by more than a tenth.
    """
    possible = lengths_that_are_made(model, catalogue or Catalogue.load())
    usual = _nearest(possible, model.seconds.default or _USUAL_SECONDS)
    if brief.seconds is None:
        return (usual,) * (brief.shots or _USUAL_SHOTS)
    shots = brief.shots or max(1, round(brief.seconds / usual))
    if shots > MOST_WRITTEN:
        raise InputError(
            f"A film of {brief.seconds:g} s needs {shots} shots of {usual} s by {model.name}, but the limit is "
            f"{MOST_WRITTEN}. Ask for fewer seconds, or write the storyboard in parts. Nothing was sent."
        )
    found = _spread(shots, brief.seconds, possible)
    if abs(sum(found) - brief.seconds) > max(1.0, brief.seconds / 10):
        raise InputError(_impossible(brief.seconds, shots, model, possible, found))
    return found


def lengths_that_are_made(model: Model, catalogue: Catalogue) -> tuple[int, ...]:
    """The whole seconds that the model offers, ascending, or the general ones if it documents none."""
    if model.seconds.choices:
        return tuple(sorted(model.seconds.choices))
    general = catalogue.general.seconds
    longest = model.seconds.maximum or general.longest or _USUAL_SECONDS
    return tuple(range(min(model.seconds.minimum or general.minimum or 1, longest), longest + 1))


def _spread(shots: int, seconds: float, possible: Sequence[int]) -> tuple[int, ...]:
    """Lengths for this many shots with the closest sum: mostly the two around the mean, the longer ones spread."""
    lengths = [max((each for each in possible if each <= seconds / shots), default=possible[0])] * shots
    # Each step makes one shot longer, in turn, while that brings the sum closer.
    stride = _stride(shots)
    for step in range(shots * len(possible)):
        index = step * stride % shots
        longer = [each for each in possible if each > lengths[index]]
        if not longer:
            continue
        missing = seconds - sum(lengths)
        if abs(missing - (longer[0] - lengths[index])) < abs(missing):
            lengths[index] = longer[0]
    return tuple(lengths)


def _stride(shots: int) -> int:
    """A step size that visits every shot once, and neighbours late."""
    return next(each for each in range(max(1, round(shots * 0.618)), shots + 1) if math.gcd(each, shots) == 1)


def _nearest(possible: Sequence[int], wanted: float) -> int:
    return min(possible, key=lambda each: (abs(Decimal(each) - Decimal(str(wanted))), each))


def _impossible(
    seconds: float, shots: int, model: Model, possible: Sequence[int], found: Sequence[int]
) -> str:
    needed = math.ceil(seconds / possible[-1]) if sum(found) < seconds else math.floor(seconds / possible[0])
    made = f"{possible[0]} s" if len(possible) == 1 else f"{possible[0]} to {possible[-1]} s"
    others = f"{needed} shots, or " if 1 <= needed <= MOST_WRITTEN else ""
    return (
        f"{shots} {'shot' if shots == 1 else 'shots'} of {model.name} ({made} each) make {sum(found)} s, not "
        f"{seconds:g} s: ask for {others}{sum(found)} s. Nothing was sent."
    )
