"""One run of encoded frames: H.264 with its own parameter sets, so it can sit between copied pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import Flags

from together_video.joining.isolated import parameter_sets

if TYPE_CHECKING:
    from av import VideoFrame

#: A fixed number: the encoder's output depends on it, and the same cut must give the same film everywhere.
THREADS = 4
#: The most frames by which the encoder's decoding order runs ahead of the display.
DELAY = 2


@dataclass(frozen=True)
class Coding:
    """How frames are encoded. `colours` are the code points of primaries, transfer, matrix and range."""

    width: int
    height: int
    fps: Fraction
    crf: float
    preset: str
    profile: str
    colours: tuple[int, int, int, int]


@dataclass(frozen=True)
class Sample:
    """One picture as MP4 stores it. `place` counts from the start of its run."""

    data: bytes
    place: int
    is_key: bool


class Run:
    """An encoder. `Coding` alone determines its output, including its parameter sets."""

    def __init__(self, coding: Coding) -> None:
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = coding.width, coding.height, "yuv420p"
        context.time_base, context.framerate = 1 / coding.fps, coding.fps
        context.sample_aspect_ratio = Fraction(1)
        (
            context.color_primaries,
            context.color_trc,
            context.colorspace,
            context.color_range,
        ) = coding.colours
        context.thread_count = THREADS
        context.flags |= Flags.global_header | Flags.bitexact
        context.options = {
            "preset": coding.preset,
            "crf": f"{coding.crf:g}",
            "profile": coding.profile,
            "x264-params": f"sps-id={parameter_sets.OWN}:open-gop=0:log-level=none",
        }
        context.open()
        self.sets = parameter_sets.from_stream(bytes(context.extradata))
        self._context = context
        self._count = 0
        self._tick = 1 / coding.fps

    def encode(self, frame: VideoFrame | None) -> Iterator[Sample]:
        """The pictures that are ready after the next frame. None ends the run."""
        if frame is not None:
            frame.pts, frame.time_base = self._count, self._tick
            frame.pict_type = 0  # its type in the clip must not influence the encoder
            self._count += 1
        for packet in self._context.encode(frame):
            yield Sample(parameter_sets.as_sample(bytes(packet)), packet.pts, packet.is_keyframe)
