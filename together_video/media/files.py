"""Is a file really the image, the video or the audio that a request needs? Its content decides.

Synchronous, and reads whole files: run it in a thread if an event loop must not wait. A separate process decodes them,
under limits of memory and time (`together_video.media.bounds`).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from together_video.errors import MediaRefused
from together_video.media.bounds import COUNTED_BEYOND, INPUT_SECONDS
from together_video.media.containers import container_of
from together_video.media.isolation import pool
from together_video.media.references import reference_to
from together_video.media.sources import MediaKind
from together_video.text import one_line

#: Largest file of each kind, in bytes. The documentation gives no limit for images and videos, but a larger file is
#: more likely a mistake than an input for a short clip.
LARGEST = {MediaKind.IMAGE: 50 * 10**6, MediaKind.VIDEO: 10**9, MediaKind.AUDIO: 100 * 10**6}

_IMAGES = {
    "JPEG": ("jpg", "image/jpeg"),
    # A camera's JPEG followed by further pictures, such as a preview. Decoders take the first.
    "MPO": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "WEBP": ("webp", "image/webp"),
}
#: Brands in the container that HEIC and AVIF share with MP4.
_HEIF = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "HEIC"),
    **dict.fromkeys((b"mif1", b"msf1"), "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_VIDEOS = {"mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "mkv": "video/x-matroska"}
_AUDIOS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_ARTICLES = {MediaKind.IMAGE: "an image", MediaKind.VIDEO: "a video", MediaKind.AUDIO: "an audio file"}


@dataclass(frozen=True)
class AudioLimits:
    """Limits of an audio input in seconds and bytes, from the documentation."""

    minimum_seconds: float
    maximum_seconds: float
    maximum_bytes: int


@dataclass(frozen=True)
class MediaFile:
    """Inspected content. It is at `path`, or in `data` if it came inline.

    `reference` names it in a request, `size` is in bytes, `seconds` is set for audio. `notes` are words, to follow its
    name, about possible surprises. The content is used all the same.
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


class ImageAnswer(pool.Answer):
    """The worker's answer about an image: Pillow's name for its format, None if unknown."""

    form: str | None = Field(default=None, max_length=30)
    frames: int = 1
    is_cmyk: bool = False
    is_turned: bool = False


class AudioAnswer(pool.Answer):
    """The worker's answer about a sound. `is_longer`: it stopped measuring at this many seconds."""

    seconds: float = Field(default=0.0, ge=0)
    is_longer: bool = False


