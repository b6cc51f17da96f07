"""Captions in the film: drawn into its frames, or as a text track that a player can switch on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from together_video.joining.isolated.graphs import new_graph
from together_video.joining.isolated.layout import Layout
from together_video.joining.isolated.recipe import Recipe
from together_video.media.lettering import fit

if TYPE_CHECKING:
    from av import VideoFrame

#: As fractions of the film's height: the largest letters, the room for all lines, and the distance from the edge.
_LETTERS, _ROOM, _EDGE = 0.055, 0.3, 0.05


class Lettering:
    """White letters with a dark outline, at the bottom of frames of one size."""

    def __init__(self, words: str, size: tuple[int, int]) -> None:
        from PIL import Image, ImageDraw

        width, height = size
        text, font = fit(
            words,
            (round(width * (1 - 2 * _EDGE)), max(8, round(height * _ROOM))),
            largest=max(8, round(height * _LETTERS)),
        )
        edge = max(1, round(font.size / 14))
        picture = Image.new("RGBA", size, (0, 0, 0, 0))
        draw = ImageDraw.Draw(picture)
        box = draw.multiline_textbbox((0, 0), text, font=font, align="center", stroke_width=edge)
        at = ((width - box[2] - box[0]) / 2, height * (1 - _EDGE) - box[3])
        draw.multiline_text(
            at, text, font=font, fill="white", align="center", stroke_width=edge, stroke_fill=(0, 0, 0, 230)
        )
        frame = av.VideoFrame(width, height, "rgba")
        plane = frame.planes[0]
        plane.update(picture.tobytes("raw", "RGBA", plane.line_size))
        self._above: Any = frame.reformat(format="yuva420p")
        graph: Any = new_graph()
        tick = Fraction(1, 1000)
        below, above = (
            graph.add_buffer(width=width, height=height, format=name, time_base=tick)
            for name in ("yuv420p", "yuva420p")
        )
        laid = graph.add("overlay", "format=yuv420:eof_action=endall")
        below.link_to(laid, 0, 0)
        above.link_to(laid, 0, 1)
        self._end: Any = graph.add("buffersink")
        laid.link_to(self._end)
        graph.configure()
        self._graph = graph
        self._below, self._words, self._number = below, above, 0

    def drawn_on(self, frame: VideoFrame) -> VideoFrame:
        """A copy of the frame with the words on it."""
        # Frames can be shown twice, so their own times are useless here.
        for node, one in ((self._below, frame), (self._words, self._above)):
            one.pts, one.time_base = self._number, Fraction(1, 1000)
            node.push(one)
        self._number += 1
        drawn: VideoFrame = self._end.pull()
        return drawn


def samples(recipe: Recipe, film: Layout) -> Iterator[tuple[int, int, bytes]]:
    """The text track, as long as the film: the first frame, the number of frames, and the bytes of each sample (3GPP TS
    26.245, section 5.17). The writer of the file fills the gaps between captions.
    """
    end = 0
    for number, (part, placed) in enumerate(zip(recipe.parts, film.placed, strict=True)):
        following = film.placed[number + 1].start if number + 1 < len(film.placed) else film.frames
        if part.caption:
            text = part.caption.encode()
            yield placed.start, following - placed.start, len(text).to_bytes(2, "big") + text
            end = following
    if end < film.frames:
        yield end, film.frames - end, b"\0\0"
