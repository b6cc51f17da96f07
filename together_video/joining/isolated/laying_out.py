"""Decides how a film is laid out, before anything is made: as much as possible is copied."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from together_video.joining.isolated import parameter_sets
from together_video.joining.isolated.layout import PROFILES, Layout, Placed, Span, frames_of
from together_video.joining.isolated.majority import even, most, size_of, usual_rate
from together_video.joining.isolated.reasons import differs, why_encoded
from together_video.joining.isolated.recipe import Fault, Recipe
from together_video.joining.isolated.survey import Clip

#: Fewer frames than this are not worth copying beside encoded ones.
_LEAST_COPIED = 12
#: Transfer functions of HDR: PQ and HLG (ISO/IEC 23091-2).
_HDR = frozenset({16, 18})


def lay_out(recipe: Recipe, clips: list[Clip]) -> Layout:
    """Copy as much as possible.

    Raises:
        Fault: a piece is shorter than its crossfades, or the film is shorter than its fades.
    """
    fps = recipe.fps or most(clips, lambda clip: clip.rate) or usual_rate(clips[0])
    width, height = size_of(recipe, clips)
    laid = _best(recipe, clips, fps, (width, height))
    if laid.encodes and (width % 2 or height % 2):
        laid = _best(recipe, clips, fps, (even(width), even(height)))
    _refuse_hdr(laid, clips)
    return laid


def _refuse_hdr(laid: Layout, clips: list[Clip]) -> None:
    """HDR is copied or refused: encoded in 8 bits it would show wrong colours or banding."""
    for span in laid.spans:
        for number in () if span.copied else (span.piece, span.other):
            if number is not None and clips[number].colours[1] in _HDR:
                raise Fault(
                    "is HDR, which can only be copied, but this cut needs it to be encoded",
                    piece=number,
                    remedy="Convert it to SDR first, or use only HDR clips of one kind, without crossfades, fades or "
                    "captions burned into the picture.",
                )


def _best(recipe: Recipe, clips: list[Clip], fps: Fraction, size: tuple[int, int]) -> Layout:
    groups: dict[Any, int] = {}
    for clip in clips:
        if differs(clip, *size, fps) is None:
            groups[clip.likeness] = groups.get(clip.likeness, 0) + clip.frames
    for likeness in sorted(groups, key=lambda one: -groups[one]):
        laid = _laid(recipe, clips, fps, size, likeness)
        if any(span.copied for span in laid.spans) and (not laid.encodes or _mixes(likeness)):
            return laid
    return _laid(recipe, clips, fps, size, None)


def _laid(recipe: Recipe, clips: list[Clip], fps: Fraction, size: tuple[int, int], likeness: Any) -> Layout:
    copiable = [
        likeness is not None
        and clip.likeness == likeness
        and differs(clip, *size, fps) is None
        and not (recipe.captions == "burned" and part.caption)
        for part, clip in zip(recipe.parts, clips, strict=True)
    ]
    placed, frames = _placed(recipe, clips, fps, copiable)
    fades = round(recipe.fade_in * fps), round(recipe.fade_out * fps)
    if sum(fades) > frames:
        raise Fault(f"The film lasts {float(frames / fps):.1f} s, but its fades are longer. Shorten them.")
    spans: list[Span] = []
    for number, (one, clip) in enumerate(zip(placed, clips, strict=True)):
        following = placed[number + 1].crossfade if number + 1 < len(placed) else 0
        if one.crossfade:
            before = placed[number - 1]
            first = before.skipped + before.count - one.crossfade
            spans.append(
                Span(one.start, one.crossfade, number - 1, first, other=number, other_first=one.skipped)
            )
        whole = Span(
            one.start + one.crossfade,
            one.count - one.crossfade - following,
            number,
            one.skipped + one.crossfade,
        )
        within = (fades[0], frames - fades[1])
        spans += _split(whole, clip if copiable[number] else None, within)
    spans = [span for span in spans if span.count]
    pattern = next((span.piece for span in spans if span.copied), None)
    explained = tuple(
        replace(one, why=why_encoded(recipe, clips, number, placed, spans, pattern, (*size, fps)))
        for number, one in enumerate(placed)
    )
    return Layout(*size, fps, frames, explained, tuple(spans), *fades, pattern)


def _placed(
    recipe: Recipe, clips: list[Clip], fps: Fraction, copiable: list[bool]
) -> tuple[list[Placed], int]:
    """Where each piece starts, and the number of all frames."""
    counts = [frames_of(clip, fps) for clip in clips]
    heads, tails, crossfades = ([0] * len(clips) for _ in range(3))
    for number, part in enumerate(recipe.parts[1:], start=1):
        crossfades[number] = round(part.crossfade * fps)
        if part.repeats_first:
            # Leave out the free one: in an encoded piece no other frame depends on it.
            is_free = not copiable[number] and copiable[number - 1] and not crossfades[number]
            if is_free:
                heads[number] = 1
            else:
                tails[number - 1] = 1
    placed: list[Placed] = []
    start = 0
    for number, count in enumerate(counts):
        left = count - heads[number] - tails[number]
        following = crossfades[number + 1] if number + 1 < len(counts) else 0
        if left < max(1, crossfades[number] + following):
            needed = float((crossfades[number] + following) / fps)
            raise Fault(
                f"lasts {float(count / fps):.2f} s, but its transitions need {needed:.2f} s",
                piece=number,
                remedy="Shorten the crossfades, or leave them out.",
            )
        start -= crossfades[number]
        placed.append(Placed(heads[number], left, start, crossfades[number]))
        start += left
    return placed, start


def _split(whole: Span, clip: Clip | None, within: tuple[int, int]) -> list[Span]:
    """A piece's own frames: copied in the middle, and encoded around that where necessary."""
    if clip is None:
        return [whole]
    shift = whole.first - whole.start
    begin = max(whole.first, within[0] + shift)
    end = min(whole.first + whole.count, within[1] + shift)
    closed = _closed(clip)
    first = next((key for key in clip.keys if key >= begin and key in closed), None)
    if first is None or first >= end:
        return [whole]
    last = max((place for place in closed if first < place <= end), default=first)
    is_all = (first, last) == (whole.first, whole.first + whole.count)
    if not is_all and last - first < _LEAST_COPIED:
        return [whole]
    return [
        replace(whole, count=first - whole.first),
        replace(whole, start=first - shift, first=first, count=last - first, copied=True),
        replace(whole, start=last - shift, first=last, count=whole.first + whole.count - last),
    ]


def _closed(clip: Clip) -> set[int]:
    """Numbers of packets after which the clip can be cut: that many first packets show that many first frames, need
    nothing that follows, and can be left out if a keyframe follows.
    """
    found, highest = {0}, -1
    for number, place in enumerate(clip.order, start=1):
        highest = max(highest, place)
        if highest == number - 1:
            found.add(number)
    return found


def _mixes(likeness: Any) -> bool:
    """Whether encoded frames can stand beside copied ones of this kind."""
    codec, head, _, _, pixels, _, _ = likeness
    sets = parameter_sets.read(head) if codec == "h264" else None
    if sets is None or pixels not in {"", "yuv420p"} or sets.profile not in PROFILES:
        return False
    return parameter_sets.OWN not in sets.numbers | sets.picture_numbers