def inspect_file(path: Path, kind: MediaKind, limits: AudioLimits | None = None) -> MediaFile:
    """Inspect a file on this machine. `limits` apply to audio only.

    Raises:
        MediaRefused: the file does not exist, cannot be read, or is not what is needed.
    """
    try:
        if path.is_dir():
            raise MediaRefused("is a folder, not a file")
        stat = path.stat()
        if not path.is_file():
            raise MediaRefused("is not a regular file")
        _check_size(stat.st_size, kind)
        found = _looked_at(path, stat.st_size, stat.st_mtime_ns, kind, _most(limits))
    except FileNotFoundError:
        raise MediaRefused("there is no such file on the machine that runs this") from None
    except PermissionError:
        raise MediaRefused("may not be read by this user") from None
    except (OSError, ValueError) as error:
        raise MediaRefused(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    _check_audio(found, limits)
    return found


def inspect_bytes(data: bytes, name: str, kind: MediaKind, limits: AudioLimits | None = None) -> MediaFile:
    """Like `inspect_file`, for content that came inline. `name` is what messages call it.

    Raises:
        MediaRefused: it is not what is needed.
    """
    _check_size(len(data), kind)
    try:
        found = _read(io.BytesIO(data), kind, _most(limits), data=data)
    except _Refused as error:
        raise MediaRefused(error.words) from None
    found = replace(found, name=name, data=data)
    _check_audio(found, limits)
    return found


def _most(limits: AudioLimits | None) -> float | None:
    return None if limits is None else limits.maximum_seconds


def _looked_at(
    path: Path, size: int, modified: int, kind: MediaKind, most_seconds: float | None
) -> MediaFile:
    found = _remembered(path, size, modified, kind, most_seconds)
    if isinstance(found, str):
        raise MediaRefused(found)
    return found


@lru_cache(maxsize=4096)
def _remembered(
    path: Path, size: int, modified: int, kind: MediaKind, most_seconds: float | None
) -> MediaFile | str:
    """Many lines of a batch can name one picture: it is read once, until it changes. So is a refused one."""
    try:
        with path.open("rb") as file:
            return replace(_read(file, kind, most_seconds, path=path), name=path.name, path=path)
    except _Refused as error:
        return error.words


def _check_size(size: int, kind: MediaKind) -> None:
    if not size:
        raise MediaRefused("is empty")
    if size > LARGEST[kind]:
        raise MediaRefused(
            f"has {size / 1e6:.0f} MB; {kind} files may have at most {LARGEST[kind] / 1e6:.0f} MB"
        )


def _check_audio(found: MediaFile, limits: AudioLimits | None) -> None:
    if limits is None or found.seconds is None:
        return
    if found.size > limits.maximum_bytes:
        raise MediaRefused(
            f"has {found.size / 1e6:.1f} MB; audio may have at most {limits.maximum_bytes / 1e6:.0f} MB"
        )
    # MP3 consists of frames of 26 ms, so its length is only known to about that.
    if not limits.minimum_seconds - 0.05 <= found.seconds <= limits.maximum_seconds + 0.05:
        raise MediaRefused(
            f"lasts {found.seconds:.1f} s; audio must last {limits.minimum_seconds:g} to "
            f"{limits.maximum_seconds:g} s"
        )


class _Refused(Exception):
    """The content is not what is needed, and checking it again would give the same result."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def _read(
    file: io.BufferedReader | io.BytesIO,
    kind: MediaKind,
    most_seconds: float | None,
    *,
    path: Path | None = None,
    data: bytes = b"",
) -> MediaFile:
    head = file.read(64)
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    content = _Content(path, data, file.seek(0, io.SEEK_END), head)
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    if kind is MediaKind.IMAGE:
        ending, content_type, notes = _image(content)
    elif kind is MediaKind.VIDEO:
        ending = _video(content)
        content_type = _VIDEOS[ending]
    else:
        ending, seconds = _audio(content, most_seconds)
        content_type = _AUDIOS[ending]
    return MediaFile(
        "", reference_to(sha256, ending), sha256, content.size, content_type, seconds=seconds, notes=notes
    )


@dataclass(frozen=True)
class _Content:
    """A file or inline bytes: its size in bytes, and its first bytes."""

    path: Path | None
    data: bytes
    size: int
    head: bytes

    def ask(self, kind: MediaKind, form: type[pool.Told], **more: object) -> pool.Told:
        """Ask the worker.

        Raises:
            MediaRefused: it is not what is needed, or it takes too much to open.
        """
        try:
            told, _ = pool.ask(str(kind), form, path=self.path, content=self.data, size=self.size, **more)
        except pool.Unopened as error:
            words = f"cannot be used: {error.words}"
            if error.is_lasting:
                raise _Refused(words) from error
            raise MediaRefused(words) from error
        if broken := told.refused or told.beyond:
            raise _Refused(one_line(broken, 300))
        if told.failed:
            raise MediaRefused(f"cannot be opened: {one_line(told.failed, 200)}")
        return told


def _image(content: _Content) -> tuple[str, str, tuple[str, ...]]:
    """The suffix, the content type, and notes. Nothing is converted: pictures are identified by their bytes, which
    another release of a library would write differently, and then the same request would be bought again.
    """
    head = content.head
    if head[4:8] == b"ftyp" and (named := _HEIF.get(head[8:12])):
        raise _Refused(_to_convert(named))
    told = content.ask(MediaKind.IMAGE, ImageAnswer)
    if told.form is None:
        raise _Refused(_not(MediaKind.IMAGE, head))
    if told.form not in _IMAGES:
        raise _Refused(_to_convert(one_line(told.form)))
    if told.form != "MPO" and told.frames > 1:
        raise _Refused(
            f"is an animation of {told.frames} pictures, not one image; use the first: "
            "magick 'FILE[0]' photo.png"
        )
    notes: list[str] = []
    if told.is_cmyk:
        notes.append(f"has CMYK colours, which a model may show differently; {_magick('-colorspace sRGB')}")
    if told.is_turned:
        words = "needs its EXIF orientation to be upright, which a model may ignore"
        notes.append(f"{words}; {_magick('-auto-orient')}")
    return (*_IMAGES[told.form], tuple(notes))


def _magick(option: str) -> str:
    return f"to change that: magick FILE {option} photo.jpg"


def _to_convert(form: str) -> str:
    article = "an" if form[0] in "AEIO" else "a"
    how = "convert it with magick FILE photo.jpg (ImageMagick)"
    return f"is {article} {form} image; JPEG, PNG and WEBP are accepted: {how}"


def _video(content: _Content) -> str:
    head = content.head
    container = container_of(head)
    if container is None:
        raise _Refused(_not(MediaKind.VIDEO, head))
    content.ask(MediaKind.VIDEO, pool.Answer, container=container)
    if container == "matroska":
        return "webm" if b"webm" in head else "mkv"
    return "mov" if head[8:12] == b"qt  " or head[4:8] != b"ftyp" else "mp4"


def _audio(content: _Content, most_seconds: float | None) -> tuple[str, float]:
    head = content.head
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        ending = "wav"
    elif head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        ending = "mp3"
    else:
        raise _Refused(_not(MediaKind.AUDIO, head))
    most = INPUT_SECONDS if most_seconds is None else most_seconds
    counted = most if most_seconds is None else most_seconds + COUNTED_BEYOND
    told = content.ask(MediaKind.AUDIO, AudioAnswer, container=ending, most=counted)
    if told.is_longer:
        raise _Refused(f"lasts more than {counted:.0f} s; audio may last at most {most:g} s")
    return ending, told.seconds


_SUITABLE = {
    MediaKind.IMAGE: "use a JPEG, PNG or WEBP file",
    MediaKind.VIDEO: "use an MP4, MOV or WEBM file",
    MediaKind.AUDIO: "use a WAV or MP3 file",
}


def _not(kind: MediaKind, head: bytes) -> str:
    text = all(byte in b"\t\r\n" or byte >= 32 for byte in head) and b"\xff" not in head
    seems = ", but text" if text else ""
    return f"is not {_ARTICLES[kind]}{seems}: {_SUITABLE[kind]}"
