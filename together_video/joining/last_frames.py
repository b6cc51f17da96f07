"""The frame that is on the screen when a clip ends. The next shot of a chain starts with it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from together_video.errors import FilmError, PieceRefused
from together_video.media.bounds import PIXELS
from together_video.media.containers import HEAD, container_of, why_no_video
from together_video.media.isolation import pool
from together_video.text import one_line

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class _LastFrame(pool.Answer):
    """Its size in pixels."""

    width: int = Field(default=0, ge=0, le=PIXELS)
    height: int = Field(default=0, ge=0, le=PIXELS)


def last_frame(path: Path, *, most_bytes: int | None = None) -> bytes:
    """The last frame that a player shows, as PNG: last by time, not by keyframe or position in the file; upright and
    with square pixels. Frames after the end of an edit list do not count.

    Synchronous. A separate process decodes the clip, under the limits of `together_video.media.bounds`.

    Args:
        most_bytes: a larger PNG becomes the best JPEG that fits.

    Raises:
        PieceRefused: the file is not a video, has no frame, or its last frame cannot be decoded.
        FilmError: it cannot be opened here for another reason, such as lack of memory.
    """
    path = Path(path)
    name = one_line(path.name, 80)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise PieceRefused(f"The clip {name} cannot be read: {error.strerror}.", piece=None) from error
    kind = container_of(head)
    if kind is None:
        why = why_no_video(head) or "The file is in a format that cannot be opened here."
        raise PieceRefused(f"The last frame of {name} cannot be read. {why}", piece=None)
    try:
        told, picture = pool.ask(
            "last frame", _LastFrame, path=path, size=size, container=kind, most_bytes=most_bytes
        )
    except pool.Unopened as error:
        raise FilmError(f"The last frame of {name} cannot be read: {one_line(error.words, 300)}.") from error
    if words := told.refused or told.beyond or told.broken or told.failed:
        raise PieceRefused(f"The clip {name} {one_line(words, 300)}.", piece=None)
    if not picture.startswith(_PICTURES):
        raise FilmError(f"The last frame of {name} cannot be read: there was no picture.")
    return picture
