"""Tiny clips, made in milliseconds: each frame has a brightness of its own, each clip a tone or clicks."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest


@dataclass(frozen=True)
class Recipe:
    """A clip. `seconds_of_sound` may differ from the length of its pictures; `clicks` mark each begin of a second."""

    frames: int = 24
    fps: Fraction | int = 24
    size: tuple[int, int] = (64, 48)
    base: int = 40
    step: int = 3
    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"),)
    sound: bool = False
    seconds_of_sound: float | None = None
    tone: float = 440.0
    clicks: bool = False
    rate: int = 48_000
    sound_codec: str = "aac"
    layout: str = "stereo"
    times: tuple[int, ...] = ()
    pixels: str = "yuv420p"


def brightness(recipe: Recipe, number: int) -> int:
    return 16 + (recipe.base + recipe.step * number) % 200


def make_clip(path: Path, recipe: Recipe) -> Path:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(recipe.codec, rate=Fraction(recipe.fps), options=dict(recipe.options))
        stream.width, stream.height, stream.pix_fmt = *recipe.size, recipe.pixels
        tick = stream.codec_context.time_base = 1 / Fraction(recipe.fps)
        track: Any = None
        if recipe.sound:
            track = out.add_stream(recipe.sound_codec, rate=recipe.rate, layout=recipe.layout)
        for number in range(recipe.frames):
            frame = av.VideoFrame(*recipe.size, recipe.pixels)
            for plane_number, plane in enumerate(frame.planes):
                light = brightness(recipe, number) if plane_number == 0 else 128
                # A bar that moves tells frames of the same brightness apart.
                row = bytearray([light]) * plane.line_size
                if plane_number == 0:
                    at = number % recipe.size[0]
                    row[at : at + 4] = bytes([235]) * len(row[at : at + 4])
                plane.update(bytes(row) * plane.height)
            frame.pts, frame.time_base = recipe.times[number] if recipe.times else number, tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if track is not None:
            _sound(out, track, recipe)
    return path


def _sound(out: Any, track: Any, recipe: Recipe) -> None:
    seconds = recipe.seconds_of_sound
    if seconds is None:
        seconds = float(recipe.frames / recipe.fps)
    channels = 1 if recipe.layout == "mono" else 2
    total = round(seconds * recipe.rate)
    for start in range(0, total, 4096):
        count = min(4096, total - start)
        samples: list[int] = []
        for number in range(start, start + count):
            if recipe.clicks:
                value = 20_000 if number % recipe.rate < 48 else 0
            else:
                value = round(8000 * math.sin(2 * math.pi * recipe.tone * number / recipe.rate))
            samples += [value] * channels
        frame = av.AudioFrame("s16", recipe.layout, count)
        plane = frame.planes[0]
        plane.update(struct.pack(f"<{len(samples)}h", *samples).ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = recipe.rate, start, Fraction(1, recipe.rate)
        out.mux(track.encode(frame))
    out.mux(track.encode(None))


MakeClip = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> MakeClip:
    """Makes a clip of these properties."""
    numbers = iter(range(1000))

    def make(name: str = "", **properties: Any) -> Path:
        return make_clip(tmp_path / (name or f"clip{next(numbers)}.mp4"), Recipe(**properties))

    return make
