"""Requests as people write them -> requests that refer to their media by content.

Files and inline content are inspected. Media that will be kept in the archive become references in the request, so the
same picture under another name is the same request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from together_video.catalogue import Catalogue
from together_video.errors import InputError, MediaRefused
from together_video.media.files import AudioLimits, MediaFile, inspect_bytes, inspect_file
from together_video.media.references import object_of
from together_video.media.sources import (
    LARGEST_INLINE,
    MediaForm,
    MediaKind,
    form_of,
    inline_bytes,
    media_texts,
    path_of,
    with_media,
)
from together_video.requests import VideoRequest
from together_video.text import printable

_LISTED = 10
#: Longest link, in characters: signed ones have a few hundred, and servers read lines of up to 8,000 bytes.
_LONGEST_LINK = 8_000


class MediaProblem(NamedTuple):
    """Media that cannot be used: the index of the request, the place in it, and what is wrong."""

    request: int
    place: str
    words: str


@dataclass(frozen=True)
class MediaIntake:
    """`requests` in the given order; `files` to keep in the archive, by reference.

    `elsewhere` are the s3:// addresses that were not inspected yet, each once. They are still in the requests. `notes`
    are about media that are accepted but may surprise you.
    """

    requests: list[VideoRequest]
    files: dict[str, MediaFile]
    elsewhere: tuple[str, ...] = ()
    notes: tuple[MediaProblem, ...] = ()


def take_in(
    requests: Sequence[VideoRequest],
    *,
    names: Sequence[str] | None = None,
    fetched: Mapping[str, Path | InputError] | None = None,
) -> MediaIntake:
    """Inspect all media that are on this machine or inline. Reads files; sends and writes nothing.

    Relative paths start at the working directory. Inline images that are small enough to send in the request are
    inspected and stay.

    Args:
        names: the name of each request in messages, such as `line 3`.
        fetched: the local copy of each s3:// address, or why it could not be downloaded.

    Raises:
        MediaRefused: some media cannot be used; lists up to ten of them.
    """
    intake, problems = look_over(requests, fetched=fetched)
    refuse(problems, len(requests), names)
    return intake


def look_over(
    requests: Sequence[VideoRequest], *, fetched: Mapping[str, Path | InputError] | None = None
) -> tuple[MediaIntake, list[MediaProblem]]:
    """Like `take_in`, but returns the media that cannot be used; they stay in their requests unchanged."""
    looking = _Looking(fetched or {})
    problems: list[MediaProblem] = []
    notes: dict[tuple[str, str], MediaProblem] = {}
    for number, request in enumerate(requests):
        for place, kind, text in media_texts(request):
            try:
                looking.look(kind, text, limited=place.startswith("media.audio_inputs"))
            except InputError as error:
                problems.append(MediaProblem(number, place, f"{_shown(text)}: {error.message.rstrip('.')}"))
            if (file := looking.files.get((kind, text))) is not None:
                for words in file.notes:
                    notes.setdefault((text, words), MediaProblem(number, place, f"{_shown(text)} {words}"))
    files = {file.reference: file for file in looking.files.values()}
    elsewhere = tuple(text for text in looking.elsewhere if text not in looking.fetched)
    made = [with_media(request, looking.reference) for request in requests]
    return MediaIntake(made, files, elsewhere, tuple(notes.values())), problems


def refuse(problems: Sequence[MediaProblem], total: int, names: Sequence[str] | None = None) -> None:
    """Raise an error if there are problems.

    Args:
        total: how many requests were inspected.
        names: the name of each request in messages.

    Raises:
        MediaRefused: lists up to ten problems.
    """
    if not problems:
        return
    said = []
    for number, place, words in problems:
        name = f"{names[number]}: " if names else f"request {number + 1}: " if total > 1 else ""
        said.append(f"{name}{place}: {words}")
    raise MediaRefused(_report(said, len({problem.request for problem in problems}), total))


class _Looking:
    """What was inspected so far: each text is inspected once."""

    def __init__(self, fetched: Mapping[str, Path | InputError]) -> None:
        self.fetched = fetched
        self.files: dict[tuple[MediaKind, str], MediaFile] = {}
        self.elsewhere: dict[str, None] = {}
        self._fine: set[tuple[MediaKind, str]] = set()
        limits = Catalogue.load().general.audio_file
        self._limits = AudioLimits(limits.minimum_seconds, limits.maximum_seconds, limits.maximum_bytes)

    def reference(self, kind: MediaKind, text: str) -> str:
        """What replaces this text in the request."""
        file = self.files.get((kind, text))
        return text if file is None else file.reference

    def look(self, kind: MediaKind, text: str, *, limited: bool) -> None:
        if (kind, text) in self._fine and not limited:
            return
        limits = self._limits if limited else None
        match form_of(text):
            case MediaForm.INLINE:
                file = inspect_bytes(inline_bytes(text), "inline content", kind, limits)
                # It is not documented that audio and videos can be sent inline.
                if kind is not MediaKind.IMAGE or len(text) > LARGEST_INLINE:
                    self.files[kind, text] = file
            case MediaForm.FILE:
                self.files[kind, text] = inspect_file(path_of(text), kind, limits)
            case MediaForm.S3:
                self.elsewhere[text] = None
                copy = self.fetched.get(text)
                if isinstance(copy, InputError):
                    raise copy
                if copy is None:
                    bucket_and_key(text)
                else:
                    self.files[kind, text] = inspect_file(copy, kind, limits)
            case MediaForm.REFERENCE:
                object_of(text)
            case MediaForm.LINK:
                if len(text) > _LONGEST_LINK:
                    raise MediaRefused(
                        f"is a link of {len(text)} characters; servers accept at most {_LONGEST_LINK}"
                    )
            case MediaForm.HANDLE:
                pass
        self._fine.add((kind, text))


def bucket_and_key(address: str) -> tuple[str, str]:
    """The two parts of `s3://bucket/key`.

    Raises:
        MediaRefused: one of them is missing.
    """
    bucket, _, key = address[5:].partition("/")
    if not bucket or not key or not address.isprintable():
        raise MediaRefused("is not the address of an object (s3://bucket/key)")
    return bucket, key


def _shown(text: str) -> str:
    return "inline content" if form_of(text) is MediaForm.INLINE else printable(text, 200)


def _report(problems: Sequence[str], bad: int, total: int) -> str:
    if len(problems) == 1:
        return f"{problems[0]}. Nothing was sent."
    head = f"The media of {bad} of {total} requests cannot be used; nothing was sent."
    lines = [f"  {problem}" for problem in problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"  … and {len(problems) - _LISTED} more")
    return "\n".join([head, *lines])
