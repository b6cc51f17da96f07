"""Copied sound: whole packets of AAC, each at the film's position nearest to its own, so that differences between the
lengths of pictures and sound do not add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.codec.context import Flags

from together_video.joining.isolated.layout import Layout
from together_video.joining.isolated.recipe import Fault, Recipe
from together_video.joining.isolated.sound import FORMAT, silence
from together_video.joining.isolated.sound import Shape as SoundShape
from together_video.joining.isolated.survey import Clip, Sound
from together_video.media.decoder import open_media

#: Samples in one packet of AAC.
SAMPLES = 1024
#: Packets before the film's first sample, which a decoder needs to start.
_BEFORE = 2
_LAYOUTS = {1: "mono", 2: "stereo"}


def why_not(recipe: Recipe, clips: list[Clip]) -> str | None:
    """Why the sound has to be encoded. None if it can be copied."""
    heard = [
        (number, clip.sound)
        for number, (part, clip) in enumerate(zip(recipe.parts, clips, strict=True))
        if part.keeps_sound and clip.sound is not None
    ]
    if recipe.music is not None:
        return "there is music"
    if any(part.narration for part in recipe.parts):
        return "there is narration"
    if any(part.crossfade for part in recipe.parts[1:]):
        return "there are crossfades"
    if recipe.fade_in or recipe.fade_out:
        return "the film fades in or out"
    for number, sound in heard:
        if sound.codec != "aac" or sound.samples != SAMPLES or (sound.head[:1] and sound.head[0] >> 3 != 2):
            return f"the sound of piece {number + 1} is not plain AAC"
        if sound.channels not in _LAYOUTS:
            return f"the sound of piece {number + 1} has {sound.channels} channels"
        first = heard[0][1]
        if (sound.rate, sound.channels, sound.head[:2]) != (first.rate, first.channels, first.head[:2]):
            return f"the sample rate or channels of piece {number + 1} differ from the one before"
    return None


def copied(recipe: Recipe, clips: list[Clip], film: Layout, sound: Sound) -> Iterator[tuple[int, bytes]]:
    """The packets and their places, one after the other. The first places can be below 0.

    Raises:
        Fault: a piece's packets are not what they were when the film was planned.
    """
    silent = _silent_packet(sound)
    next_place = None
    for number, (part, clip, placed) in enumerate(zip(recipe.parts, clips, film.placed, strict=True)):
        begin = Fraction(placed.start) / film.fps * sound.rate
        is_last = number + 1 == len(clips)
        following = film.frames if is_last else film.placed[number + 1].start
        end = Fraction(following) / film.fps * sound.rate
        until = -(-end // SAMPLES) if is_last else _nearest(end)
        if not is_last and _leads(recipe, clips, film, number + 1):
            # Its first sound needs the packet before it, which replaces the last packet of this piece.
            until -= 1
        if part.keeps_sound and clip.sound is not None:
            shift = begin - (clip.start + Fraction(placed.skipped) / film.fps) * sound.rate
            for place, packet in _placed(clip, shift, sound.rate, number):
                if next_place is None:
                    if place < -_BEFORE:
                        continue
                    next_place = min(place, 0)
                while next_place < min(place, until):
                    yield next_place, silent
                    next_place += 1
                if place >= until:
                    break
                if place == next_place:
                    yield place, packet
                    next_place += 1
        next_place = next_place or 0
        while next_place < until:
            yield next_place, silent
            next_place += 1


def _placed(clip: Clip, shift: Fraction, rate: int, number: int) -> Iterator[tuple[int, bytes]]:
    """The packets of a clip, each with the place in the film nearest to its time."""
    with open_media(f"file:{clip.source.path}", clip.source.container) as opened:
        stream: Any = next(iter(opened.streams.audio), None)
        if stream is None or not stream.time_base:
            raise Fault("has changed since the film was planned", piece=number)
        leave_out_others(opened, stream)
        ratio = stream.time_base * rate
        # Nearly always a whole number, which is faster: films have tens of thousands of packets.
        step = int(ratio) if ratio.denominator == 1 else ratio
        first: int | None = None
        base = 0
        for packet in opened.demux(stream):
            if not packet.size or packet.pts is None:
                continue
            if first is None:
                first, base = packet.pts, _nearest(packet.pts * ratio + shift)
            yield base + _nearest((packet.pts - first) * step), bytes(packet)


def _leads(recipe: Recipe, clips: list[Clip], film: Layout, number: int) -> bool:
    """Whether a piece has a packet before its first sound."""
    sound = clips[number].sound
    if sound is None or not recipe.parts[number].keeps_sound:
        return False
    return sound.leads or film.placed[number].skipped > 0


def _nearest(sample: Fraction | int) -> int:
    """The number of the packet that starts nearest to a sample. Of two, the later one."""
    return (2 * sample + SAMPLES) // (2 * SAMPLES)


def leave_out_others(opened: Any, stream: Any) -> None:
    """Read only one stream of a file, if PyAV can do that."""
    for one in opened.streams:
        if one.index != stream.index and hasattr(one, "discard"):
            one.discard = type(one.discard).all


def encoder(shape: SoundShape) -> Any:
    """An encoder of AAC."""
    context: Any = av.CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = shape.rate, shape.layout, FORMAT
    context.time_base = Fraction(1, shape.rate)
    context.bit_rate = 192_000 if shape.layout == "stereo" else 96_000
    context.flags |= Flags.global_header | Flags.bitexact
    context.open()
    return context


def _silent_packet(sound: Sound) -> bytes:
    """A packet that sounds like nothing."""
    shape = SoundShape(sound.rate, _LAYOUTS[sound.channels])
    context = encoder(shape)
    packets = []
    for number in range(6):
        frame = silence(shape, SAMPLES)
        frame.pts, frame.time_base = number * SAMPLES, Fraction(1, shape.rate)
        packets += context.encode(frame)
    # The first ones contain the encoder's start-up.
    return bytes([*packets, *context.encode(None)][3])
