"""Is a file really the image, the video or the audio that a request needs? Judged by its content.

Synchronous, and reads whole files: run it in a thread where an event loop must go on. Pillow and
PyAV are imported on first use.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from together_video.errors import MediaRefused
from together_video.media.containers import container_of
from together_video.media.decoder import open_media
from together_video.media.references import reference_to
from together_video.media.sources import MediaKind

#: Largest file of each kind, in bytes. No document gives one for images and videos: what is larger
#: than this is a mistake rather than an input of a clip of some seconds.
LARGEST = {MediaKind.IMAGE: 50 * 10**6, MediaKind.VIDEO: 10**9, MediaKind.AUDIO: 100 * 10**6}

_IMAGES = {
    "JPEG": ("jpg", "image/jpeg"),
    # A camera's JPEG with further pictures behind it, such as a preview: decoders take the first.
    "MPO": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "WEBP": ("webp", "image/webp"),
}
#: Brands of the container that HEIC and AVIF share with MP4.
_HEIF = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "HEIC"),
    **dict.fromkeys((b"mif1", b"msf1"), "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_EXIF_ORIENTATION = 0x0112
_VIDEOS = {"mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mkv": "video/x-matroska"}
_AUDIOS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_ARTICLES = {MediaKind.IMAGE: "an image", MediaKind.VIDEO: "a video", MediaKind.AUDIO: "an audio file"}


@dataclass(frozen=True)
class AudioLimits:
    """What an audio input may be: seconds and bytes, by the documents."""

    minimum_seconds: float
    maximum_seconds: float
    maximum_bytes: int


@dataclass(frozen=True)
class MediaFile:
    """Content that was looked at. It lies at `path`, or is `data` where it came inline.

    `reference` names it in a request, `size` is in bytes, `seconds` is set for audio. `notes` are words behind its name
    about what may surprise: it is taken all the same.
    """

    name: str
    reference: str
    sha256: str
    size: int
    content_type: str
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    seconds: float | None = None
    notes: tuple[str, ...] = ()


def inspect_file(path: Path, kind: MediaKind, limits: AudioLimits | None = None) -> MediaFile:
    """Look at a file on this machine. `limits` are held against audio only.

    Raises:
        MediaRefused: there is none, it cannot be read, or it is not what is needed.
    """
    try:
        if path.is_dir():
            raise MediaRefused("is a folder, not a file")
        stat = path.stat()
        if not path.is_file():
            raise MediaRefused("is no regular file")
        _check_size(stat.st_size, kind)
        found = _looked_at(path, stat.st_size, stat.st_mtime_ns, kind)
    except FileNotFoundError:
        raise MediaRefused("there is no such file on the machine that runs this") from None
    except PermissionError:
        raise MediaRefused("may not be read by this user") from None
    except (OSError, ValueError) as error:
        raise MediaRefused(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    _check_audio(found, limits)
    return found


def inspect_bytes(data: bytes, name: str, kind: MediaKind, limits: AudioLimits | None = None) -> MediaFile:
    """As `inspect_file`, for content that came inline; `name` is what messages call it.

    Raises:
        MediaRefused: it is not what is needed.
    """
    _check_size(len(data), kind)
    found = replace(_read(io.BytesIO(data), kind), name=name, data=data)
    _check_audio(found, limits)
    return found


@lru_cache(maxsize=4096)
def _looked_at(path: Path, size: int, modified: int, kind: MediaKind) -> MediaFile:
    """A batch names the same picture on many lines: it is read once, until it changes."""
    with path.open("rb") as file:
        return replace(_read(file, kind), name=path.name, path=path)


def _check_size(size: int, kind: MediaKind) -> None:
    if not size:
        raise MediaRefused("is empty")
    if size > LARGEST[kind]:
        raise MediaRefused(f"has {size / 1e6:.0f} MB; {kind} files have at most {LARGEST[kind] / 1e6:.0f} MB")


def _check_audio(found: MediaFile, limits: AudioLimits | None) -> None:
    if limits is None or found.seconds is None:
        return
    if found.size > limits.maximum_bytes:
        raise MediaRefused(
            f"has {found.size / 1e6:.1f} MB; audio has at most {limits.maximum_bytes / 1e6:.0f} MB"
        )
    # MP3 is cut into frames of 26 ms, so its length is only known to about that.
    if not limits.minimum_seconds - 0.05 <= found.seconds <= limits.maximum_seconds + 0.05:
        raise MediaRefused(
            f"lasts {found.seconds:.1f} s; audio must last {limits.minimum_seconds:g} to "
            f"{limits.maximum_seconds:g} s"
        )


def _read(file: Any, kind: MediaKind) -> MediaFile:
    head = file.read(64)
    file.seek(0)
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    if kind is MediaKind.IMAGE:
        ending, content_type, notes = _image(file, head)
    elif kind is MediaKind.VIDEO:
        ending = _video(file, head)
        content_type = _VIDEOS[ending]
    else:
        ending, seconds = _audio(file, head)
        content_type = _AUDIOS[ending]
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = file.tell()
    return MediaFile(
        "", reference_to(sha256, ending), sha256, size, content_type, seconds=seconds, notes=notes
    )


def _image(file: Any, head: bytes) -> tuple[str, str, tuple[str, ...]]:
    """The ending and the content type, and notes. Nothing is converted: a picture is known by its bytes, and another
    release of a library would write others, so that the same request would be bought again.
    """
    from PIL import Image, UnidentifiedImageError

    if head[4:8] == b"ftyp" and (named := _HEIF.get(head[8:12])):
        raise MediaRefused(_to_convert(named))
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            # Pillow warns of pictures of 90 megapixels and refuses those of twice as many.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                image.load()
                form, frames = image.format or "unknown", getattr(image, "n_frames", 1)
                if image.mode == "CMYK":
                    notes.append(
                        f"has CMYK colours, which a model may show otherwise; {_magick('-colorspace sRGB')}"
                    )
                if image.getexif().get(_EXIF_ORIENTATION, 1) not in {0, 1}:
                    words = "relies on its EXIF orientation to be shown upright, which a model may ignore"
                    notes.append(f"{words}; {_magick('-auto-orient')}")
    except UnidentifiedImageError:
        raise MediaRefused(_not(MediaKind.IMAGE, head)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise MediaRefused("has more pixels than any model takes") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise MediaRefused(f"is a broken image: {error}") from error
    if form not in _IMAGES:
        raise MediaRefused(_to_convert(form))
    if form != "MPO" and frames > 1:
        raise MediaRefused(
            f"is an animation of {frames} pictures, and an image is one; take the first: magick 'FILE[0]' photo.png"
        )
    return (*_IMAGES[form], tuple(notes))


def _magick(option: str) -> str:
    return f"to change that: magick FILE {option} photo.jpg"


def _to_convert(form: str) -> str:
    article = "an" if form[0] in "AEIO" else "a"
    how = "convert it with magick FILE photo.jpg (ImageMagick)"
    return f"is {article} {form} image; JPEG, PNG and WEBP are taken: {how}"


def _video(file: Any, head: bytes) -> str:
    import av.error

    container = container_of(head)
    if container is None:
        raise MediaRefused(_not(MediaKind.VIDEO, head))
    try:
        with open_media(file, container) as opened:
            if not opened.streams.video:
                raise MediaRefused("is no video: it holds sound and no pictures")
            if next(opened.decode(opened.streams.video[0]), None) is None:
                raise MediaRefused("is no usable video: it has no frame")
    except av.error.FFmpegError as error:
        raise MediaRefused(f"cannot be read as a video: {error.strerror}") from error
    if container == "matroska":
        return "webm" if b"webm" in head else "mkv"
    return "mov" if head[8:12] == b"qt  " or head[4:8] != b"ftyp" else "mp4"


def _audio(file: Any, head: bytes) -> tuple[str, float]:
    import av.error

    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        ending = "wav"
    elif head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        ending = "mp3"
    else:
        raise MediaRefused(_not(MediaKind.AUDIO, head))
    try:
        with open_media(file, ending) as opened:
            if not opened.streams.audio:
                raise MediaRefused("holds no sound")
            samples, rate = 0, 1
            for frame in opened.decode(opened.streams.audio[0]):
                samples, rate = samples + frame.samples, frame.sample_rate or 1
    except av.error.FFmpegError as error:
        raise MediaRefused(f"cannot be read as audio: {error.strerror}") from error
    return ending, samples / rate


_SUITABLE = {
    MediaKind.IMAGE: "give a JPEG, PNG or WEBP file",
    MediaKind.VIDEO: "give an MP4, MOV or WEBM file",
    MediaKind.AUDIO: "give a WAV or MP3 file",
}


def _not(kind: MediaKind, head: bytes) -> str:
    text = all(byte in b"\t\r\n" or byte >= 32 for byte in head) and b"\xff" not in head
    seems = ", but text" if text else ""
    return f"is not {_ARTICLES[kind]}{seems}: {_SUITABLE[kind]}"
