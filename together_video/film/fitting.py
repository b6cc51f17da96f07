"""How the shots fit together: the size, frame rate and length of the film, and findings about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from together_video.catalogue import Catalogue
from together_video.catalogue.findings import Finding, advice, error, note
from together_video.catalogue.models import MediaField
from together_video.catalogue.sizes import Size
from together_video.film.planned_shot import PlannedShot
from together_video.film.shots import Shot
from together_video.film.storyboard import Captions, Cut, Storyboard
from together_video.requests import VideoRequest

T = TypeVar("T")
_OWN = "project"


class FilmForm(BaseModel):
    """The expected form of the film. A field is None if the documentation does not state it for the shots.

    `seconds` is its length with crossfades. `same_size` has the numbers of the shots that are joined without scaling.
    """

    model_config = ConfigDict(frozen=True)

    seconds: Decimal | None
    size: Size | None
    fps: Decimal | None
    same_size: tuple[int, ...] = ()


def form_of_film(cut: Cut, shots: Sequence[PlannedShot]) -> FilmForm:
    """The size and rate of the cut, by default those of most shots. Of two equally common sizes, the larger."""
    sizes, rates = _most_common(one.size for one in shots), _most_common(one.fps for one in shots)
    size = (
        Size(cut.width, cut.height)
        if cut.width and cut.height
        else max(sizes, key=lambda each: each.area, default=None)
    )
    fps = Decimal(str(cut.fps)) if cut.fps else Decimal(max(rates)) if rates else None
    lengths = [one.seconds for one in shots]
    fades = sum((crossfade(one.shot) for one in shots), Decimal(0))
    known = [each for each in lengths if each is not None]
    return FilmForm(
        seconds=sum(known, Decimal(0)) - fades if len(known) == len(lengths) else None,
        size=size,
        fps=fps,
        same_size=tuple(one.number for one in shots if size is not None and one.size == size),
    )


def crossfade(shot: Shot) -> Decimal:
    """Seconds in which both this shot and the one before are visible."""
    return Decimal(str(shot.transition.seconds)) if shot.transition.kind == "crossfade" else Decimal(0)


def findings_of_film(
    storyboard: Storyboard, shots: Sequence[PlannedShot], form: FilmForm
) -> tuple[dict[int, list[Finding]], list[Finding]]:
    """Findings about single shots in their places, by their numbers, and about the film."""
    of_shots = {
        one.number: list(_of_shot(one, shots[one.number] if one.number < len(shots) else None, form))
        for one in shots
    }
    return of_shots, list(_of_film(storyboard, form))


def _of_shot(one: PlannedShot, after: PlannedShot | None, form: FilmForm) -> Iterator[Finding]:
    if one.same_as is not None:
        words = f"It is made like shot {one.same_as}: one clip is bought and shown twice. Another seed gives another."
        yield note("seed", words, _OWN)
    fade, out = crossfade(one.shot), crossfade(after.shot) if after else Decimal(0)
    if one.seconds is not None and fade + out >= one.seconds:
        words = f"Crossfades of {fade + out} s use up all of this shot of {one.seconds} s."
        yield error("transition", words, _OWN)
    if fade and one.shot.continues:
        words = "A shot that continues the one before needs no crossfade: the cut is seamless."
        yield advice("transition", words, _OWN)
    if form.size is not None and one.size is not None and one.size != form.size:
        yield note("size", f"{one.size} is scaled to {form.size}, the size of the film.", _OWN)
    if form.fps is not None and one.fps is not None and one.fps != form.fps:
        yield note(
            "fps", f"{one.fps} frames per second become {form.fps.normalize():f}, the rate of the film.", _OWN
        )


def _of_film(storyboard: Storyboard, form: FilmForm) -> Iterator[Finding]:
    cut = storyboard.cut
    fades = Decimal(str(cut.fade_in)) + Decimal(str(cut.fade_out))
    if form.seconds is not None and fades > form.seconds:
        words = f"Fades of {fades} s are longer than the film, which lasts {form.seconds} s."
        yield error("cut.fade_out", words, _OWN)
    captions = any(shot.caption for shot in storyboard.shots)
    if not captions and cut.captions in {Captions.TRACK, Captions.BURNED}:
        yield note("cut.captions", "No shot has a caption.", _OWN)


def in_words_of_the_shot(
    findings: Iterable[Finding],
    request: VideoRequest,
    shot: Shot,
    storyboard: Storyboard,
    catalogue: Catalogue,
) -> Iterator[Finding]:
    """The catalogue's findings, with the field names that the storyboard uses."""
    frames = "continue" if shot.continues else "from" if shot.first else "to"
    names = {f"media.{MediaField.FRAME_IMAGES}": frames} if shot.continues or shot.first or shot.last else {}
    if shot.extend:
        names[f"media.{MediaField.FRAME_VIDEOS}"] = "extend"
    for found in findings:
        field, message = names.get(found.field, found.field), found.message
        if field in {"continue", "from", "extend"} and found.rule == "media_are_taken":
            message += _that_take(field, request, catalogue)
        if found.rule == "prompt_fits" and storyboard.look.style and shot.prompt != request.prompt:
            message += " The style of the film is part of it."
        yield found.model_copy(update={"field": field, "message": message})


def _that_take(field: str, request: VideoRequest, catalogue: Catalogue) -> str:
    """Models of the same maker that can do what is asked."""
    model = catalogue.find(request.model)
    if model is None:
        return ""
    wanted = MediaField.FRAME_VIDEOS if field == "extend" else MediaField.FRAME_IMAGES
    able = [
        other.name
        for other in catalogue.offered_by(model.organisation)
        if other is not model
        and (
            wanted in (other.media.accepted or {})
            or (wanted is MediaField.FRAME_IMAGES and "first" in (other.keyframes or ()))
        )
    ]
    if not able:
        return ""
    return f" {' and '.join(able[:3])} {'does' if len(able) == 1 else 'do'}."


def _most_common(values: Iterable[T | None]) -> list[T]:
    """The value of most shots: several if equally common, none if it is unknown for most."""
    counts = Counter(values)
    most = max(counts.values(), default=0)
    found = [value for value, count in counts.items() if count == most]
    return [value for value in found if value is not None] if None not in found else []
