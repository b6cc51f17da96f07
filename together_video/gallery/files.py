"""The files that a row of a gallery shows, and names for them that are valid on every system."""

from __future__ import annotations

import re
from collections.abc import Iterable

from together_video.gallery.rows import GalleryRow
from together_video.ledger.layout import Layout

#: Characters that Windows refuses in a name, and names of devices there.
_REFUSED = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)
#: Longest part of a name, in bytes, with room for a number.
_LONGEST = 150


def files_of(row: GalleryRow, layout: Layout) -> list[str]:
    """Keys of the video and of its poster, if any. Keys of other objects are ignored."""
    poster = poster_of(row, layout)
    return [key for key in (video_of(row, layout), poster) if key is not None]


def video_of(row: GalleryRow, layout: Layout) -> str | None:
    return row.outcome.key if layout.is_video_file(row.outcome.key) else None


def poster_of(row: GalleryRow, layout: Layout) -> str | None:
    poster = row.record.poster.key if row.record and row.record.poster else None
    return poster if layout.is_video_file(poster) else None


def safe_names(keys: Iterable[str], layout: Layout) -> dict[str, str]:
    """A relative path for each key: without the archive's prefix and without characters that a file system refuses. No
    two paths differ only in upper and lower case.

    Example:
        ```python
        safe_names(["a/videos/x:y.mp4"], Layout(prefix="a"))  # {"a/videos/x:y.mp4": "videos/x_y.mp4"}
        ```
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in dict.fromkeys(keys):
        pieces = [_safe(piece) for piece in key.removeprefix(layout.key("")).split("/")]
        path = "/".join(pieces)
        stem, dot, ending = path.rpartition(".")
        number = 1
        while path.casefold() in taken:
            number += 1
            path = f"{stem}-{number}{dot}{ending}"
        taken.add(path.casefold())
        names[key] = path
    return names


def _safe(piece: str) -> str:
    name = _REFUSED.sub("_", piece).rstrip(". ") or "_"
    name = f"_{name}" if _DEVICES.match(name) or name.startswith(".") else name
    stem, dot, ending = name.rpartition(".")
    room = _LONGEST - len(dot + ending)
    return (
        stem.encode()[:room].decode(errors="ignore") + dot + ending if stem and room > 0 else name[:_LONGEST]
    )
