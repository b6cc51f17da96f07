"""Sound as samples: of a file, of silence, or of a looped file; always exactly as many as requested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error

from together_video.joining.isolated.recipe import Fault, Source
from together_video.media.decoder import is_out_of_memory, open_media

if TYPE_CHECKING:
    from av import AudioFrame

FORMAT = "fltp"
#: Seconds by which the times of a track may be off before silence is inserted or samples are dropped.
_OFF = Fraction(1, 50)
#: The most samples in a frame. With the usual codecs, frames have at most 120 ms.
_LONGEST = 1 << 18


@dataclass(frozen=True)
class Shape:
    """Samples per second, and `mono` or `stereo`."""

    rate: int
    layout: str


def silence(shape: Shape, count: int) -> AudioFrame:
    frame = av.AudioFrame(format=FORMAT, layout=shape.layout, samples=count)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = shape.rate
    return frame


def _doubled(frame: AudioFrame) -> AudioFrame:
    """The single channel of a frame, on both channels."""
    both = av.AudioFrame(format=FORMAT, layout="stereo", samples=frame.samples)
    channel = bytes(frame.planes[0])
    for plane in both.planes:
        plane.update(channel[: plane.buffer_size].ljust(plane.buffer_size, b"\0"))
    both.sample_rate = frame.sample_rate
    return both


class Track:
    """The first sound track of a file, from `origin` in seconds of its own time, followed by silence."""

    def __init__(self, source: Source, shape: Shape, origin: Fraction | None, *, loops: bool = False) -> None:
        self._shape = shape
        self._fifo = av.AudioFifo()
        self._frames = self._again(source, origin) if loops else self._decoded(source, origin)
        #: Samples read from the file so far.
        self.heard = 0
        self.is_over = False

    def read(self, count: int) -> AudioFrame:
        """Exactly `count` samples.

        Raises:
            Fault: the file cannot be decoded.
        """
        while not self.is_over and self._fifo.samples < count:
            frame = next(self._frames, None)
            if frame is None:
                self.is_over = True
            else:
                frame.pts = None
                self._fifo.write(frame)
        ready = min(count, self._fifo.samples)
        self.heard += ready
        if ready < count:
            if not ready:
                return silence(self._shape, count)
            rest = silence(self._shape, count - ready)
            rest.pts = None
            self._fifo.write(rest)
        read = self._fifo.read(count)
        assert read is not None  # noqa: S101 - there are enough
        return read

    def skip(self, count: int) -> None:
        while count:
            step = min(count, 48_000)
            self.read(step)
            count -= step

    def close(self) -> None:
        self._frames.close()  # type: ignore[attr-defined]  # a generator

    def _again(self, source: Source, origin: Fraction | None) -> Iterator[AudioFrame]:
        while True:
            is_empty = True
            for frame in self._decoded(source, origin):
                is_empty = False
                yield frame
            if is_empty:
                return

    def _decoded(self, source: Source, origin: Fraction | None) -> Iterator[AudioFrame]:
        """Samples in the film's shape. Gaps in the file become silence."""
        shape = self._shape
        try:
            with open_media(f"file:{source.path}", source.container) as opened:
                if not opened.streams.audio:
                    raise Fault("has no sound")
                resampler, kind, due, is_doubled = None, None, origin, False
                for frame in opened.decode(opened.streams.audio[0]):
                    if not frame.samples or not frame.sample_rate or frame.samples > _LONGEST:
                        continue
                    if kind != (new := (frame.format.name, frame.layout.name, frame.sample_rate)):
                        resampler, kind = av.AudioResampler(FORMAT, shape.layout, shape.rate), new
                        is_doubled = shape.layout == "stereo" and frame.layout.nb_channels == 1
                        if is_doubled:  # at full volume: a resampler would halve its power
                            resampler = av.AudioResampler(FORMAT, "mono", shape.rate)
                    begin = (
                        None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
                    )
                    length = Fraction(frame.samples, frame.sample_rate)
                    cut = 0
                    if begin is not None and due is not None:
                        if begin - due > (_OFF if due != origin else 0):
                            yield from self._gap(begin - due)
                            due = begin
                        elif due - begin > (_OFF if due != origin else 0):
                            if begin + length <= due:
                                continue
                            cut, due = round((due - begin) * shape.rate), begin
                    due = None if due is None and begin is None else (begin if due is None else due)
                    due = None if due is None else due + length
                    frame.pts = None
                    assert resampler is not None  # noqa: S101 - made for the first frame
                    for made in resampler.resample(frame):
                        yield from self._without(_doubled(made) if is_doubled else made, cut)
                        cut = max(0, cut - made.samples)
                for made in resampler.resample(None) if resampler is not None else ():
                    yield _doubled(made) if is_doubled else made
        except av.error.FFmpegError as error:
            if is_out_of_memory(error):
                raise
            raise Fault(f"has sound that cannot be decoded ({error.strerror})") from error

    def _gap(self, seconds: Fraction) -> Iterator[AudioFrame]:
        missing = round(seconds * self._shape.rate)
        while missing > 0:
            step = min(missing, 8192)
            yield silence(self._shape, step)
            missing -= step

    def _without(self, frame: AudioFrame, cut: int) -> Iterator[AudioFrame]:
        """The frame without its first samples."""
        if not cut:
            yield frame
        elif cut < frame.samples:
            fifo = av.AudioFifo()
            frame.pts = None
            fifo.write(frame)
            fifo.read(cut)
            rest = fifo.read(frame.samples - cut)
            if rest is not None:
                yield rest
