"""The music of the demo's film: a calm chord progression, calculated here, so there are no rights to clear."""

from __future__ import annotations

import array
import functools
import io
import math
import operator
import sys
import wave

_RATE = 16_000
#: Notes as semitones above A3 (220 Hz): D major, B minor, G major, A major, and D again.
_CHORDS = ((-7, -3, 0, 5), (-10, -7, -3, 2), (-14, -10, -7, -2), (-12, -8, -5, 0), (-7, -3, 0, 5))
#: Seconds of a chord, of a plucked string, and from one string to the next.
_CHORD, _STRING, _STEP = 4.0, 2.4, 0.5
#: The order in which the notes of a chord are plucked, an octave up.
_PATTERN = (0, 2, 1, 3, 2, 1, 3, 2)
_PAD_LOUD, _STRING_LOUD = 1500, 2600


def demo_music() -> bytes:
    """A WAV file: 16-bit, mono, at least as long as the film."""
    total = round(_CHORD * len(_CHORDS) * _RATE)
    samples = [0.0] * total
    for index, chord in enumerate(_CHORDS):
        begin = index * _CHORD
        for note in chord:
            _add(samples, begin, _pad(_hertz(note)))
        for place, number in enumerate(_PATTERN):
            _add(samples, begin + place * _STEP, _string(_hertz(chord[number] + 12)))
    whole = array.array("h", (max(-32_767, min(32_767, round(value))) for value in samples))
    if sys.byteorder == "big":
        whole.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(whole.tobytes())
    return file.getvalue()


def _hertz(semitones: int) -> float:
    return 220.0 * 2 ** (semitones / 12)


@functools.cache
def _pad(pitch: float) -> list[float]:
    """A soft tone that swells and fades, a little longer than its chord, so that chords flow into each other."""
    length = round((_CHORD + 0.8) * _RATE)
    turn = 2 * math.pi * pitch / _RATE
    return [
        _PAD_LOUD
        * math.sin(math.pi * number / length) ** 1.2
        * (math.sin(turn * number) + 0.3 * math.sin(2.003 * turn * number))
        for number in range(length)
    ]


@functools.cache
def _string(pitch: float) -> list[float]:
    """A plucked string: bright at first, then only its lowest tone."""
    length = round(_STRING * _RATE)
    turn = 2 * math.pi * pitch / _RATE
    rise = _RATE // 200
    return [
        _STRING_LOUD
        * min(1.0, number / rise)
        * math.exp(-2.2 * number / _RATE)
        * (math.sin(turn * number) + 0.35 * math.exp(-3.0 * number / _RATE) * math.sin(2 * turn * number))
        for number in range(length)
    ]


def _add(samples: list[float], seconds: float, sound: list[float]) -> None:
    begin = round(seconds * _RATE)
    # Cut sounds at the end; the film fades out before.
    end = min(begin + len(sound), len(samples))
    samples[begin:end] = map(operator.add, samples[begin:end], sound)
