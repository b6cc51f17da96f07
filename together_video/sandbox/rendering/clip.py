"""What to render: one clip, as a value that can be compared and cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from together_video.sandbox.faults import FaultRule
from together_video.sandbox.rendering.seaside.moments import moments_of
from together_video.sandbox.rendering.sizes import frame_size

#: The documented default of the API, in frames per second.
DEFAULT_FPS = 24
#: Samples per second of all generated sound.
SAMPLE_RATE = 48_000


@dataclass(frozen=True)
class Still:
    """A picture of this size in pixels, three bytes (RGB) per pixel."""

    width: int
    height: int
    pixels: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyframe:
    """A picture that fills the frame with this number, counted from 0."""

    place: int
    still: Still


_MEDIA_WORDS = {
    "frame_images": "keyframe",
    "frame_videos": "starting clip",
    "reference_images": "reference image",
    "reference_videos": "reference video",
    "source_video": "source video",
    "audio_inputs": "audio input",
    "reference_audios": "reference audio",
}


@dataclass(frozen=True)
class Clip:
    """Size in pixels, length in seconds, the words that the clip shows, and its input media.

    `keyframes` are in the order of their places. `sound` is 16-bit mono samples; `tone` asks for a generated tone.
    `drawn`: it shows what the prompt names, instead of its words.
    """

    prompt: str
    model: str
    width: int
    height: int
    seconds: float
    fps: int
    container: Literal["MP4", "WEBM"]
    seed: int
    settings: str
    keyframes: tuple[Keyframe, ...] = ()
    insets: tuple[Still, ...] = ()
    sound: bytes | None = field(default=None, repr=False)
    tone: bool = False
    drawn: bool = False

    @property
    def weight(self) -> int:
        """The size of its media in bytes."""
        stills = [keyframe.still for keyframe in self.keyframes] + list(self.insets)
        return sum(len(still.pixels) for still in stills) + len(self.sound or b"")

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))

    def scaled(self, factor: float) -> Clip:
        """The same with other sides: even, and of 16 pixels at least."""
        width, height = (max(16, int(side * factor) // 2 * 2) for side in (self.width, self.height))
        return replace(self, width=width, height=height)

    @property
    def media_type(self) -> str:
        return "video/mp4" if self.container == "MP4" else "video/webm"


def clip_of(
    body: Mapping[str, Any], *, seconds: float, fate: FaultRule | None = None, drawn: bool = False
) -> Clip:
    """The clip of this length for a checked request, or another one if its fate says so. `drawn`: draw prompts that the
    sandbox has pictures for.
    """
    width, height = frame_size(body)
    is_drawn = drawn and bool(moments_of(body.get("prompt") or ""))
    audio = body.get("generate_audio")
    clip = Clip(
        prompt=body.get("prompt") or "(no prompt)",
        model=body["model"],
        width=width,
        height=height,
        seconds=seconds,
        fps=body.get("fps") or DEFAULT_FPS,
        container=body.get("output_format") or "MP4",
        seed=body.get("seed") or 0,
        settings=_settings(body),
        # A drawn clip has sound too, unless the request disables it.
        tone=audio is True or (is_drawn and audio is not False),
        drawn=is_drawn,
    )
    if fate is not None and fate.kind == "wrong_length_video":
        return replace(clip, seconds=clip.seconds * fate.share)
    if fate is not None and fate.kind == "wrong_size_video":
        return clip.scaled(fate.share)
    return clip


def _settings(body: Mapping[str, Any]) -> str:
    """The settings that change a picture, in a few words, to tell variants apart."""
    named = {"seed": "seed", "steps": "steps", "guidance_scale": "guidance"}
    said = [f"{name} {body[field]}" for field, name in named.items() if body.get(field) is not None]
    media = body.get("media") or {}
    for name, words in _MEDIA_WORDS.items():
        entries = media.get(name) or body.get(name) or []
        number = len(entries) if isinstance(entries, list) else 1
        if number:
            said.append(f"{number} {words}{'s' if number > 1 else ''}")
    return "  ·  ".join(said)
