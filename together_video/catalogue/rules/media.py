"""Rules about media: what a model needs, takes and combines, and where keyframes can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from together_video.catalogue.catalogue import Catalogue
from together_video.catalogue.expectations import expected_fps, expected_seconds
from together_video.catalogue.findings import Finding, advice, error, warning
from together_video.catalogue.models import MediaField, Model, Task
from together_video.media.sources import LARGEST_INLINE, MediaForm, form_of
from together_video.requests import AudioRef, FrameImage, VideoRef, VideoRequest

_AUDIO_ENDINGS = frozenset({".wav", ".mp3", ".aac", ".flac", ".m4a", ".ogg", ".oga", ".opus", ".wma"})
#: The task of each field, for models without documented media.
_TASKS = {
    MediaField.FRAME_IMAGES: Task.IMAGE,
    MediaField.FRAME_VIDEOS: Task.IMAGE,
    MediaField.REFERENCE_IMAGES: Task.REFERENCE,
    MediaField.REFERENCE_VIDEOS: Task.REFERENCE,
    MediaField.REFERENCE_AUDIOS: Task.REFERENCE,
    MediaField.SOURCE_VIDEO: Task.VIDEO,
}


def given_media(request: VideoRequest) -> dict[MediaField, list[str]]:
    """The media that are set, each as its addresses (or base64 text). Empty lists are left out."""
    found: dict[MediaField, list[str]] = {}
    if (media := request.media) is None:
        return found
    for field in MediaField:
        value = getattr(media, field.value)
        parts = value if isinstance(value, tuple) else (value,) if value else ()
        if parts:
            found[field] = [_address(part) for part in parts]
    return found


def required_media(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Missing media that the documents require are an error; an image-only model without media gets a warning."""
    given = given_media(request)
    for group in model.media.required:
        if not any(field in given for field in group):
            names = " or ".join(f"media.{field}" for field in group)
            yield error(f"media.{group[0]}", f"{model.name} needs {names}.", model.limits_from)
    if not model.media.required and not given and model.tasks and Task.TEXT not in model.tasks:
        message = f"{model.name} is for {' and '.join(model.tasks)}, but no media are given."
        yield warning("media", message, model.limits_from)


