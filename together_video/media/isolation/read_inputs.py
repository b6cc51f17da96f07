"""Reads images, videos and sounds for requests where they can do no harm. Runs in the worker process."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO, Any

import av
import av.error
from PIL import (
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from together_video.media.bounds import IMAGE_PIXELS, INPUT_SECONDS, MEMORY
from together_video.media.decoder import BeyondBounds, is_out_of_memory, open_media, pictures_of

#: Imported here, because otherwise Pillow would import all its plugins.
#: The formats that are decoded. Other formats are only named.
_PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
_FORMATS = ("JPEG", "PNG", "WEBP")
#: Bytes per pixel during decoding. An image that needs more than there is must not be started: it would fail half-way
#: with an error that calls it broken. WEBP keeps its canvas four times, a progressive JPEG all coefficients of four
#: colours.
_PER_PIXEL = {"WEBP": 16, "progressive": 8}
_PER_OTHER_PIXEL = 4
#: Bytes that decoders need for any size.
_BESIDES = 16 << 20
_TOO_LARGE = "has more pixels than any model takes"
_EXIF_ORIENTATION = 0x0112


class Refused(Exception):
    """It is not what is needed, in words that follow its name. `short`: more memory could give another result."""

    def __init__(self, words: str, *, short: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.short = short


def read_image(source: str | bytes, memory: int) -> tuple[dict[str, Any], bytes]:
    """Decode the whole image, without rotating it or changing its colours.

    Args:
        memory: bytes that this try may take.

    Returns:
        The fields of `together_video.media.files.ImageAnswer`.

    Raises:
        Refused: it is broken, or has too many pixels.
    """
    with _stream(source) as file:
        try:
            with warnings.catch_warnings():
                # Pillow warns of pictures of 90 megapixels and refuses those twice as large.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                # Pillow allocates the memory for a WEBP as soon as it opens it.
                check_pixels(_size_of_webp(file.read(30)), _PER_PIXEL["WEBP"], memory)
                file.seek(0)
                try:
                    image = Image.open(file, formats=_FORMATS)
                except UnidentifiedImageError:
                    file.seek(0)
                    with Image.open(file) as other:
                        return {"form": other.format or "unknown"}, b""
                with image:
                    return _decoded(image, memory), b""
        except UnidentifiedImageError:
            return {}, b""
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Refused(_TOO_LARGE) from None
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            if is_out_of_memory(error):
                raise
            raise Refused(f"is a broken image: {error}", short=memory < MEMORY) from error


def _decoded(image: Image.Image, memory: int) -> dict[str, Any]:
    is_progressive = image.info.get("progressive") or image.info.get("progression")
    per_pixel = _PER_PIXEL.get("progressive" if is_progressive else image.format or "", _PER_OTHER_PIXEL)
    check_pixels(image.size, per_pixel, memory)
    # A JPEG can be read whole and drawn at an eighth of its size.
    image.draft(None, (image.width // 8, image.height // 8))
    image.load()
    return {
        "form": image.format or "unknown",
        "frames": getattr(image, "n_frames", 1),
        "is_cmyk": image.mode == "CMYK",
        "is_turned": image.getexif().get(_EXIF_ORIENTATION, 1) not in {0, 1},
    }


def check_pixels(size: tuple[int, int], per_pixel: int, memory: int) -> None:
    """Refuse a picture that would take more memory than there is.

    Raises:
        Refused: it would.
    """
    pixels = size[0] * size[1]
    needed = pixels * per_pixel + _BESIDES
    if pixels > IMAGE_PIXELS or needed > MEMORY:
        raise Refused(_TOO_LARGE)
    if needed > memory:
        raise Refused("needs more memory", short=True)


def _size_of_webp(head: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the file states them. 0 if it is not a WEBP (RFC 9649, section 2)."""
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return 0, 0
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (
        int.from_bytes(head[26:28], "little") & 0x3FFF,
        int.from_bytes(head[28:30], "little") & 0x3FFF,
    )


def read_video(source: str | bytes, memory: int, container: str) -> tuple[dict[str, Any], bytes]:
    """Decode the first frame.

    Args:
        memory: bytes that this try may take.

    Raises:
        Refused: there is none, or the video is too large or too long to send.
    """
    has_room = memory >= MEMORY
    try:
        with _stream(source) as file, open_media(file, container) as opened:
            stream = pictures_of(opened)
            if stream is None:
                raise Refused("is not a video: it has sound but no pictures")
            stated = (opened.duration or 0) / av.time_base
            if stated > INPUT_SECONDS:
                raise Refused(f"lasts {stated:.0f} s; videos may last at most {INPUT_SECONDS:.0f} s")
            if next(opened.decode(stream), None) is None:
                raise Refused("is not a usable video: it has no frame", short=not has_room)
    except BeyondBounds as error:
        raise Refused(str(error)) from error
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        raise Refused(f"cannot be read as a video: {error.strerror}", short=not has_room) from error
    return {}, b""


def read_audio(source: str | bytes, memory: int, container: str, most: float) -> tuple[dict[str, Any], bytes]:
    """Count its samples, because the length that it states may be wrong.

    Args:
        memory: bytes that this try may use: more than enough.
        most: seconds after which counting stops.

    Returns:
        The fields of `together_video.media.files.AudioAnswer`.

    Raises:
        Refused: it has no sound, or the sound cannot be decoded.
    """
    try:
        with _stream(source) as file, open_media(file, container) as opened:
            if not opened.streams.audio:
                raise Refused("has no sound")
            samples, rate, is_longer = 0, 1, False
            for frame in opened.decode(opened.streams.audio[0]):
                samples, rate = samples + frame.samples, frame.sample_rate or 1
                if is_longer := samples > most * rate:
                    break
    except BeyondBounds as error:
        raise Refused(str(error)) from error
    except av.error.FFmpegError as error:
        if is_out_of_memory(error):
            raise
        raise Refused(f"cannot be read as audio: {error.strerror}") from error
    return {"seconds": samples / rate, "is_longer": is_longer}, b""


def _stream(source: str | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")
