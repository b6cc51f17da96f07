"""Opens media files with PyAV, whichever release is installed, with limits for all streams.

PyAV 19 dropped the argument `metadata_errors`: it always keeps titles that are not UTF-8 as they are. Earlier releases
raise UnicodeDecodeError by default.
"""

from __future__ import annotations

import errno
from typing import IO, TYPE_CHECKING, Any

from together_video.media.bounds import PIXELS, STREAMS

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

#: Sound-only containers: their pictures are never needed.
_SOUNDS = frozenset({"mp3", "wav"})
#: Video containers that can have covers too.
_WITH_COVERS = frozenset({"mov", "matroska", "asf", "ogg"})
#: FFmpeg decodes cover pictures whenever it opens a file. This limit makes it skip them as too large.
_NO_PICTURES = {"max_pixels": "1"}
#: Options to skip everything else, to see only which streams there are.
_QUICKLY = {**_NO_PICTURES, "fpsprobesize": "0", "analyzeduration": "1"}


class BeyondBounds(ValueError):
    """The file exceeds a limit. The words complete "it …"."""


def open_media(
    source: str | IO[bytes], container: str, options: dict[str, str] | None = None
) -> InputContainer:
    """Open a file for reading; use it as a context manager.

    Covers and pictures of more than `PIXELS` pixels are not decoded. Each stream is decoded by one thread, so it uses
    only the memory that its pictures need. FFmpeg's own messages are silenced, because they would go to stderr and
    bypass every logger.

    Args:
        source: a file, or what FFmpeg accepts instead (`file:/path`).
        container: FFmpeg's name for the demuxer. It is never guessed: otherwise a playlist disguised as a video could
            make FFmpeg read other files and addresses.
        options: FFmpeg's options for the container and its streams.

    Raises:
        av.error.FFmpegError: it cannot be opened as this container.
        BeyondBounds: it has too many streams.
    """
    import av.logging

    av.logging.set_level(None)
    options = {
        # Only files may be opened, whatever the file refers to. FFmpeg would also decode a frame to open the file, and
        # the same frame again on request, so the first time is skipped.
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
    """The names of the decoders of all streams except covers."""
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
        raise BeyondBounds(f"has {count} streams, but at most {STREAMS} are opened here")
    return opened


def is_cover(stream: Stream) -> bool:
    """Whether the stream is a still picture, such as a song's cover, and not video."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def pictures_of(container: InputContainer) -> VideoStream | None:
    """The first real video stream."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory limit stopped the work."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


def _release() -> int:
    import av

    return int(av.__version__.partition(".")[0])
