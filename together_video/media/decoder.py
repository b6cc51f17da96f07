"""Opening media files with PyAV, whichever of its releases is installed, and under bounds that hold for all streams.

PyAV 19 dropped the argument `metadata_errors`: it always keeps titles that are not UTF-8 as they are, where
earlier releases raise UnicodeDecodeError unless they are told not to.
"""

from __future__ import annotations

import errno
from typing import IO, TYPE_CHECKING, Any

from together_video.media.bounds import PIXELS, STREAMS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

#: Containers of sound: no picture in them is of use.
_SOUNDS = frozenset({"mp3", "wav"})
#: Containers of video that may hold covers, too.
_WITH_COVERS = frozenset({"mov", "matroska", "asf", "ogg"})
#: FFmpeg decodes cover pictures whenever it opens a file. This limit makes it skip them as too large.
_NO_PICTURES = {"max_pixels": "1"}
#: What else is left out to see only which streams there are.
_QUICKLY = {**_NO_PICTURES, "fpsprobesize": "0", "analyzeduration": "1"}


class BeyondBounds(ValueError):
    """The file holds more than is opened here. The words finish "it …"."""


def open_media(
    source: str | IO[bytes], container: str, options: dict[str, str] | None = None
) -> InputContainer:
    """Open a file for reading; use it as a context manager.

    Covers are not decoded, nor are pictures of more than `PIXELS` pixels, and each stream is decoded by one thread, so
    that its memory is what its pictures need. FFmpeg's own messages are silenced: they would go to stderr, past every
    logger.

    Args:
        source: a file, or what FFmpeg takes in its place (`file:/path`).
        container: FFmpeg's name of the demuxer. It is never guessed: a playlist that poses as a video could
            otherwise make FFmpeg read other files and addresses.
        options: FFmpeg's options for the container and its streams.

    Raises:
        av.error.FFmpegError: it cannot be opened as that.
        BeyondBounds: it holds too many streams.
    """
    import av.logging

    av.logging.set_level(None)
    options = {
        # Only files may be opened, whatever the file refers to. FFmpeg would also decode a frame to open
        # the file, and then the same frame again for those who ask: the first time is left out.
        "protocol_whitelist": "file",
        "skip_frame": "all",
        **(options or {}),
    }
    if container in _SOUNDS:
        options |= _NO_PICTURES
    elif container in _WITH_COVERS:
        with _opened(source, container, {**options, **_QUICKLY}) as first:
            if any(is_cover(stream) for stream in first.streams):
                options["codec_whitelist"] = ",".join(_decoders_of(first)) or "none"
        if not isinstance(source, str):
            source.seek(0)
    opened = _opened(source, container, options)
    for stream in opened.streams:
        context = getattr(stream, "codec_context", None)
        if context is not None and stream.type in {"video", "audio"}:
            context.thread_count = 1
            context.options = {**context.options, "max_pixels": str(PIXELS)}
    return opened


def _decoders_of(container: InputContainer) -> list[str]:
    """The names of those that all streams but the covers need."""
    contexts = (
        getattr(stream, "codec_context", None) for stream in container.streams if not is_cover(stream)
    )
    return sorted({context.codec.name for context in contexts if context is not None})


def _opened(source: str | IO[bytes], container: str, options: dict[str, str]) -> InputContainer:
    import av

    tolerance: dict[str, Any] = {"metadata_errors": "replace"} if _release() < 19 else {}
    opened: InputContainer = av.open(source, format=container, options=options, **tolerance)
    if (count := len(opened.streams)) > STREAMS:
        opened.close()
        raise BeyondBounds(f"holds {count} streams, and at most {STREAMS} are opened here")
    return opened


def is_cover(stream: Stream) -> bool:
    """Whether it is a picture that belongs to the file, such as a song's cover, and no video."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def pictures_of(container: InputContainer) -> VideoStream | None:
    """The first stream of real video."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it was the limit of memory that stopped the work."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


def _release() -> int:
    import av

    return int(av.__version__.partition(".")[0])
