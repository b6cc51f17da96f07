"""What most frames of a film's clips have in common: the film's size and rate, unless the cut sets them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from together_video.joining.isolated.recipe import Recipe
from together_video.joining.isolated.survey import Clip

_LEAST_SIDE, _LONGEST_SIDE = 16, 8192


def size_of(recipe: Recipe, clips: list[Clip]) -> tuple[int, int]:
    common = most(clips, lambda clip: clip.shown) or clips[0].shown
    width, height = common
    if recipe.width and recipe.height:
        return recipe.width, recipe.height
    if recipe.width:
        width, height = recipe.width, round(height * recipe.width / width / 2) * 2
    elif recipe.height:
        width, height = round(width * recipe.height / height / 2) * 2, recipe.height
    if all(clip.why_not is None and (clip.width, clip.height) == (width, height) for clip in clips):
        return width, height  # odd sides too: nothing needs to be encoded for its size
    return even(width), even(height)


def even(side: int) -> int:
    return min(_LONGEST_SIDE, max(_LEAST_SIDE, side // 2 * 2))


def most(clips: list[Clip], what: Any) -> Any:
    """The most common value among frames, ignoring None. Of equally common ones, the first."""
    found: dict[Any, int] = {}
    for clip in clips:
        if (value := what(clip)) is not None:
            found[value] = found.get(value, 0) + clip.frames
    return max(found, key=lambda value: found[value]) if found else None


def usual_rate(clip: Clip) -> Fraction:
    """The usual frame rate nearest to that of a clip with a variable rate."""
    rate = clip.frames / clip.seconds if clip.seconds else Fraction(24)
    usual = (*(Fraction(n) for n in (1, 2, 5, 8, 10, 12, 15, 24, 25, 30, 50, 60)), Fraction(30000, 1001))
    return min(usual, key=lambda one: abs(one - rate))
