"""The media options of the command line -> the `media` object of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from together_video.errors import InputError

#: The options that name media, and under which key an entry names it in the request, if under any.
MEDIA_OPTIONS = {
    "frame_images": "input_image",
    "frame_videos": "video",
    "reference_images": None,
    "reference_videos": "video",
    "reference_audios": None,
    "source_video": None,
    "audio_inputs": None,
}

#: Only the end counts, as addresses and file names may hold an @ of their own.
_FRAME = re.compile(r"(?P<image>.+)@(?P<frame>first|last|\d+)", re.S)


def with_media_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options with those that name media gathered under `media`, beside what --media says.

    Raises:
        InputError: the same field is given by an option of its own and in --media.
    """
    rest = {name: value for name, value in given.items() if name not in MEDIA_OPTIONS}
    named = {name: _entries(name, given[name]) for name in MEDIA_OPTIONS if name in given}
    if not named:
        return rest
    media = rest.get("media") or {}
    if twice := sorted(set(named) & set(media)):
        option = twice[0].replace("_", "-")
        raise InputError(f"media.{twice[0]} is given twice: by --{option} and in --media. Give one of them.")
    return {**rest, "media": {**media, **named}}


def _entries(name: str, given: Any) -> Any:
    if isinstance(given, str):
        return given
    if name == "frame_images":
        return [_frame(text) for text in given]
    key = MEDIA_OPTIONS[name]
    return [text if key is None else {key: text} for text in given]


def _frame(text: str) -> dict[str, Any]:
    """`cat.jpg@last`: the image, and where it is pinned, if that is said."""
    found = _FRAME.fullmatch(text)
    if found is None:
        return {"input_image": text}
    return {"input_image": found["image"], "frame": found["frame"]}
