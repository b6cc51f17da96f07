"""The media of a request, fetched and prepared: pictures in the clip's size, sound as samples.

Links are followed wherever they lead, even to this machine, because the sandbox is for use on loopback.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import httpx

from together_video.catalogue.catalogue import Catalogue
from together_video.errors import MediaRefused
from together_video.media.bounds import IMAGE_PIXELS
from together_video.media.containers import container_of
from together_video.media.decoder import open_media, pictures_of
from together_video.media.files import inspect_bytes
from together_video.media.sources import MediaKind
from together_video.sandbox.config import SandboxConfig
from together_video.sandbox.rendering.clip import SAMPLE_RATE, Clip, Keyframe, Still

_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
#: Height of an inset, as a fraction of the picture's shorter side, and how many are shown.
_INSET, _MOST_INSETS = 0.22, 6

Kind = Literal["image", "video", "end of video", "audio"]


class MediaProblem(Exception):
    """Media that cannot be fetched or used: the job fails with these words."""

    def __init__(self, message: str, code: str = "invalidMedia") -> None:
        super().__init__(message)
        self.code = code


def has_media(body: Mapping[str, Any]) -> bool:
    return bool(body.get("media") or body.get("frame_images") or body.get("reference_images"))


async def with_inputs(clip: Clip, body: Mapping[str, Any], config: SandboxConfig) -> Clip:
    """The clip with the request's media in it.

    Raises:
        MediaProblem: one of them is unreachable, too large, or not what it should be.
    """
    async with httpx.AsyncClient(follow_redirects=True, timeout=config.media_seconds) as web:
        sources = _Sources(web, config)
        media = {
            **{name: body.get(name) for name in ("frame_images", "reference_images")},
            **(body.get("media") or {}),
        }
        keyframes = [
            Keyframe(place, await sources.still(entry["input_image"], "image", clip.width, clip.height))
            for place, entry in _placed(media.get("frame_images") or [], clip.frames)
        ]
        # An edited clip starts like its source, a continued one with the last frame of the clip before.
        begins: tuple[tuple[str, Kind], ...] = (("source_video", "video"), ("frame_videos", "end of video"))
        for name, kind in begins:
            for entry in _listed(media.get(name)):
                still = await sources.still(_named(entry, "video"), kind, clip.width, clip.height)
                keyframes.insert(0, Keyframe(0, still))
        insets = []
        side = max(8, round(min(clip.width, clip.height) * _INSET))
        shown: tuple[tuple[str, Kind], ...] = (("reference_images", "image"), ("reference_videos", "video"))
        for name, kind in shown:
            for entry in _listed(media.get(name)):
                insets.append(await sources.still(_named(entry, "video"), kind, side, side))
        sounds = [
            await sources.sound(_named(entry, "audio"), clip.seconds, driving=name == "audio_inputs")
            for name in ("audio_inputs", "reference_audios")
            for entry in _listed(media.get(name))
        ]
    # One picture per place: the later one wins.
    by_place = {keyframe.place: keyframe for keyframe in keyframes}
    return replace(
        clip,
        keyframes=tuple(by_place[place] for place in sorted(by_place)),
        insets=tuple(insets[:_MOST_INSETS]),
        sound=sounds[0] if sounds else None,
    )


def _placed(entries: list[dict[str, Any]], frames: int) -> Iterable[tuple[int, dict[str, Any]]]:
    """Each keyframe and its frame number. By default they are first, last and evenly spaced between."""
    for index, entry in enumerate(entries):
        place = entry.get("frame")
        number: float
        if place is None:
            number = (frames - 1) * index / max(1, len(entries) - 1)
        else:
            number = {"first": 0, "last": frames - 1}.get(place, place)
        yield min(frames - 1, max(0, round(number))), entry


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _named(entry: Any, key: str) -> str:
    return str(entry[key]) if isinstance(entry, Mapping) else str(entry)


class _Sources:
    def __init__(self, web: httpx.AsyncClient, config: SandboxConfig) -> None:
        self._web = web
        self._config = config

    async def still(self, source: str, kind: Kind, width: int, height: int) -> Still:
        if _HANDLE.fullmatch(source):
            return _stand_in(source, width, height)
        content = await self._content(source)
        return await asyncio.to_thread(_still, content, kind, (width, height), _shown(source))

    async def sound(self, source: str, seconds: float, *, driving: bool) -> bytes:
        """Samples. The documentation limits the length and size of audio that drives a video."""
        content, name = await self._content(source), _shown(source)
        if driving and self._config.model_rules:
            await asyncio.to_thread(_check_audio, content, name)
        return await asyncio.to_thread(_samples, content, seconds, name)

    async def _content(self, source: str) -> bytes:
        if source[:8].lower().startswith(("http://", "https://")):
            return await self._fetch(source)
        text = source.partition(",")[2] if source[:5].lower() == "data:" else source
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise MediaProblem(f"{_shown(source)} is neither an address nor base64 content") from None

    async def _fetch(self, url: str) -> bytes:
        most = self._config.media_bytes
        content = bytearray()
        try:
            async with asyncio.timeout(self._config.media_seconds), self._web.stream("GET", url) as answer:
                if not answer.is_success:
                    raise MediaProblem(f"Failed to download {_shown(url)}: HTTP {answer.status_code}")
                async for piece in _pieces(answer):
                    content += piece
                    if len(content) > most:
                        raise MediaProblem(f"{_shown(url)} is larger than {most} bytes")
        except TimeoutError:
            raise MediaProblem(f"Failed to download {_shown(url)}: it took too long") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise MediaProblem(
                f"Failed to download {_shown(url)}: {error or type(error).__name__}"
            ) from error
        return bytes(content)


def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    return answer.aiter_bytes(1 << 16)


def _shown(source: str) -> str:
    return source[:300] if source[:4].lower() == "http" else f"{source[:24]}…"


def _stand_in(handle: str, width: int, height: int) -> Still:
    """A stand-in for an image that only the real service has: one colour, derived from its name."""
    colour = hashlib.sha256(handle.lower().encode()).digest()[:3]
    return Still(width, height, colour * (width * height))


def _still(content: bytes, kind: Kind, size: tuple[int, int], name: str) -> Still:
    """An image, or a video's first or last frame, cut to fill the size."""
    from PIL import Image, ImageOps

    try:
        if kind == "image":
            image = Image.open(io.BytesIO(content))
            if image.width * image.height > IMAGE_PIXELS:
                raise ValueError("too many pixels")
            picture = ImageOps.exif_transpose(image).convert("RGB")
        else:
            # Only known containers are opened: a playlist could make FFmpeg read other files and addresses.
            form = container_of(content[:64])
            if form is None:
                raise ValueError("no video")
            with open_media(io.BytesIO(content), form, {"skip_frame": "default"}) as container:
                stream = pictures_of(container)
                if stream is None:
                    raise ValueError("no video")
                frames = container.decode(stream)
                frame = next(frames)
                if kind == "end of video":
                    for frame in frames:  # noqa: B007 - the last one counts
                        pass
                picture = frame.to_image().convert("RGB")  # type: ignore[no-untyped-call]
    except (OSError, ValueError, SyntaxError, IndexError, StopIteration, Image.DecompressionBombError):
        raise MediaProblem(f"{name} is not a usable {kind.removeprefix('end of ')}") from None
    return Still(*size, ImageOps.fit(picture, size).tobytes())


