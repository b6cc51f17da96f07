"""Frames of encoded spans: of one piece, or of two that crossfade; and the fades of the film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from together_video.joining.isolated.graphs import chained, drained, new_graph
from together_video.joining.isolated.layout import Layout, Span
from together_video.joining.isolated.pictures import FORMAT, Pictures
from together_video.joining.isolated.recipe import Recipe
from together_video.joining.isolated.survey import Clip

if TYPE_CHECKING:
    from av import VideoFrame


class Drawing:
    """Draws the spans that are not copied, in order. A piece's file is closed after its last frame."""

    def __init__(
        self, recipe: Recipe, clips: list[Clip], film: Layout, colours: tuple[int, int, int, int]
    ) -> None:
        self._recipe, self._clips, self._film, self._colours = recipe, clips, film, colours
        self._open: dict[int, Pictures] = {}
        self._fade: tuple[str, Any] | None = None
        self._faded_so_far = 0

    def frames(self, span: Span) -> Iterator[VideoFrame]:
        """The frames of a span.

        Raises:
            Fault: a piece cannot be decoded.
        """
        for number in [one for one in self._open if one not in (span.piece, span.other)]:
            self._open.pop(number).close()
        plain = self._crossfaded(span) if span.other is not None else self._of_one(span)
        for place, frame in enumerate(plain, start=span.start):
            yield self._faded(place, frame)

    def close(self) -> None:
        for pictures in self._open.values():
            pictures.close()
        self._open = {}

    def _of_one(self, span: Span) -> Iterator[VideoFrame]:
        pictures = self._pictures(span.piece, span.first)
        for _ in range(span.count):
            yield pictures.take()

    def _crossfaded(self, span: Span) -> Iterator[VideoFrame]:
        """The first and the last frame already mix both pieces, so no frame shows one piece alone."""
        assert span.other is not None  # noqa: S101 - only called for crossfades
        before = self._pictures(span.piece, span.first)
        behind = self._pictures(span.other, span.other_first)
        rate = self._film.fps
        seconds = float((span.count + 1) / rate)
        graph = new_graph()
        ends = [self._source(graph) for _ in range(2)]
        mixed = graph.add("xfade", f"transition=fade:duration={seconds:.9f}:offset=0")
        for number, end in enumerate(ends):
            end.link_to(mixed, 0, number)
        out = graph.add("buffersink")
        mixed.link_to(out)
        graph.configure()
        # One extra pair at the start: its result is the first piece alone, and is not shown.
        pair = before.take(), behind.take()
        made = 0
        for place in range(span.count + 1):
            if place > 1:
                pair = before.take(), behind.take()
            for end, frame in zip(ends, pair, strict=True):
                frame.pts, frame.time_base = place, 1 / rate
                end.push(frame)
                if place == span.count:
                    end.push(None)
            for mixed_frame in drained(out):
                if made:
                    yield mixed_frame
                made += 1
        if made <= span.count:
            # A filter that lacks memory can stop early without an error.
            raise RuntimeError(f"a crossfade of {span.count} frames gave only {max(0, made - 1)}")

    def _faded(self, place: int, frame: VideoFrame) -> VideoFrame:
        """The frame at a place of the film, darkened if the film fades in or out there."""
        film = self._film
        if place < film.fade_in:
            return self._through(f"fade=t=in:start_frame=0:nb_frames={film.fade_in}", frame)
        if place >= film.frames - film.fade_out:
            return self._through(f"fade=t=out:start_frame=0:nb_frames={film.fade_out}", frame, late=1)
        return frame

    def _through(self, fade: str, frame: VideoFrame, *, late: int = 0) -> VideoFrame:
        """The frame after this fade, which counts its frames. With `late` the fade has already started at the first
        frame, because the last frame of a film that fades out is black.
        """
        if self._fade is None or self._fade[0] != fade:
            graph: Any = new_graph()
            chained(graph, self._source(graph), fade)
            graph.configure()
            self._fade, self._faded_so_far = (fade, graph), 0
        else:
            late = 0
        made = frame
        for _ in range(late + 1):
            frame.pts, frame.time_base = self._faded_so_far, 1 / self._film.fps
            self._faded_so_far += 1
            self._fade[1].push(frame)
            made = self._fade[1].pull()
        return made

    def _source(self, graph: Any) -> Any:
        film = self._film
        tick = 1 / film.fps
        return graph.add(
            "buffer",
            f"video_size={film.width}x{film.height}:pix_fmt={FORMAT}:pixel_aspect=1/1:"
            f"time_base={tick.numerator}/{tick.denominator}:frame_rate={film.fps.numerator}/{film.fps.denominator}",
        )

    def _pictures(self, number: int, first: int) -> Pictures:
        found = self._open.get(number)
        if found is None or found.at != first:
            if found is not None:
                found.close()
            part = self._recipe.parts[number]
            words = part.caption if self._recipe.captions == "burned" else ""
            found = Pictures(self._clips[number], self._film, number, first, self._colours, words)
            self._open[number] = found
        return found
