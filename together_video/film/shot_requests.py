"""The shots of a storyboard as requests, with look, defaults and frames filled in.

A shot that continues or extends the one before needs a frame or a clip that does not exist yet. Until it does, a
placeholder reference takes its place, so the catalogue can check and price the request.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import ValidationError

from together_video.catalogue import Catalogue
from together_video.catalogue.findings import Finding, Level, note, warning
from together_video.catalogue.models import Model
from together_video.catalogue.rules.media import media_are_taken, media_go_together
from together_video.film.shots import Shot
from together_video.film.storyboard import Look, Storyboard
from together_video.inputs.filling import filled
from together_video.inputs.presets import Expansion, expand
from together_video.media.sources import with_media
from together_video.requests import VideoRequest
from together_video.text import as_sentence
from together_video.validation_messages import explain

#: Placeholders for the last frame and the clip of the shot before.
PENDING_FRAME, PENDING_CLIP = f"archive:media/{'0' * 64}.png", f"archive:media/{'0' * 64}.mp4"

_WEIGHTY = frozenset({Level.ERROR, Level.WARNING})


class ShotRequest(NamedTuple):
    """The request of a shot, or None if none can be made; findings about choices that were made; and problems, as
    sentences without a full stop.
    """

    request: VideoRequest | None
    chosen: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()


def shot_request(storyboard: Storyboard, shot: Shot, catalogue: Catalogue | None = None) -> ShotRequest:
    """The request to the model for this shot. Never raises.

    The shot's own fields override the defaults, as those of a line in a request file do. The style of the film is added
    to the prompt as a sentence, unless the prompt has it already. The film's negative prompt and reference images are
    added if the model is known to take them.
    """
    known = catalogue or Catalogue.load()
    fields = filled(_said(shot), storyboard.defaults)
    expansion = expand(fields, known)
    if expansion.problems and "aspect" in storyboard.defaults and "aspect" not in shot.settings:
        expansion = _without_aspect(fields, expansion.problems, known)
    if expansion.problems:
        return ShotRequest(None, expansion.chosen, expansion.problems)
    try:
        request = VideoRequest.model_validate(_with_frames(expansion.fields, shot))
    except ValidationError as error:
        return ShotRequest(None, expansion.chosen, tuple(explain(error)))
    chosen = list(expansion.chosen)
    model, look = known.find(request.model), storyboard.look
    if look.style is not None and request.prompt is not None:
        request = request.model_copy(update={"prompt": styled(request.prompt, look.style)})
    if look.negative_prompt is not None:
        request = _with_negative(request, look.negative_prompt, model, chosen)
    if look.reference_images and "reference_images" not in _media_said(shot, storyboard):
        request = _with_references(request, look, model, known, chosen)
    return ShotRequest(request, tuple(chosen))


def styled(prompt: str, style: str) -> str:
    """The prompt with the style of the film as the last sentence."""
    if style.casefold().rstrip(".") in prompt.casefold():
        return prompt
    words = style[:1].upper() + style[1:]
    return f"{as_sentence(prompt.rstrip())} {as_sentence(words)}"


def with_shot_before(
    request: VideoRequest, *, frame: str | None = None, clip: str | None = None
) -> VideoRequest:
    """The request with the last frame or the clip of the shot before filled in.

    Args:
        frame: where the image is: any text that `media` accepts.
        clip: where the video is.
    """
    known = {PENDING_FRAME: frame, PENDING_CLIP: clip}
    return with_media(request, lambda _, text: known.get(text) or text)


def _said(shot: Shot) -> dict[str, Any]:
    own = {"prompt": shot.prompt, "seconds": shot.seconds, "model": shot.model, "seed": shot.seed}
    return {**shot.settings, **{name: value for name, value in own.items() if value is not None}}


def _without_aspect(fields: dict[str, Any], problems: tuple[str, ...], catalogue: Catalogue) -> Expansion:
    """Leave out an aspect ratio meant for every shot if this shot's model does not offer it."""
    found = expand({name: value for name, value in fields.items() if name != "aspect"}, catalogue)
    said = [problem.removeprefix("aspect: ") for problem in problems if problem.startswith("aspect: ")]
    left_out = [warning("aspect", f"{words}. It is left out of this shot.", "project") for words in said]
    return found._replace(chosen=(*found.chosen, *left_out))


def _media_said(shot: Shot, storyboard: Storyboard) -> set[str]:
    """The fields of `media` that the shot or the defaults set, in either spelling."""
    found: set[str] = set()
    for fields in (shot.settings, storyboard.defaults):
        media = fields.get("media")
        found |= {*fields, *(media if isinstance(media, dict) else ())}
    return found


def _with_frames(fields: dict[str, Any], shot: Shot) -> dict[str, Any]:
    first = PENDING_FRAME if shot.continues else shot.first
    frames = [
        {"input_image": text, "frame": place}
        for text, place in ((first, "first"), (shot.last, "last"))
        if text is not None
    ]
    added: dict[str, Any] = {"frame_images": frames} if frames else {}
    if shot.extend:
        added["frame_videos"] = [{"video": PENDING_CLIP}]
    return {**fields, "media": {**(fields.get("media") or {}), **added}} if added else fields


def _with_negative(
    request: VideoRequest, negative: str, model: Model | None, chosen: list[Finding]
) -> VideoRequest:
    """Added only if the documentation says so: jobs have failed because of a negative prompt."""
    if model is None:
        return request
    if model.negative_limit is None:
        words = (
            f"{model.name} is not documented to take a negative prompt: the film's is left out of this shot."
        )
        chosen.append(note("look.negative_prompt", words, model.limits_from))
        return request
    own = request.negative_prompt
    if own is not None and negative.casefold() in own.casefold():
        return request
    return request.model_copy(update={"negative_prompt": f"{own}, {negative}" if own else negative})


def _with_references(
    request: VideoRequest, look: Look, model: Model | None, catalogue: Catalogue, chosen: list[Finding]
) -> VideoRequest:
    """Left out if the documentation says that the model refuses them, or refuses them together with a frame."""
    made = _referring(request, look.reference_images)
    if model is None:
        return made
    # One is enough to find out. The check of the request says how many are allowed.
    one = _referring(request, look.reference_images[:1])
    refused = [
        *(
            found
            for found in media_are_taken(one, model, catalogue)
            if found.field == "media.reference_images"
        ),
        *media_go_together(one, model, catalogue),
    ]
    worst = next((found for found in refused if found.level in _WEIGHTY), None)
    if worst is None:
        return made
    words = f"{worst.message} The reference images of the film are left out of this shot."
    # A frame already carries the look, so then this is only a note.
    say = note if request.media is not None and request.media.frame_images else warning
    chosen.append(say("look.reference_images", words, worst.source))
    return request


def _referring(request: VideoRequest, images: tuple[str, ...]) -> VideoRequest:
    said = {name: getattr(request, name) for name in request.model_fields_set}
    media = {} if request.media is None else request.media.model_dump(exclude_none=True)
    return VideoRequest.model_validate({**said, "media": {**media, "reference_images": images}})
