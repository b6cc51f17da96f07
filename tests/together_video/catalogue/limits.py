"""Every documented limit of a model, as requests that break it.

What is broken follows from the data: a limit that is added to the catalogue is tested from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from together_video.catalogue.examples import example_request
from together_video.catalogue.findings import Level
from together_video.catalogue.models import MediaField, Model, Task
from together_video.requests import VideoRequest

URL = "https://example.com/a"


class Broken(NamedTuple):
    """One limit that a request breaks: its name, the changed fields, and what must be found.

    `words` tell it from another finding on the same field.
    """

    limit: str
    fields: dict[str, Any]
    field: str
    level: Level
    words: str = ""


def media(field: MediaField, count: int = 1, text: str = URL) -> dict[str, Any]:
    """So many media of a kind, as a request holds them."""
    if field is MediaField.SOURCE_VIDEO:
        return {field.value: text}
    entry: Any = {"input_image": text} if field is MediaField.FRAME_IMAGES else text
    if field in (MediaField.FRAME_VIDEOS, MediaField.REFERENCE_VIDEOS):
        entry = {"video": text}
    entries = [entry] * count
    if field is MediaField.FRAME_IMAGES and count > 2:
        entries = [{**entry, "frame": number} for number in range(1, count + 1)]
    return {field.value: entries}


def limits_of_text(model: Model) -> Iterator[Broken]:
    prompt, negative = model.prompt, model.negative_prompt
    if prompt.use == "unsupported":
        yield Broken("no prompt", {"prompt": "a fox"}, "prompt", Level.WARNING)
    else:
        level = Level.ERROR if prompt.use == "required" else Level.WARNING
        yield Broken("a prompt", {"prompt": None}, "prompt", level)
    if prompt.maximum is not None:
        yield Broken("longest prompt", {"prompt": "a" * (prompt.maximum + 1)}, "prompt", Level.ERROR)
    if prompt.minimum is not None and prompt.minimum > 1:
        yield Broken("shortest prompt", {"prompt": "a" * (prompt.minimum - 1)}, "prompt", Level.ERROR)
    if negative.maximum is not None:
        text = "a" * (negative.maximum + 1)
        yield Broken("longest negative", {"negative_prompt": text}, "negative_prompt", Level.WARNING)
    if negative.fails:
        yield Broken("no negative", {"negative_prompt": "blurry"}, "negative_prompt", Level.WARNING)


def limits_of_size(model: Model) -> Iterator[Broken]:
    size = model.size
    none = {"width": None, "height": None, "resolution": None, "ratio": None}
    level = Level.WARNING if size.certain else Level.ADVICE
    if size.by == "pixels":
        yield Broken("no tier", {**none, "resolution": "720p"}, "resolution", level)
        yield Broken("no ratio", {**none, "ratio": "16:9"}, "ratio", level)
        yield Broken("both edges", {**none, "width": 640}, "height", Level.WARNING)
        if size.pixels is not None:
            yield Broken("sizes", {"width": 1234, "height": 123}, "width", Level.WARNING)
        return
    yield Broken("no pixels", {**none, "width": 1280, "height": 720}, "width", level)
    if size.tiers:
        name = size.tiers[0].name
        yield Broken("tiers", {"resolution": "12345x"}, "resolution", level)
        yield Broken("case of tiers", {"resolution": name.swapcase()}, "resolution", level)
    if size.ratios is not None:
        yield Broken("ratios", {"ratio": "7:5"}, "ratio", Level.WARNING)


def limits_of_time(model: Model) -> Iterator[Broken]:
    seconds, fps = model.seconds, model.fps
    if seconds.choices:
        yield Broken("longest", {"seconds": max(seconds.choices) + 1}, "seconds", Level.WARNING)
        if (unlisted := min(seconds.choices) - 1) not in seconds.also_seen:
            yield Broken("shortest", {"seconds": unlisted}, "seconds", Level.WARNING)
        for seen in seconds.also_seen:
            yield Broken("unlisted length", {"seconds": seen}, "seconds", Level.ADVICE)
    if seconds.minimum is not None and seconds.minimum > 1:
        yield Broken("least seconds", {"seconds": seconds.minimum - 1}, "seconds", Level.WARNING)
    if seconds.maximum is not None:
        yield Broken("most seconds", {"seconds": seconds.maximum + 1}, "seconds", Level.WARNING)
        fields = {"seconds": seconds.maximum - 0.5}
        yield Broken("whole seconds", fields, "seconds", Level.WARNING)
    if seconds.longest is None:
        yield Broken("usual seconds", {"seconds": 11}, "seconds", Level.ADVICE)
    if fps:
        yield Broken("frame rates", {"fps": max(fps) + 1}, "fps", Level.WARNING)
    else:
        yield Broken("usual frame rates", {"fps": 61}, "fps", Level.ADVICE)


def limits_of_output(model: Model) -> Iterator[Broken]:
    yield Broken("guidance", {"guidance_scale": 12.5}, "guidance_scale", Level.WARNING)
    yield Broken("advised guidance", {"guidance_scale": 11}, "guidance_scale", Level.ADVICE)
    yield Broken("least guidance", {"guidance_scale": 5}, "guidance_scale", Level.ADVICE)
    yield Broken("whole guidance", {"guidance_scale": 7.5}, "guidance_scale", Level.WARNING)
    if model.formats:
        yield Broken("formats", {"output_format": "WEBM"}, "output_format", Level.WARNING)
    if model.seed:
        yield Broken("least seed", {"seed": model.seed.minimum - 1}, "seed", Level.WARNING)
        yield Broken("largest seed", {"seed": model.seed.maximum + 1}, "seed", Level.WARNING)
    sound = model.sound
    if sound is None:
        yield Broken("sound", {"generate_audio": True}, "generate_audio", Level.ADVICE)
    elif sound.switch is not None:
        yield Broken("sound's switch", {"generate_audio": False}, "generate_audio", Level.WARNING)
    elif sound.makes == "none":
        yield Broken("silence", {"generate_audio": True}, "generate_audio", Level.WARNING)
    elif sound.makes == "always":
        yield Broken("sound always", {"generate_audio": False}, "generate_audio", Level.WARNING)
        extra = {"settings": {"audio": False}}
        yield Broken("no switch", {"extra": extra}, "extra.settings.audio", Level.WARNING)


def limits_of_media(model: Model) -> Iterator[Broken]:
    rules = model.media
    needed = (example_request(model).payload().get("media")) or {}
    for group in rules.required:
        yield Broken(f"needs {group[0]}", {"media": None}, f"media.{group[0]}", Level.ERROR)
    if not rules.required and model.tasks and Task.TEXT not in model.tasks:
        yield Broken("needs media", {"media": None}, "media", Level.WARNING)
    for first, second in rules.exclusive:
        both = {**needed, **media(first[0]), **media(second[0])}
        yield Broken("exclusive", {"media": both}, f"media.{second[0]}", Level.ERROR)
    for first, second in rules.paired:
        alone = {**needed, **media(first[0])}
        yield Broken(f"{first[0]} beside {second[0]}", {"media": alone}, f"media.{first[0]}", Level.WARNING)
    if rules.accepted is not None:
        level = Level.ERROR if rules.rejects_others else Level.WARNING
        for field in (found for found in MediaField if found not in rules.accepted):
            yield Broken(f"no {field}", {"media": {**needed, **media(field)}}, f"media.{field}", level)
        for field, rule in rules.accepted.items():
            if rule.maximum is not None and field is not MediaField.SOURCE_VIDEO:
                many = {**needed, **media(field, rule.maximum + 1)}
                yield Broken(f"most {field}", {"media": many}, f"media.{field}", Level.WARNING)
            if rule.links_only:
                inline = {**needed, **media(field, 1, "data:audio/wav;base64,AA")}
                yield Broken(f"links in {field}", {"media": inline}, f"media.{field}", Level.WARNING)
        if MediaField.AUDIO_INPUTS in rules.accepted:
            ogg = {**needed, **media(MediaField.AUDIO_INPUTS, 1, URL + ".ogg")}
            yield Broken("audio formats", {"media": ogg}, "media.audio_inputs", Level.WARNING)
    if model.keyframes is not None:
        for place in (end for end in ("first", "last") if end not in model.keyframes):
            frames = {"frame_images": [{"input_image": URL, "frame": place}]}
            yield Broken(f"no {place}", {"media": frames}, "media.frame_images", Level.WARNING)
        frames = {"frame_images": [{"input_image": URL, "frame": 7}]}
        yield Broken("keyframes", {"media": frames}, "media.frame_images", Level.WARNING)
    if model.fps and model.seconds.longest and (rules.accepted is None or "frame_images" in rules.accepted):
        length, rate = model.seconds.longest, model.fps[0]
        frames = {"frame_images": [{"input_image": URL, "frame": length * rate + 1}]}
        fields = {"seconds": length, "fps": rate, "media": frames}
        yield Broken("within the clip", fields, "media.frame_images", Level.WARNING, "beyond the end")


def limits(model: Model) -> list[Broken]:
    parts = (limits_of_text, limits_of_size, limits_of_time, limits_of_output, limits_of_media)
    return [broken for part in parts for broken in part(model)]


def asked(model: Model, changes: dict[str, Any]) -> VideoRequest:
    """The model's example with these changes; None leaves a field out."""
    fields = {**example_request(model).payload(), **changes}
    return VideoRequest.model_validate({name: value for name, value in fields.items() if value is not None})
