"""What a clip sounds like: its input audio, the sea that it shows, a soft tone, or nothing."""

from __future__ import annotations

import array
import hashlib
import math
import sys

from together_video.sandbox.rendering.clip import SAMPLE_RATE, Clip
from together_video.sandbox.rendering.seaside.moments import moments_of
from together_video.sandbox.rendering.seaside.sounds import sea

#: Loudness of the tone, of 32,767; seconds in which it fades in and out.
_LOUDNESS, _SWELL = 2200, 0.25


def samples_of(clip: Clip) -> bytes:
    """16-bit mono samples (little-endian), as long as the clip. Empty if it has no sound.

    Input audio is followed by silence.
    """
    length = max(1, round(clip.frames / clip.fps * SAMPLE_RATE))
    if clip.sound is not None:
        return clip.sound[: 2 * length].ljust(2 * length, b"\0")
    if not clip.tone:
        return b""
    return _bytes(sea(length, moments_of(clip.prompt)[0].swell) if clip.drawn else _tone(clip.prompt, length))


def _tone(prompt: str, length: int) -> array.array[int]:
    """A fifth with a pitch derived from the prompt. Whole numbers of hertz, so that seconds join without a click."""
    pitch = 180 + hashlib.sha256(prompt.encode("utf-8", "replace")).digest()[0] // 2 * 2
    second = array.array(
        "h",
        (
            round(_LOUDNESS * (math.sin(turn * pitch) + 0.6 * math.sin(turn * pitch * 1.5)) / 1.6)
            for turn in (2 * math.pi * number / SAMPLE_RATE for number in range(SAMPLE_RATE))
        ),
    )
    samples = (second * (length // SAMPLE_RATE + 1))[:length]
    swell = min(length // 2, int(_SWELL * SAMPLE_RATE))
    for number in range(swell):
        samples[number] = samples[number] * number // swell
        samples[-1 - number] = samples[-1 - number] * number // swell
    return samples


def _bytes(samples: array.array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
