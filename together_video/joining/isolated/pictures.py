"""The frames of a piece as the film shows them: at its constant rate, in its size, upright, with square pixels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error

from together_video.joining.isolated.captions import Lettering
from together_video.joining.isolated.graphs import chained, new_graph
from together_video.joining.isolated.layout import Layout, frames_of
from together_video.joining.isolated.recipe import Fault
from together_video.joining.isolated.survey import Clip
from together_video.media.decoder import is_out_of_memory, open_media, pictures_of

if TYPE_CHECKING:
    from av import VideoFrame

FORMAT = "yuv420p"
#: Frames that may be missing at the end of a piece. The last one is repeated for them.
_MISSING = 2
_TURNS = {90: "transpose=cclock,", 270: "transpose=clock,", 180: "hflip,vflip,"}
#: FFmpeg's names for the colour spaces that its scaler converts, by number (ISO/IEC 23091-2).
_SPACES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020"}


class Pictures:
    """Frames of one piece, in order, starting at frame `first`."""

    def __init__(
        self, clip: Clip, film: Layout, number: int, first: int, colours: tuple[int, ...], words: str = ""
    ) -> None:
        self._clip, self._film, self._number = clip, film, number
        self._colours = colours
        self._lettering = Lettering(words, (film.width, film.height)) if words else None
        self._frames = self._counted(first)
        self.at = first

    def take(self) -> VideoFrame:
        """The next frame.

        Raises:
            Fault: it cannot be decoded.
        """
        try:
            frame = next(self._frames)
        except av.error.FFmpegError as error:
            if is_out_of_memory(error):
                raise
            raise self._broken(error.strerror or "it is broken") from error
        except StopIteration:
            raise self._broken("it ends early") from None
        self.at += 1
        return frame

    def close(self) -> None:
        self._frames.close()  # type: ignore[attr-defined]  # a generator

    def _broken(self, why: str) -> Fault:
        seconds = float(self.at / self._film.fps)
        return Fault(f"cannot be decoded at {seconds:.2f} s ({why})", piece=self._number)

    def _counted(self, first: int) -> Iterator[VideoFrame]:
        """Each frame at the film's rate, starting at `first`. Some are repeated if the clip has fewer."""
        clip, fps = self._clip, self._film.fps
        total, wanted = frames_of(clip, fps), first
        kept: VideoFrame | None = None
        pass_on = _Fitted(clip, self._film, self._colours)
        for place, frame in self._decoded(first):
            while kept is not None and wanted < min(place, total):
                yield self._finished(pass_on(kept))
                wanted += 1
            kept = frame
        while kept is not None and wanted < total:
            # A clip with a constant rate has as many frames as packets, unless some are broken.
            if clip.rate == fps and total - wanted > 1 + _MISSING:
                return
            yield self._finished(pass_on(kept))
            wanted += 1

    def _finished(self, frame: VideoFrame) -> VideoFrame:
        return frame if self._lettering is None else self._lettering.drawn_on(frame)

    def _decoded(self, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """The clip's frames and their places at the film's rate, starting about one frame before `first`."""
        clip, fps = self._clip, self._film.fps
        with open_media(
            f"file:{clip.source.path}", clip.source.container, {"skip_frame": "default"}
        ) as opened:
            stream = pictures_of(opened)
            if stream is None:
                return
            if first and clip.keys and stream.time_base:
                opened.seek(int((clip.start + first / fps) / stream.time_base), stream=stream)
            for number, frame in enumerate(opened.decode(stream)):
                if not (frame.width and frame.height):
                    continue
                if frame.pts is None or frame.time_base is None:
                    place = number
                else:
                    place = round((frame.pts * frame.time_base - clip.start) * fps)
                if place >= 0:
                    yield place, frame


class _Fitted:
    """Rotates, scales and pads frames. One that already fits stays as it is."""

    def __init__(self, clip: Clip, film: Layout, colours: tuple[int, ...]) -> None:
        self._clip, self._film, self._colours = clip, film, colours
        self._graph: Any = None
        self._shape: Any = None
        self._last: tuple[VideoFrame, VideoFrame] | None = None

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        if self._last is not None and self._last[0] is frame:
            return self._last[1]
        fitted = self._made(frame)
        self._last = (frame, fitted)
        return fitted

    def _made(self, frame: VideoFrame) -> VideoFrame:
        film, clip = self._film, self._clip
        is_square = clip.shown == (frame.width, frame.height)
        matrix = self._conversion(frame)
        fits = (frame.width, frame.height) == (film.width, film.height) and frame.format.name == FORMAT
        if fits and is_square and not matrix and not frame.rotation % 360 and not frame.interlaced_frame:
            return frame
        shape = (
            *(frame.width, frame.height, frame.format.name, frame.rotation, matrix),
            bool(frame.interlaced_frame),
        )
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = self._graph_for(frame, matrix), shape
        frame.pts = 0
        self._graph.push(frame)
        made: VideoFrame = self._graph.pull()
        return made

    def _graph_for(self, frame: VideoFrame, matrix: str) -> Any:
        film, shown = self._film, self._clip.shown
        scale = min(Fraction(film.width, shown[0]), Fraction(film.height, shown[1]))
        width, height = (
            max(2, min(most, round(side * scale / 2) * 2))
            for side, most in zip(shown, (film.width, film.height), strict=True)
        )
        # Only one half of an interlaced frame: the other was recorded later, so moving things would show twice.
        turn = ("field=type=top," if frame.interlaced_frame else "") + _TURNS.get(frame.rotation % 360, "")
        graph = new_graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        steps = (
            f"{turn}scale={width}:{height}:flags=bicubic+accurate_rnd{matrix},format={FORMAT},"
            f"pad={film.width}:{film.height}:{(film.width - width) // 4 * 2}:{(film.height - height) // 4 * 2},setsar=1"
        )
        chained(graph, source, steps)
        graph.configure()
        return graph

    def _conversion(self, frame: VideoFrame) -> str:
        """Options of the scaler if the clip's colours are coded differently from the film's."""
        found = ""
        space, film_space = _SPACES.get(self._clip.colours[2]), _SPACES.get(self._colours[2])
        if space and film_space and space != film_space:
            found += f":in_color_matrix={space}:out_color_matrix={film_space}"
        is_full = self._clip.colours[3] == 2 or frame.format.name.startswith("yuvj")
        if is_full != (self._colours[3] == 2):
            ends = ("full", "limited") if is_full else ("limited", "full")
            found += f":in_range={ends[0]}:out_range={ends[1]}"
        return found
