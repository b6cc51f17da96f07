"""Whether a file has sound that a film can use: checked by its first bytes and by decoding its beginning."""

from __future__ import annotations

from pathlib import Path

from together_video.errors import MediaRefused
from together_video.joining.sources import Unusable, sound_container
from together_video.media.containers import HEAD
from together_video.media.files import LARGEST, AudioAnswer
from together_video.media.isolation import pool
from together_video.media.sources import MediaKind
from together_video.text import one_line

#: Seconds that are decoded. Joining decodes only what the film needs, so later damage may never matter.
_SECONDS = 1.0


def check_sound(source: Path | bytes) -> int:
    """Decode the first second of music or narration, and return the size of the file in bytes.

    Synchronous. A separate process decodes, under the limits of `together_video.media.bounds`.

    Raises:
        MediaRefused: it cannot be used. The words follow its name.
    """
    try:
        head, size = _begin(source)
        container = sound_container(head)
    except FileNotFoundError as error:
        raise MediaRefused("there is no such file on the machine that runs this") from error
    except OSError as error:
        raise MediaRefused(f"cannot be read: {error.strerror}") from error
    except Unusable as error:
        raise MediaRefused(str(error)) from error
    if size > (most := LARGEST[MediaKind.AUDIO]):
        raise MediaRefused(f"has {size / 1e6:.0f} MB; at most {most / 1e6:.0f} MB are allowed")
    path, content = (source, b"") if isinstance(source, Path) else (None, source)
    try:
        told, _ = pool.ask(
            "audio", AudioAnswer, path=path, content=content, size=size, container=container, most=_SECONDS
        )
    except pool.Unopened as error:
        raise MediaRefused(f"cannot be used: {one_line(error.words, 300)}") from error
    if words := told.refused or told.beyond or told.broken:
        raise MediaRefused(one_line(words, 300))
    if told.failed:
        raise MediaRefused(f"cannot be opened: {one_line(told.failed, 200)}")
    if not told.seconds:
        raise MediaRefused("has no sound that can be decoded")
    return size


def _begin(source: Path | bytes) -> tuple[bytes, int]:
    """The first bytes, and the size of the whole file in bytes."""
    if isinstance(source, bytes):
        return source[:HEAD], len(source)
    size = source.stat().st_size
    if not source.is_file():
        raise MediaRefused("is not a regular file")
    with source.open("rb") as file:
        return file.read(HEAD), size