def _check_audio(content: bytes, name: str) -> None:
    rule = Catalogue.load().general.audio_file
    if len(content) > rule.maximum_bytes:
        raise MediaProblem(f"{name} is larger than {rule.maximum_bytes} bytes")
    try:
        seconds = inspect_bytes(content, name, MediaKind.AUDIO).seconds or 0
    except MediaRefused:
        raise MediaProblem(f"{name} is not usable audio (WAV or MP3)") from None
    # MP3 consists of frames of 26 ms.
    if not rule.minimum_seconds - 0.05 <= seconds <= rule.maximum_seconds + 0.05:
        span = f"{rule.minimum_seconds} to {rule.maximum_seconds} s"
        raise MediaProblem(f"{name} lasts {seconds:.1f} s; audio must last {span}", "invalidDuration")


def _samples(content: bytes, seconds: float, name: str) -> bytes:
    """Sound as 16-bit mono samples, at most as long as the clip."""
    import av

    form = "wav" if content[:4] == b"RIFF" else "mp3"
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    wanted = int(seconds * SAMPLE_RATE) * 2
    samples = bytearray()
    try:
        with open_media(io.BytesIO(content), form) as container:
            for frame in container.decode(container.streams.audio[0]):
                for piece in resampler.resample(frame):
                    samples += bytes(piece.planes[0])[: piece.samples * 2]
                if len(samples) >= wanted:
                    break
    except (OSError, ValueError, IndexError):
        raise MediaProblem(f"{name} is not usable audio (WAV or MP3)") from None
    if not samples:
        raise MediaProblem(f"{name} has no sound")
    return bytes(samples[:wanted])
