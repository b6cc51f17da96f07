"""What the worker is asked to make: the cut as plain values, because the worker does not import pydantic."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


class Fault(Exception):
    """A file cannot be used. The words complete "piece 3 (name) …", or, without a piece, a sentence about the music."""

    def __init__(self, words: str, *, piece: int | None = None, role: str = "", remedy: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.piece = piece
        self.role = role
        self.remedy = remedy


@dataclass(frozen=True)
class Source:
    """A file, and FFmpeg's name for its demuxer."""

    path: str
    container: str

    @classmethod
    def of(cls, told: dict[str, str] | None) -> Source | None:
        return None if told is None else cls(os.fsdecode(told["path"].encode("latin-1")), told["container"])


@dataclass(frozen=True)
class Part:
    """One piece of the film."""

    source: Source
    keeps_sound: bool
    narration: Source | None
    caption: str
    crossfade: float
    repeats_first: bool


@dataclass(frozen=True)
class Tune:
    """The music. Gains are in dB."""

    source: Source
    loops: bool
    gain: float
    duck: float
    fade: float


@dataclass(frozen=True)
class Recipe:
    """The whole film. Lengths are in seconds, sizes in pixels."""

    parts: tuple[Part, ...]
    width: int | None
    height: int | None
    fps: Fraction | None
    crf: float
    preset: str
    fade_in: float
    fade_out: float
    music: Tune | None
    captions: str

    @classmethod
    def of(cls, told: dict[str, Any]) -> Recipe:
        parts = []
        for one in told["pieces"]:
            source = Source.of(one["source"])
            assert source is not None  # noqa: S101 - every piece has a file
            parts.append(
                Part(
                    source=source,
                    keeps_sound=one["keeps_sound"],
                    narration=Source.of(one["narration"]),
                    caption=one["caption"],
                    crossfade=one["crossfade"],
                    repeats_first=one["repeats_first"],
                )
            )
        music = told["music"]
        tune = None
        if music is not None and (source := Source.of(music["source"])) is not None:
            tune = Tune(source, music["loop"], music["gain_db"], music["duck_db"], music["fade"])
        return cls(
            parts=tuple(parts),
            width=told["width"],
            height=told["height"],
            fps=None if told["fps"] is None else Fraction(*told["fps"]),
            crf=told["crf"],
            preset=told["preset"],
            fade_in=told["fade_in"],
            fade_out=told["fade_out"],
            music=tune,
            captions=told["captions"],
        )
