"""Small pictures of a poster or a clip, as plain pixels. A separate process decodes the files, under limits of memory
and time (`together_video.media.bounds`). Its result is only measured here, never decoded.

Synchronous: run it in a thread if an event loop must not wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from together_video.media.bounds import STILL_FRAMES
from together_video.media.containers import HEAD, container_of
from together_video.media.isolation import pool


class StillsAnswer(pool.Answer):
    """How many pictures the worker returned."""

    frames: int = Field(default=0, ge=0, le=STILL_FRAMES)


def still_of(poster: Path, size: tuple[int, int]) -> bytes | None:
    """A poster's RGB bytes in a frame of `size` pixels. None if it cannot be read."""
    found = _asked("still", poster, size)
    return found[0] if found else None


def frames_of(clip: Path, size: tuple[int, int], *, count: int, rate: float) -> list[bytes]:
    """The RGB bytes of up to `count` frames of a clip, `rate` per second. Empty if none can be read."""
    with clip.open("rb") as file:
        kind = container_of(file.read(HEAD))
    return [] if kind is None else _asked("frames", clip, size, container=kind, count=count, rate=rate)


def _asked(kind: str, path: Path, size: tuple[int, int], **more: Any) -> list[bytes]:
    width, height = size
    try:
        told, pixels = pool.ask(
            kind,
            StillsAnswer,
            path=path,
            size=path.stat().st_size,
            width=width,
            height=height,
            **more,
        )
    except pool.Unopened:
        return []
    one = width * height * 3
    # The worker has read untrusted bytes, so its result counts only if its length is right.
    if not told.frames or len(pixels) != told.frames * one:
        return []
    return [pixels[start : start + one] for start in range(0, len(pixels), one)]
