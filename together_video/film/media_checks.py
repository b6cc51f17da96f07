"""Whether the files that a storyboard names exist and are what they should be. Reads them; sends nothing."""

from __future__ import annotations

from together_video.catalogue.findings import Finding, sterner, warning
from together_video.errors import InputError
from together_video.film.caption_checks import undrawn_captions
from together_video.film.plan import FilmPlan
from together_video.film.planned_shot import PlannedShot
from together_video.inputs.findings import finding_of_media
from together_video.inputs.media import look_over
from together_video.joining.sound_checks import check_sound
from together_video.media.sources import MediaForm, form_of, inline_bytes, path_of


def with_media_checked(plan: FilmPlan, *, strict: bool = False) -> FilmPlan:
    """The plan, with the problems of the files of its shots and of its cut added to the findings.

    Remote media (links, s3:// addresses) are not fetched.
    """
    found: dict[int, list[Finding]] = {}
    intake, problems = look_over([one.request for one in plan.shots])
    for problem in problems:
        place = _in_storyboard(problem.place, plan.shots[problem.request])
        found.setdefault(problem.request + 1, []).append(finding_of_media(place, problem.words))
    for note in intake.notes:
        place = _in_storyboard(note.place, plan.shots[note.request])
        found.setdefault(note.request + 1, []).append(warning(place, f"{note.words}.", "project"))
    for one in plan.shots:
        if words := _why_not_heard(one.shot.audio.narration):
            found.setdefault(one.number, []).append(finding_of_media("audio.narration", words))
    music = plan.storyboard.cut.music
    of_captions = undrawn_captions(plan.storyboard)
    of_film = [*plan.findings, *(sterner(of_captions) if strict else of_captions)]
    if words := _why_not_heard(music.file if music else None):
        of_film.append(finding_of_media("cut.music", words))
    if not found and len(of_film) == len(plan.findings):
        return plan
    shots = tuple(
        one.model_copy(
            update={
                "findings": (
                    *one.findings,
                    *(sterner(more) if strict else more),
                )
            }
        )
        if (more := found.get(one.number))
        else one
        for one in plan.shots
    )
    return plan.model_copy(update={"shots": shots, "findings": tuple(of_film)})


def _in_storyboard(place: str, one: PlannedShot) -> str:
    """Where a storyboard names the medium at this place of a request."""
    frames = one.request.media.frame_images if one.request.media else None
    for number, image in enumerate(frames or ()):
        if place == f"media.frame_images[{number}]":
            return "to" if image.frame == "last" else "from"
    return place


def _why_not_heard(text: str | None) -> str | None:
    """Why an audio file cannot be used. None if it can, or if it is remote."""
    if text is None:
        return None
    try:
        match form_of(text):
            case MediaForm.FILE:
                check_sound(path_of(text))
            case MediaForm.INLINE:
                check_sound(inline_bytes(text))
            case _:
                pass
    except InputError as error:
        return error.what
    return None
