"""Why frames are encoded instead of copied, in words that a person can act on."""

from __future__ import annotations

from fractions import Fraction

from together_video.joining.isolated.layout import Placed, Span
from together_video.joining.isolated.recipe import Recipe
from together_video.joining.isolated.survey import Clip


def differs(clip: Clip, width: int, height: int, fps: Fraction) -> str | None:
    """Why none of its packets can be copied into a film of this form."""
    if clip.why_not:
        return clip.why_not
    if (clip.width, clip.height) != (width, height):
        return f"it has {clip.width}×{clip.height} pixels, the film has {width}×{height}"
    if clip.rate != fps:
        return f"it has {float(clip.rate or 0):g} frames per second, the film has {float(fps):g}"
    return None


def why_encoded(
    recipe: Recipe,
    clips: list[Clip],
    number: int,
    placed: list[Placed],
    spans: list[Span],
    pattern: int | None,
    film: tuple[int, int, Fraction],
) -> tuple[str, ...]:
    """Why frames of a piece are encoded, a few words each. Empty if all are copied."""
    clip, part = clips[number], recipe.parts[number]
    own = [span for span in spans if number in (span.piece, span.other) and not span.copied]
    if not own:
        return ()
    reasons = []
    if reason := differs(clip, *film):
        return (reason,)
    if recipe.captions == "burned" and part.caption:
        reasons.append("its caption is drawn into it")
    if any(span.other is not None for span in own):
        reasons.append("it is part of a crossfade")
    frames = placed[-1].start + placed[-1].count
    fades = round(recipe.fade_in * film[2]), round(recipe.fade_out * film[2])
    if any(span.start < fades[0] or span.end > frames - fades[1] for span in own):
        reasons.append("the film fades in or out during it")
    one = placed[number]
    if one.skipped or one.skipped + one.count < clip.frames:
        reasons.append("one of its frames is left out, but others depend on it")
    if reasons:
        return tuple(reasons)
    if pattern is not None and clip.likeness != clips[pattern].likeness:
        other = clips[pattern]
        named = {
            "codec differs from that": (clip.codec, other.codec),
            "pixel format differs from that": (clip.pixels, other.pixels),
            "colours differ from those": (clip.colours, other.colours),
        }
        usual = "coding parameters differ from those"
        what = next((words for words, (a, b) in named.items() if a != b), usual)
        return (f"its {what} of piece {pattern + 1}",)
    return ("other pieces must be encoded, and its kind of pictures cannot be mixed with encoded ones",)
