"""Where the media of a request come from: what each text under `media` is, and functions that visit all of them.

https://host/cat.jpg               a link: sent as it is
data:image/png;base64,…, iVBOR…    inline content, with or without its type
s3://bucket/cat.jpg                an object that the archive's credentials can read
cat.jpg, ./a/cat.jpg, file:///…    a file on the machine that runs this
archive:media/<sha256>.jpg         content that is kept in the archive (see `media_links`)
aac49721-1964-481a-…               the provider's own name for an image
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from together_video.errors import InputError
from together_video.requests import Media, VideoRequest

#: Longest inline content, in characters: data URLs are reportedly cut off near 60 KB. Longer content is archived.
LARGEST_INLINE = 60_000
#: A reference to content in the archive, named by the content's hash.
REFERENCE = re.compile(r"archive:(media/[0-9a-f]{64}\.[a-z0-9]{2,5})")

_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
#: How bare base64 text of common files starts: JPEG, PNG, WEBP and WAV, GIF, MP3, MP4, WEBM.
_BASE64_STARTS = ("/9j/", "iVBORw0KGg", "UklGR", "R0lGOD", "SUQz", "AAAA", "GkXfo")
#: The keys of an object under `media` that name media. `frame` beside them does not.
_NAMING = ("input_image", "video", "audio")

Change = Callable[["MediaKind", str], str]


class MediaKind(StrEnum):
    """The kind of content in a field of `media`."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


class MediaForm(StrEnum):
    """How media are given."""

    LINK = "link"
    INLINE = "inline"
    S3 = "s3"
    FILE = "file"
    REFERENCE = "reference"
    HANDLE = "handle"


#: Each field of `media`, and its kind of content.
KINDS = {
    "frame_images": MediaKind.IMAGE,
    "frame_videos": MediaKind.VIDEO,
    "reference_images": MediaKind.IMAGE,
    "reference_videos": MediaKind.VIDEO,
    "reference_audios": MediaKind.AUDIO,
    "source_video": MediaKind.VIDEO,
    "audio_inputs": MediaKind.AUDIO,
}


def form_of(text: str) -> MediaForm:
    """What a text under `media` is. A text of no other form is a path."""
    start = text[:8].lower()
    if start.startswith(("http://", "https://")):
        return MediaForm.LINK
    if start.startswith("data:"):
        return MediaForm.INLINE
    if start.startswith("s3://"):
        return MediaForm.S3
    if start.startswith("archive:"):
        return MediaForm.REFERENCE
    if _HANDLE.fullmatch(text):
        return MediaForm.HANDLE
    if text.startswith(_BASE64_STARTS) and "." not in text:
        return MediaForm.INLINE
    return MediaForm.FILE


def inline_bytes(text: str) -> bytes:
    """The content of a data URL or of bare base64 text.

    Raises:
        InputError: it is not base64.
    """
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InputError("the data URL has no base64 content (data:image/png;base64,…)")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:  # from binascii, or because the text is not ASCII
        raise InputError("the inline content is not base64") from error


def path_of(text: str) -> Path:
    """The path that a text of the form `file` names.

    Raises:
        InputError: a file: address names another machine, or is not a valid path.
    """
    if text[:5].lower() == "file:":
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost") or not parts.path:
            raise InputError(
                "a file: address must name a path on this machine, as in file:///home/me/cat.jpg"
            )
        text = unquote(parts.path)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError("this user's home folder does not exist") from error


def media_texts(request: VideoRequest) -> Iterator[tuple[str, MediaKind, str]]:
    """Every text under `media`: its place (`media.frame_images[0]`), what it must be, the text."""
    if request.media is None:
        return
    for name, value in request.media.model_dump(exclude_none=True).items():
        entries = value if isinstance(value, list | tuple) else [value]
        for number, entry in enumerate(entries):
            place = f"media.{name}" + (f"[{number}]" if entries is value else "")
            # An empty source_video, as in the documentation's template, is not sent.
            if text := _text_of(entry):
                yield place, KINDS[name], text


def refuse_paths(requests: Iterable[VideoRequest], what: str = "Request") -> None:
    """Refuse paths in requests from people who must not read files of the machine that sends the requests.

    Args:
        what: what messages call a request, before its number.

    Raises:
        InputError: one of them names a path.
    """
    for number, request in enumerate(requests, 1):
        for place, _, text in media_texts(request):
            if form_of(text) is MediaForm.FILE:
                raise InputError(
                    f"{what} {number}: {place} names a file on the machine that sends it. Use an https:// or s3:// "
                    "address, or a data URL."
                )


def with_media(request: VideoRequest, change: Change) -> VideoRequest:
    """The request with each text under `media` replaced by `change(kind, text)`."""
    if request.media is None:
        return request
    given = request.media.model_dump(exclude_none=True)
    changed = {name: _changed(value, partial(change, KINDS[name])) for name, value in given.items()}
    return request.model_copy(update={"media": Media.model_validate(changed)})


def anchored(request: VideoRequest, folder: Path) -> VideoRequest:
    """The request with its relative paths resolved against `folder`."""
    return with_media(request, lambda _, text: anchored_text(text, folder))


def anchored_fields(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Like `anchored`, for fields that are not a request yet, in the older spelling too."""
    found = {
        name: _changed(value, lambda text: anchored_text(text, folder)) if name in KINDS else value
        for name, value in fields.items()
    }
    if isinstance(found.get("media"), Mapping):
        found["media"] = anchored_fields(found["media"], folder)
    return found


def anchored_text(text: str, folder: Path) -> str:
    """Like `anchored`, for one text."""
    if not text or form_of(text) is not MediaForm.FILE or text[:5].lower() == "file:":
        return text
    try:
        return str(folder / path_of(text))
    except InputError:
        return text


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Handles any shape of a field. A malformed value stays, for the request to refuse."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_changed(entry, change) for entry in value]
    if isinstance(value, Mapping):
        return {
            name: change(inner) if name in _NAMING and isinstance(inner, str) else inner
            for name, inner in value.items()
        }
    return value


def _text_of(entry: str | Mapping[str, Any]) -> str:
    if isinstance(entry, str):
        return entry
    return str(next(entry[name] for name in _NAMING if name in entry))
