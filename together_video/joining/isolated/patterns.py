"""Template tracks: to add a track without an encoder, PyAV needs a track of another file as a template."""

from __future__ import annotations

import base64
import io
import zlib
from typing import Any

import av

from together_video.joining.isolated.encoder import Coding
from together_video.joining.isolated.sound import Shape, silence

#: An MP4 file with a text track (tx3g) of one word, packed.
_TEXT = (
    "eNqdUb1OwzAQPrdC6lBEhTpmKFIHBgZ+R6SWiR26sTi1Q63aTWRfK+BteBcegkdg5A3C2U0bJ0gMnHK57+z78X0HAEmGr4VyuQHogLekl6a4"
    "vgCAXmalJHtoBEdgU4LQeTd5viGgzWYhoCHdr6AM/FcLa0a1/Qn8KR1K+EbLl4SfcBl6dn9X873rh/yj71gKdGQTqR3WGVXdkMsWRihOYGRE"
    "a/aju4nX2UfwzhdC292VS1HHoQ/rFBVqec9XQksfxgZGrTIC/ZXZ1x2L7VkirMyiCfprq0cV/nSY+trCoRNRzCO+XD3HU7OSfmWLjUFJQug4"
    "Q56Szw6mVnFfb5ii3XFwWunIYeCn2gnF+5lrVhN6wzzqyfZx27u35k7DjrwdOpznUd4Z6e1aoOf5xshgvZzEnNIeLC+KBq89RYv7AU8rWhs="
)


def text() -> io.BytesIO:
    return io.BytesIO(zlib.decompress(base64.b64decode(_TEXT)))


def pictures(coding: Coding) -> io.BytesIO:
    """One black frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream: Any = out.add_stream("libx264", rate=coding.fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = coding.width, coding.height, "yuv420p"
        stream.time_base = 1 / coding.fps
        context = stream.codec_context
        (
            context.color_primaries,
            context.color_trc,
            context.colorspace,
            context.color_range,
        ) = coding.colours
        frame = av.VideoFrame(coding.width, coding.height, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, 1 / coding.fps
        out.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    return file


def sound(shape: Shape) -> io.BytesIO:
    """A moment of silence."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream: Any = out.add_stream("aac", rate=shape.rate, layout=shape.layout)
        frame = silence(shape, 4096)
        frame.pts = 0
        out.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    return file
