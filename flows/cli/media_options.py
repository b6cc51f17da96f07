"""Convert the media options of the command line to the `media` object of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from together_video.errors import InputError

#: The options for media, and the key of an entry in the request, if it has one.
MEDIA_OPTIONS = {
    "frame_images": "input_image",
    "frame_videos": "video",
    "reference_images": None,
    "reference_videos": "video",
    "reference_audios": None,
    "source_video": None,
    "audio_inputs": None,
}

#: Only the end counts, because addresses and file names can contain an @.
_FRAME = re.compile(r"(?P<image>.+)@(?P<frame>first|last|\d+)", re.S)


def with_media_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with those for media merged into `media` together with --media.

    Raises:
        InputError: the same field is given by its own option and in --media.
    """
    rest = {name: value for name, value in given.items() if name not in MEDIA_OPTIONS}
    named = {name: _entries(name, given[name]) for name in MEDIA_OPTIONS if name in given}
    if not named:
        return rest
    media = rest.get("media") or {}
    if twice := sorted(set(named) & set(media)):
        option = twice[0].replace("_", "-")
        raise InputError(
            f"media.{twice[0]} is given twice: by --{option} and in --media. Give only one of them."
        )
    return {**rest, "media": {**media, **named}}


def _entries(name: str, given: Any) -> Any:
    if isinstance(given, str):
        return given
    if name == "frame_images":
        return [_frame(text) for text in given]
    key = MEDIA_OPTIONS[name]
    return [text if key is None else {key: text} for text in given]


def _frame(text: str) -> dict[str, Any]:
    """`cat.jpg@last`: the image, and the frame that it is pinned to, if given."""
    found = _FRAME.fullmatch(text)
    if found is None:
        return {"input_image": text}
    return {"input_image": found["image"], "frame": found["frame"]}
