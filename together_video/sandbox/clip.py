"""What is to be rendered: one clip, as a value that can be compared and cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from together_video.sandbox.faults import FaultRule
from together_video.sandbox.sizes import frame_size

#: The documented default of the API, in frames per second.
DEFAULT_FPS = 24


@dataclass(frozen=True)
class Clip:
    """Size in pixels, length in seconds, and the words that the clip shows."""

    prompt: str
    model: str
    width: int
    height: int
    seconds: float
    fps: int
    container: Literal["MP4", "WEBM"]
    seed: int
    settings: str

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))

    @property
    def media_type(self) -> str:
        return "video/mp4" if self.container == "MP4" else "video/webm"


def clip_of(body: Mapping[str, Any], *, default_seconds: float, fate: FaultRule | None = None) -> Clip:
    """The clip that a checked request asks for, or another one where its fate says so."""
    width, height = frame_size(body)
    clip = Clip(
        prompt=body.get("prompt") or "(no prompt)",
        model=body["model"],
        width=width,
        height=height,
        seconds=float(body.get("seconds") or default_seconds),
        fps=body.get("fps") or DEFAULT_FPS,
        container=body.get("output_format") or "MP4",
        seed=body.get("seed") or 0,
        settings=_settings(body),
    )
    if fate is not None and fate.kind == "wrong_length_video":
        return replace(clip, seconds=clip.seconds * fate.share)
    if fate is not None and fate.kind == "wrong_size_video":
        return replace(
            clip,
            width=max(16, int(width * fate.share) // 2 * 2),
            height=max(16, int(height * fate.share) // 2 * 2),
        )
    return clip


def _settings(body: Mapping[str, Any]) -> str:
    """The settings that change a picture, in a few words, so that variants can be told apart."""
    named = {"seed": "seed", "steps": "steps", "guidance_scale": "guidance"}
    said = [f"{name} {body[field]}" for field, name in named.items() if body.get(field) is not None]
    media = body.get("media") or {}
    images = len(media.get("frame_images") or body.get("frame_images") or [])
    references = len(media.get("reference_images") or body.get("reference_images") or [])
    if images:
        said.append(f"{images} keyframe{'s' if images > 1 else ''}")
    if references:
        said.append(f"{references} reference image{'s' if references > 1 else ''}")
    return "  ·  ".join(said)