def media_go_together(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    given = given_media(request)
    for first, second in model.media.exclusive:
        left, right = [f for f in first if f in given], [f for f in second if f in given]
        if left and right:
            names = f"{_names(left)} and {_names(right)}"
            message = f"{model.name} does not take {names} together; give one or the other."
            yield error(f"media.{right[0]}", message, model.limits_from)


def media_are_paired(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Media that only guide others may be refused or ignored alone."""
    given = given_media(request)
    for first, second in model.media.paired:
        alone = [field for field in first if field in given]
        if alone and not any(field in given for field in second):
            names = " or ".join(f"media.{field}" for field in second)
            message = f"{model.name} takes {_names(alone)} only together with {names}."
            yield warning(f"media.{alone[0]}", message, model.limits_from)


def media_are_taken(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Fields, counts and forms of media, as far as they are documented."""
    rules = model.media
    for field, addresses in given_media(request).items():
        name = f"media.{field}"
        if rules.accepted is None:
            yield from _undocumented(field, model)
        elif (rule := rules.accepted.get(field)) is None:
            say = error if rules.rejects_others else warning
            takes = ", ".join(f"media.{known}" for known in rules.accepted)
            yield say(name, f"{model.name} does not take {name}; it takes {takes}.", model.limits_from)
        else:
            if rule.maximum is not None and len(addresses) > rule.maximum:
                message = f"{model.name} takes at most {rule.maximum} in {name}, not {len(addresses)}."
                yield warning(name, message, model.limits_from)
            if rule.links_only and any(map(_is_inline, addresses)):
                message = f"{model.name} takes {name} only as a URL, not as inline data."
                yield warning(name, message, model.limits_from)
        if field is MediaField.AUDIO_INPUTS:
            yield from _audio_formats(addresses, catalogue)


def inline_is_short(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    for field, addresses in given_media(request).items():
        if any(len(text) > LARGEST_INLINE and _is_inline(text) for text in addresses):
            message = "Users report that inline data is cut off near 60 KB; an https URL is safe."
            yield warning(f"media.{field}", message, "field-reports")


def frames_fit(request: VideoRequest, model: Model, catalogue: Catalogue) -> Iterator[Finding]:
    """Keyframes are at positions that the model supports, and within the clip (frame = seconds × fps)."""
    frames = request.media.frame_images if request.media else None
    if not frames:
        return
    name, known = "media.frame_images", model.keyframes
    seconds, fps = expected_seconds(request, model), expected_fps(request, model)
    last = int(seconds * fps) if seconds and fps and seconds < 3600 else None
    placed = [_position(frame, index, len(frames), last) for index, frame in enumerate(frames)]
    if known is not None and (others := [p for p in placed if p not in known]):
        message = f"{model.name} takes only the {' and the '.join(known)} frame, not {_places(others)}."
        yield warning(name, message, model.limits_from)
    if last is not None and (beyond := [p for p in placed if isinstance(p, int) and p > last]):
        message = f"Frame {min(beyond)} is beyond the end: {seconds} s at {fps} fps end with frame {last}."
        yield warning(name, message, "overview")


def _position(frame: FrameImage, index: int, count: int, last: int | None) -> str | int:
    """Images without a place become the first, the last, and evenly spaced ones between (OpenAPI). The number of the
    last frame means "last".
    """
    if frame.frame is None:
        if index == 0:
            return "first"
        if index == count - 1:
            return "last"
        return "between" if last is None else round(last * index / (count - 1))
    return "last" if last is not None and frame.frame == last else frame.frame


def _places(places: list[str | int]) -> str:
    words = {"first": "the first", "last": "the last", "between": "frames between"}
    named = (f"frame {place}" if isinstance(place, int) else words[place] for place in places)
    return ", ".join(dict.fromkeys(named))


def _undocumented(field: MediaField, model: Model) -> Iterator[Finding]:
    """If the media of this model are not documented, judge by its tasks and keyframes."""
    if any(field in group for group in model.media.required):
        return
    if field is MediaField.FRAME_IMAGES and model.keyframes:
        return
    task = _TASKS.get(field)
    if model.tasks and task is not None:
        if task in model.tasks:
            return
        message = f"{model.name} is documented for {' and '.join(model.tasks)} only, not for media.{field}."
        yield warning(f"media.{field}", message, model.limits_from)
        return
    message = f"It is not documented whether {model.name} takes media.{field}."
    yield advice(f"media.{field}", message, model.limits_from)


def _audio_formats(addresses: list[str], catalogue: Catalogue) -> Iterator[Finding]:
    rule = catalogue.general.audio_file
    for address in addresses:
        ending = _ending(address)
        if ending in _AUDIO_ENDINGS and ending.removeprefix(".").upper() not in rule.formats:
            message = f"Audio inputs must be {' or '.join(rule.formats)} files, not {ending}."
            yield warning("media.audio_inputs", message, "parameters")


def _ending(address: str) -> str:
    if not _is_link(address):
        return ""
    try:
        path = urlsplit(address).path
    except ValueError:  # such as an unclosed [ in the host
        return ""
    return PurePosixPath(path).suffix.lower()


def _is_link(address: str) -> bool:
    return address[:8].lower().startswith(("https://", "http://", "s3://", "archive:"))


def _is_inline(address: str) -> bool:
    return form_of(address) is MediaForm.INLINE


def _address(part: str | FrameImage | VideoRef | AudioRef) -> str:
    if isinstance(part, FrameImage):
        return part.input_image
    if isinstance(part, VideoRef):
        return part.video
    return part.audio if isinstance(part, AudioRef) else part


def _names(fields: list[MediaField]) -> str:
    return ", ".join(f"media.{field}" for field in fields)
