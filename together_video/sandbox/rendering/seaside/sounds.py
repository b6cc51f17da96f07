"""The sound of the sea: noise that swells and falls with the waves."""

from __future__ import annotations

import array
import math
import random
from itertools import pairwise

from together_video.sandbox.rendering.clip import SAMPLE_RATE

#: Peak loudness of a wave, of 32,767; seconds from one wave to the next.
_LOUDNESS, _WAVE = 5200, 5.0
#: Noise is calculated at this many samples per second, and stretched to the full rate.
_COARSE = 8_000


def sea(length: int, swell: float) -> array.array[int]:
    """16-bit mono samples. A clip of whole waves ends as loud as it starts."""
    chance = random.Random(7)  # noqa: S311 - a sound
    seconds = length / SAMPLE_RATE
    waves = max(1, round(seconds / _WAVE))
    count = math.ceil(seconds * _COARSE) + 2
    low = rumble = 0.0
    coarse = []
    for number in range(count):
        noise = chance.uniform(-1, 1)
        low += 0.22 * (noise - low)
        rumble += 0.012 * (noise - rumble)
        turn = 2 * math.pi * waves * number / _COARSE / seconds
        height = (0.5 - 0.5 * math.cos(turn)) ** 2
        coarse.append((0.25 + 0.75 * height) * low + 2.2 * rumble)
    loud = _LOUDNESS * (0.6 + 0.4 * swell)
    step = SAMPLE_RATE // _COARSE
    samples = array.array("h")
    for one, other in pairwise(coarse):
        rise = (other - one) / step
        samples.extend(max(-32_767, min(32_767, round(loud * (one + rise * part)))) for part in range(step))
    return samples[:length]
