"""Makes the film: rows of packets for pictures, sound and text, merged into one order and written."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import av

from together_video.joining.isolated import captions, parameter_sets, patterns, sound_copy
from together_video.joining.isolated.drawing import Drawing
from together_video.joining.isolated.encoder import DELAY, Coding, Run
from together_video.joining.isolated.film_file import FilmFile
from together_video.joining.isolated.graphs import begin_film
from together_video.joining.isolated.layout import PROFILES, Layout, Span
from together_video.joining.isolated.mixing import Mix
from together_video.joining.isolated.recipe import Fault, Recipe
from together_video.joining.isolated.sound import Shape
from together_video.joining.isolated.survey import Clip
from together_video.media.decoder import open_media, pictures_of

#: Sample rates of films. Other sound is resampled to the first.
_RATES = (48_000, 44_100)


@dataclass(frozen=True)
class Plan:
    """Everything decided before the first packet. `sound_why` is why sound is encoded, or None if it is copied."""

    recipe: Recipe
    clips: list[Clip]
    film: Layout
    has_sound: bool
    sound_why: str | None

    @property
    def codec(self) -> str:
        return "h264" if self.film.pattern is None else self.clips[self.film.pattern].codec

    @property
    def colours(self) -> tuple[int, int, int, int]:
        """Those of the copied pictures, otherwise those of most frames."""
        if self.film.pattern is not None:
            return self.clips[self.film.pattern].colours
        found: Counter[tuple[int, int, int, int]] = Counter()
        for clip in self.clips:
            found[clip.colours] += clip.frames
        return found.most_common(1)[0][0]

    @property
    def shape(self) -> Shape:
        """The form of encoded sound."""
        sounds = [
            clip.sound
            for part, clip in zip(self.recipe.parts, self.clips, strict=True)
            if part.keeps_sound and clip.sound is not None
        ]
        rates = Counter(sound.rate for sound in sounds if sound.rate in _RATES)
        told = self.recipe.music is not None or any(part.narration for part in self.recipe.parts)
        is_mono = not told and all(sound.channels == 1 for sound in sounds)
        return Shape(rates.most_common(1)[0][0] if rates else _RATES[0], "mono" if is_mono else "stereo")


def make(plan: Plan, send: Callable[[int, bytes], None], tell: Callable[[int], None]) -> list[str]:
    """Write the film.

    Args:
        send: called with a position and the bytes for it.
        tell: called with the number of pictures written so far.

    Returns:
        Remarks about the film.

    Raises:
        Fault: a file cannot be used.
    """
    begin_film()
    film = plan.film
    texts = 2 * len(plan.recipe.parts) + 1 if plan.recipe.captions == "track" else 0
    mix: Mix | None = None
    with FilmFile(send, fps=film.fps, counts=(film.frames, _packets_of_sound(plan), texts)) as file:
        coding = _coding(plan) if film.encodes else None
        rows: list[Iterator[tuple[float, int, Callable[[], None]]]] = []
        rows.append(_pictures(plan, file, coding, tell))
        if plan.has_sound and plan.sound_why is None:
            rows.append(_copied_sound(plan, file))
        elif plan.has_sound:
            mix = Mix(plan.recipe, plan.clips, film, plan.shape)
            rows.append(_mixed_sound(mix, plan.shape, film, file))
        if texts:
            rows.append(_texts(plan, file))
        # Each row declares its track when it starts, before any packet is written.
        for row in rows:
            next(row)
        file.begin()
        for _, _, put in heapq.merge(*rows, key=lambda one: one[:2]):
            put()
    return mix.notes if mix is not None else []


def _packets_of_sound(plan: Plan) -> int:
    if not plan.has_sound:
        return 0
    rate = plan.shape.rate if plan.sound_why else 96_000
    return int(plan.film.frames / plan.film.fps * rate / sound_copy.SAMPLES) + 16


def _coding(plan: Plan) -> Coding:
    film, profile = plan.film, "high"
    if film.pattern is not None:
        sets = parameter_sets.read(plan.clips[film.pattern].head)
        profile = PROFILES[sets.profile] if sets is not None else profile
    recipe = plan.recipe
    return Coding(film.width, film.height, film.fps, recipe.crf, recipe.preset, profile, plan.colours)


def _pictures(
    plan: Plan, file: FilmFile, coding: Coding | None, tell: Callable[[int], None]
) -> Iterator[tuple[float, int, Callable[[], None]]]:
    film = plan.film
    head, pattern = b"", None
    if film.pattern is not None:
        clip = plan.clips[film.pattern]
        head, pattern = clip.head, clip.source
    if coding is not None:
        own = Run(coding).sets
        copied = parameter_sets.read(head) if head else None
        head = own.packed() if copied is None else parameter_sets.merged(copied, own).packed()
    track = file.add_pictures(pattern or patterns.pictures(coding), head, plan.codec)  # type: ignore[arg-type]
    delays = [plan.clips[span.piece].delay for span in film.spans if span.copied]
    delay = max([*delays, DELAY if coding is not None else 0])
    yield 0.0, 0, lambda: None
    tick, rate = 1 / film.fps, float(film.fps)
    number = 0
    drawing = Drawing(plan.recipe, plan.clips, film, plan.colours)
    for is_copied, some in groupby(film.spans, key=lambda span: span.copied):
        spans = list(some)
        packets = _copies(plan, spans) if is_copied else _drawn(plan, drawing, coding, spans)
        for place, packet, is_key in packets:
            if place < number - delay:
                raise RuntimeError("a picture would be shown before it is decoded")
            times = (place, number - delay, 1)

            def put(packet: Any = packet, times: Any = times, is_key: bool = is_key) -> None:
                file.put(track, packet, times, tick, is_key=is_key)

            yield (number - delay) / rate, 0, put
            number += 1
            tell(number)
    drawing.close()
    if number != film.frames:
        raise RuntimeError(f"only {number} of {film.frames} pictures were made")


def _copies(plan: Plan, spans: list[Span]) -> Iterator[tuple[int, Any, bool]]:
    for span in spans:
        clip = plan.clips[span.piece]
        taken = 0
        with open_media(f"file:{clip.source.path}", clip.source.container) as opened:
            stream = pictures_of(opened)
            if stream is None:
                raise Fault("has changed since the film was planned", piece=span.piece)
            sound_copy.leave_out_others(opened, stream)
            number = 0
            for packet in opened.demux(stream):
                if not packet.size:
                    continue
                if span.first <= number < span.first + span.count:
                    yield span.start + clip.order[number] - span.first, packet, packet.is_keyframe
                    taken += 1
                number += 1
                if number == span.first + span.count:
                    break
        if taken != span.count:
            raise Fault("has changed since the film was planned", piece=span.piece)


def _drawn(
    plan: Plan, drawing: Drawing, coding: Coding | None, spans: list[Span]
) -> Iterator[tuple[int, Any, bool]]:
    assert coding is not None  # noqa: S101 - set if spans are encoded
    run = Run(coding)
    begin = spans[0].start
    for span in spans:
        for frame in drawing.frames(span):
            for sample in run.encode(frame):
                yield begin + sample.place, av.Packet(sample.data), sample.is_key
    for sample in run.encode(None):
        yield begin + sample.place, av.Packet(sample.data), sample.is_key


def _copied_sound(plan: Plan, file: FilmFile) -> Iterator[tuple[float, int, Callable[[], None]]]:
    clip, sound = next(
        (clip, clip.sound)
        for part, clip in zip(plan.recipe.parts, plan.clips, strict=True)
        if part.keeps_sound and clip.sound is not None
    )
    track = file.add_sound(clip.source, sound.head, sound.rate)
    yield 0.0, 0, lambda: None
    tick = Fraction(1, sound.rate)
    end = int(plan.film.frames / plan.film.fps * sound.rate)
    for place, data in sound_copy.copied(plan.recipe, plan.clips, plan.film, sound):
        at = place * sound_copy.SAMPLES
        times = (at, at, max(1, min(sound_copy.SAMPLES, end - at)))

        def put(data: bytes = data, times: tuple[int, int, int] = times) -> None:
            file.put(track, av.Packet(data), times, tick)

        yield at / sound.rate, 1, put


def _mixed_sound(
    mix: Mix, shape: Shape, film: Layout, file: FilmFile
) -> Iterator[tuple[float, int, Callable[[], None]]]:
    context = sound_copy.encoder(shape)
    track = file.add_sound(patterns.sound(shape), bytes(context.extradata), shape.rate)
    yield 0.0, 0, lambda: None
    tick = Fraction(1, shape.rate)
    end = int(film.frames / film.fps * shape.rate)

    def packets() -> Iterator[Any]:
        at = 0
        for frame in mix.frames():
            frame.pts, frame.time_base = at, tick
            at += frame.samples
            yield from context.encode(frame)
        yield from context.encode(None)

    for packet in packets():
        if packet.pts >= end:
            break
        times = (packet.pts, packet.pts, max(1, min(sound_copy.SAMPLES, end - packet.pts)))

        def put(packet: Any = packet, times: tuple[int, int, int] = times) -> None:
            file.put(track, packet, times, tick)

        yield times[0] / shape.rate, 1, put


def _texts(plan: Plan, file: FilmFile) -> Iterator[tuple[float, int, Callable[[], None]]]:
    track = file.add_text()
    yield 0.0, 0, lambda: None
    tick = 1 / plan.film.fps
    for begin, count, data in captions.samples(plan.recipe, plan.film):

        def put(data: bytes = data, times: tuple[int, int, int] = (begin, begin, count)) -> None:
            file.put(track, av.Packet(data), times, tick)

        yield float(begin * tick), 2, put
