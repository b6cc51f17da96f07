"""The film as an MP4 file, written in one pass with its index at the front, where room is reserved for it.

Nothing is written to disk here. The bytes and their positions go to the parent, piece by piece.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from typing import Any

import av

from together_video.joining.isolated import patterns
from together_video.joining.isolated.recipe import Source
from together_video.media.decoder import open_media, pictures_of

#: The least ticks per second of the film's clock. Players round coarser ones.
_TICKS = 10_000
#: The most bytes of the index: per picture, per packet of sound, per text, and for everything else.
_OF_PICTURE, _OF_SOUND, _OF_TEXT, _OF_ALL = 33, 29, 41, 4096
#: Bytes per message.
_PIECE = 1 << 20


class Outlet(io.RawIOBase):
    """A file that is stored elsewhere: `send` gets positions and bytes."""

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._at = self._size = 0
        self._held = bytearray()
        self._held_at = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        if self._at != self._held_at + len(self._held) or len(self._held) >= _PIECE:
            self.flush()
            self._held_at = self._at
        self._held += data
        self._at += len(data)
        self._size = max(self._size, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + {0: 0, 1: self._at, 2: self._size}[whence]
        return self._at

    def flush(self) -> None:
        if self._held:
            self._send(self._held_at, bytes(self._held))
            self._held = bytearray()


class FilmFile:
    """Takes packets in order of time, and closes the file. Use it as a context manager."""

    def __init__(
        self, send: Callable[[int, bytes], None], *, fps: Fraction, counts: tuple[int, int, int]
    ) -> None:
        """Args:
        counts: the most pictures, packets of sound, and texts.
        """
        doubled = 1
        while fps.numerator * doubled < _TICKS:
            doubled *= 2
        ticks = fps.numerator * doubled
        room = sum(
            count * size for count, size in zip(counts, (_OF_PICTURE, _OF_SOUND, _OF_TEXT), strict=True)
        )
        self._outlet = Outlet(send)
        self._tick = Fraction(1, ticks)
        self._files = ExitStack()
        self._out: Any = self._files.enter_context(
            av.open(
                self._outlet,
                "w",
                format="mp4",
                buffer_size=_PIECE,
                options={
                    "video_track_timescale": str(ticks),
                    "movie_timescale": str(ticks),
                    "moov_size": str(room + _OF_ALL),
                    # The same packets must give the same file: no program names, no dates.
                    "fflags": "+bitexact",
                    "flush_packets": "0",
                },
            )
        )

    def __enter__(self) -> FilmFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()
        self._outlet.flush()

    def add_pictures(self, pattern: Source | io.BytesIO, head: bytes, codec: str) -> Any:
        """A track of pictures, encoded as `head` says."""
        with _opened(pattern) as opened:
            stream: Any = self._out.add_stream_from_template(pictures_of(opened), opaque=True)
        stream.codec_context.extradata = head
        if codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # the tag that Apple's players know
        stream.time_base = self._tick
        return self._plain(stream)

    def add_sound(self, pattern: Source | io.BytesIO, head: bytes, rate: int) -> Any:
        with _opened(pattern) as opened:
            stream: Any = self._out.add_stream_from_template(opened.streams.audio[0], opaque=True)
        stream.codec_context.extradata = head
        stream.time_base = Fraction(1, rate)
        return self._plain(stream)

    def add_text(self) -> Any:
        with _opened(patterns.text()) as opened:
            stream: Any = self._out.add_stream_from_template(opened.streams[0])
        stream.time_base = self._tick
        return self._plain(stream)

    def _plain(self, stream: Any) -> Any:
        """Remove the template's metadata, such as its title and creation time."""
        stream.metadata.clear()
        return stream

    def begin(self) -> None:
        self._out.start_encoding()

    def put(
        self,
        stream: Any,
        packet: av.Packet[Any],
        times: tuple[int, int, int],
        tick: Fraction,
        *,
        is_key: bool = True,
    ) -> None:
        """Write a packet.

        Args:
            times: its display time, decoding time and length, in `tick`s.
        """
        packet.stream = stream
        packet.time_base = tick
        packet.pts, packet.dts, packet.duration = times
        packet.is_keyframe = is_key
        self._out.mux_one(packet)


def _opened(pattern: Source | io.BytesIO) -> Any:
    if isinstance(pattern, Source):
        return open_media(f"file:{pattern.path}", pattern.container)
    return open_media(pattern, "mov")
