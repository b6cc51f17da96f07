"""A downloaded file: whether it is a video, its length and size, whether it fits the request, and its poster.

Only a file that is provably not a whole video is refused. A complete file that cannot be opened here was paid for all
the same, and another player may show it.

Everything here is synchronous: run it in a thread if an event loop must not wait. A separate process decodes the file,
under limits of memory and time (`together_video.media.bounds`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from together_video.errors import DownloadBroken
from together_video.media.containers import HEAD, container_of, missing_part, why_no_video
from together_video.media.isolation import pool
from together_video.requests import VideoRequest
from together_video.text import one_line

#: Codecs that a WEBM file may contain (WebM container guidelines). AV1 is common in MP4 too.
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1"})


#: Longest sentence about a file, in characters.
_LONGEST = 300


#: The largest width or height, in pixels, that is accepted from a file.
MOST_PIXELS = 1_000_000


class ClipInfo(BaseModel):
    """What the file itself says: seconds, pixels, frames per second, codec, sound."""

    model_config = ConfigDict(frozen=True)

    seconds: float | None = None
    width: int = Field(ge=0, le=MOST_PIXELS)
    height: int = Field(ge=0, le=MOST_PIXELS)
    fps: float | None = None
    codec: str | None = None
    has_audio: bool = False


class Inspection(BaseModel):
    """The result of inspecting a file: what it is, its poster as JPEG, and why either is missing.

    `info` is None if the file is complete but cannot be opened. `doubt` is a sentence if a broken download could look
    the same, so that a second download is worthwhile.
    """

    # Works in JSON too: Prefect stores the poster if it is set to store task results.
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    info: ClipInfo | None = None
    poster: bytes | None = Field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    doubt: str | None = None


class ClipAnswer(pool.Answer):
    """The worker's answer about a clip. Without `info`, `why` completes "it …"."""

    info: ClipInfo | None = None
    why: str | None = Field(default=None, max_length=1000)
    notes: tuple[str, ...] = Field(default=(), max_length=10)
    doubt: str | None = Field(default=None, max_length=1000)


def inspect_clip(path: Path | str) -> Inspection:
    """Open the file, read all its packets, say what it is, and make its poster. Decodes a few seconds.

    Width and height are in pixels as a player shows them (rotation and pixel shape applied). `seconds` is the length of
    the whole file. The poster is the first frame that shows something after half a second, or after half of a shorter
    clip. If the next seconds show nothing, as in a black clip, it is the frame with the most contrast among them.

    Raises:
        DownloadBroken: it is provably not a whole video: a web page, JSON, text, empty, or cut short.
        OSError: the file cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
        is_void = bool(head)
        piece = head
        while piece and is_void:
            is_void = not piece.strip(b"\0")
            piece = file.read(1 << 20)
    if is_void:
        raise DownloadBroken("The file contains only zeros.")
    if why := why_no_video(head):
        raise DownloadBroken(why)
    kind = container_of(head)
    if kind is None:
        return _unknown("it is in a format that cannot be opened here")
    if missing := missing_part(path, kind):
        raise DownloadBroken(f"The file {missing}. Download it again.")
    try:
        size = path.stat().st_size
        told, poster = pool.ask("clip", ClipAnswer, path=path, size=size, container=kind)
    except pool.Unopened as error:
        return _unknown(error.words, is_bound=error.is_bound)
    if told.broken:
        raise DownloadBroken(one_line(told.broken, _LONGEST))
    if told.beyond:
        return _unknown(f"it {told.beyond}", is_bound=True)
    if told.failed:
        # FFmpeg's errors are system errors too. This one is not about the file's bytes.
        path.stat()
        return _unknown(f"it cannot be opened here ({one_line(told.failed, 150)})")
    if told.info is None:
        return _unknown(one_line(told.why or "it gives no reason", _LONGEST))
    notes = [one_line(note, _LONGEST) for note in told.notes]
    doubt = told.doubt and one_line(told.doubt, _LONGEST)
    return Inspection(info=told.info, poster=poster or None, notes=tuple(notes), doubt=doubt)


def _unknown(why: str, *, is_bound: bool = False) -> Inspection:
    """`is_bound`: the same bytes would give the same result, so a second download is pointless."""
    words = f"The file is complete, but its content could not be checked: {why}. It is archived as it is."
    return Inspection(notes=(words,), doubt=None if is_bound else f"{why[:1].upper()}{why[1:]}.")


def compare(clip: ClipInfo | None, request: VideoRequest) -> tuple[str, ...]:
    """How the file differs from the request, a sentence each. Empty if it fits.

    Pixels must be equal. The length may be off by 0.6 seconds or a tenth, the frame rate by one. A paid video is kept
    in any case: these are notes, not errors.
    """
    if clip is None:
        return ()
    notes = []
    wanted = (request.width or clip.width, request.height or clip.height)
    if wanted != (clip.width, clip.height):
        notes.append(
            f"The video is {clip.width}×{clip.height} pixels; {wanted[0]}×{wanted[1]} were requested."
        )
    if request.seconds is not None and clip.seconds is not None:
        seconds = float(request.seconds)
        if abs(clip.seconds - seconds) > max(0.6, seconds / 10):
            notes.append(f"The video lasts {clip.seconds:g} s; {seconds:g} s were requested.")
    if request.fps is not None and clip.fps is not None and abs(clip.fps - request.fps) > 1:
        notes.append(f"The video has {clip.fps:g} frames per second; {request.fps} were requested.")
    if request.generate_audio and not clip.has_audio:
        notes.append("The video has no sound, although generate_audio was set.")
    if clip.codec is not None:
        if request.output_format == "WEBM" and clip.codec not in _WEBM_CODECS:
            notes.append(f"The video's codec is {clip.codec}, which WEBM does not allow; WEBM was requested.")
        if request.output_format == "MP4" and clip.codec in {"vp8", "vp9"}:
            notes.append(f"The video's codec is {clip.codec}, which belongs to WEBM; MP4 was requested.")
    return tuple(notes)
