"""Opening media files with PyAV, whichever of its releases is installed.

PyAV 19 dropped the argument `metadata_errors`: it always keeps titles that are not UTF-8 as they are, where
earlier releases raise UnicodeDecodeError unless they are told not to.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.container import InputContainer


def open_media(
    source: str | IO[bytes], container: str, options: dict[str, str] | None = None
) -> InputContainer:
    """Open a file for reading; use it as a context manager.

    FFmpeg's own messages are silenced: they would go to stderr, past every logger.

    Args:
        source: a file, or what FFmpeg takes in its place (`file:/path`).
        container: FFmpeg's name of the demuxer. It is never guessed: a playlist that poses as a video could
            otherwise make FFmpeg read other files and addresses.
        options: FFmpeg's options for the container and its streams.

    Raises:
        av.error.FFmpegError: it cannot be opened as that.
    """
    import av
    import av.logging

    av.logging.set_level(None)
    tolerance: dict[str, Any] = {"metadata_errors": "replace"} if _release() < 19 else {}
    opened: InputContainer = av.open(source, format=container, options=options, **tolerance)
    return opened


def _release() -> int:
    import av

    return int(av.__version__.partition(".")[0])
