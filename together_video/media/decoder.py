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
    from av.video.stream import VideoStream

#: Containers that state the size of their pictures themselves, or have none. They may hold covers, which FFmpeg would
#: decode to open the file: with a bound of one pixel it does not.
_STATE_SIZES = frozenset({"mov", "matroska", "mp3", "wav"})


class BeyondBounds(ValueError):
    """The file holds more than is opened here. The words finish "it …"."""


def open_media(
    source: str | IO[bytes], container: str, options: dict[str, str] | None = None
) -> InputContainer:
    """Open a file for reading; use it as a context manager.

    No picture of more than `PIXELS` pixels is decoded, and each stream by one thread, so that its memory is what its
    pictures need. FFmpeg's own messages are silenced: they would go to stderr, past every logger.

    Args:
        source: a file, or what FFmpeg takes in its place (`file:/path`).
        container: FFmpeg's name of the demuxer. It is never guessed: a playlist that poses as a video could
            otherwise make FFmpeg read other files and addresses.
        options: FFmpeg's options for the container and its streams.

    Raises:
        av.error.FFmpegError: it cannot be opened as that.
        BeyondBounds: it holds too many streams.
    """
    import av
    import av.logging

    av.logging.set_level(None)
    tolerance: dict[str, Any] = {"metadata_errors": "replace"} if _release() < 19 else {}
    options = {
        # Only files may be opened, whatever the file refers to. FFmpeg would also decode a frame to open
        # the file, and then the same frame again for those who ask: the first time is left out.
        "protocol_whitelist": "file",
        "skip_frame": "all",
        "max_pixels": "1" if container in _STATE_SIZES else str(PIXELS),
        **(options or {}),
    }
    opened: InputContainer = av.open(source, format=container, options=options, **tolerance)
    try:
        if len(opened.streams) > STREAMS:
            raise BeyondBounds(f"holds {len(opened.streams)} streams, and at most {STREAMS} are opened here")
        for stream in opened.streams:
            context = getattr(stream, "codec_context", None)
            if context is not None and stream.type in {"video", "audio"}:
                context.thread_count = 1
                context.options = {**context.options, "max_pixels": str(PIXELS)}
    except BaseException:
        opened.close()
        raise
    return opened


def pictures_of(container: InputContainer) -> VideoStream | None:
    """The first stream of real video: covers of sound files are none."""
    from av.stream import Disposition

    return next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it was the limit of memory that stopped the work."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


def _release() -> int:
    import av

    return int(av.__version__.partition(".")[0])
