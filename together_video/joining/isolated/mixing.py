"""The film's sound as one stream of samples: pieces, narration, and music that is ducked under both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from together_video.joining.isolated.graphs import drained, new_graph
from together_video.joining.isolated.layout import Layout
from together_video.joining.isolated.recipe import Fault, Recipe
from together_video.joining.isolated.sound import FORMAT, Shape, Track, silence
from together_video.joining.isolated.survey import Clip

if TYPE_CHECKING:
    from av import AudioFrame

#: Samples per mixed block.
_BLOCK = 4096
#: Seconds in which the music gets quieter, and louder again.
_RAMP = 0.3
#: Samples per step of a changing volume.
_STEP = 128
#: Voices can add up to more than a file can hold. Where they come close, all are turned down for a moment, and the rest
#: stays as it is. `limit` is -1 dB, because encoders exceed the peaks of their input. `latency` removes the delay of
#: the filter's look-ahead.
_LIMIT = "alimiter=limit=0.891:attack=5:release=50:level=0:latency=1"


@dataclass(frozen=True)
class _Voice:
    """A track, and its filters in one stretch of the film."""

    track: Track
    steps: str


class Mix:
    """Gives the samples of the whole film, some thousands per frame. Few files are open at a time."""

    def __init__(self, recipe: Recipe, clips: list[Clip], film: Layout, shape: Shape) -> None:
        self._recipe, self._clips, self._film, self._shape = recipe, clips, film, shape
        self._pieces: dict[int, Track] = {}
        self._narration: tuple[int, Track] | None = None
        self._music = None
        if recipe.music is not None:
            self._music = Track(recipe.music.source, shape, None, loops=recipe.music.loops)
        self._duck = 0.0
        self.notes: list[str] = []

    def samples_at(self, frame: int) -> int:
        """The number of samples before a frame of the film."""
        return round(frame * self._shape.rate / self._film.fps)

    def frames(self) -> Iterator[AudioFrame]:
        film, total = self._film, self.samples_at(self._film.frames)
        marks = {0, film.frames}
        for one in film.placed:
            marks |= {one.start, one.start + one.crossfade, one.start + one.count}
        ordered = sorted(mark for mark in marks if 0 <= mark <= film.frames)
        # A graph ends with the last name for it.
        held = self._master(
            self.samples_at(film.fade_in),
            total,
            total - self.samples_at(film.frames - film.fade_out),
        )
        _, (entry,), out = held
        at = 0
        for begin, end in pairwise(ordered):
            count = self.samples_at(end) - self.samples_at(begin)
            for frame in self._stretch(begin, end, count):
                frame.pts, frame.time_base = at, Fraction(1, self._shape.rate)
                at += frame.samples
                entry.push(frame)
                yield from drained(out)
        entry.push(None)
        yield from drained(out)
        self._close()

    def _stretch(self, begin: int, end: int, count: int) -> Iterator[AudioFrame]:
        """Frames of the film between which nothing starts or ends."""
        voices = [*self._own(begin, count), *self._told(begin)]
        if self._music is not None:
            voices.append(self._behind(bool(voices), begin, count))
        yield from self._mixed(voices, count)

    def _own(self, begin: int, count: int) -> Iterator[_Voice]:
        """The pieces with sound, and their crossfades."""
        placed = self._film.placed
        there = [number for number, one in enumerate(placed) if one.start <= begin < one.start + one.count]
        for number in [one for one in self._pieces if one not in there]:
            self._pieces.pop(number).close()
        for number in there:
            if not self._recipe.parts[number].keeps_sound or self._clips[number].sound is None:
                continue
            if number not in self._pieces:
                self._pieces[number] = self._opened(number)
            steps = ""
            if len(there) == 2:
                way = "out" if number == there[0] else "in"
                steps = f"afade=t={way}:ss=0:ns={max(1, count)}:curve=qsin"
            yield _Voice(self._pieces[number], steps)

    def _opened(self, number: int) -> Track:
        clip = self._clips[number]
        skipped = Fraction(self._film.placed[number].skipped) / self._film.fps
        try:
            return Track(clip.source, self._shape, clip.start + skipped)
        except Fault as fault:
            raise Fault(fault.words, piece=number) from fault

    def _told(self, begin: int) -> Iterator[_Voice]:
        """The narration. It may be longer than its piece, and ends where the next one starts."""
        for number, (part, one) in enumerate(zip(self._recipe.parts, self._film.placed, strict=True)):
            if one.start == begin and part.narration is not None:
                if self._narration is not None:
                    self._narration[1].close()
                self._narration = (number, Track(part.narration, self._shape, None))
        if self._narration is not None and not self._narration[1].is_over:
            yield _Voice(self._narration[1], "")

    def _behind(self, is_ducked: bool, begin: int, count: int) -> _Voice:
        """The music, at its gain, and quieter under other voices."""
        music = self._recipe.music
        assert music is not None  # noqa: S101 - only called if there is music
        assert self._music is not None  # noqa: S101
        rate = self._shape.rate
        before, wanted = self._duck, music.duck if is_ducked else 0.0
        if begin == 0:
            before = wanted
        seconds = count / rate
        share = min(1.0, seconds / _RAMP)
        self._duck = before + (wanted - before) * share
        steps = f"volume={music.gain + wanted:g}dB"
        if before != wanted:
            way = f"{music.gain + before:.6f}+({wanted - before:.6f})*min(t/{_RAMP}\\,1)"
            steps = f"asetnsamples=n={_STEP}:p=0,volume=volume=pow(10\\,({way})/20):eval=frame"
        at, total = self.samples_at(begin), self.samples_at(self._film.frames)
        fade = round(music.fade * rate)
        if fade and at < fade:
            steps += f",asetpts=PTS+{at},afade=t=in:ss=0:ns={fade},asetpts=PTS-{at}"
        if fade and at + count > total - fade:
            steps += f",asetpts=PTS+{at},afade=t=out:ss={max(0, total - fade)}:ns={fade},asetpts=PTS-{at}"
        return _Voice(self._music, steps)

    def _mixed(self, voices: list[_Voice], count: int) -> Iterator[AudioFrame]:
        if not voices or (len(voices) == 1 and not voices[0].steps):
            for step in _steps(count):
                yield self._read(voices[0].track, step) if voices else silence(self._shape, step)
            return
        # A graph ends with the last name for it.
        held = self._graph([voice.steps for voice in voices])
        _, entries, end = held
        at, made = 0, 0
        for step in _steps(count):
            for voice, entry in zip(voices, entries, strict=True):
                frame = self._read(voice.track, step)
                frame.pts, frame.time_base = at, Fraction(1, self._shape.rate)
                entry.push(frame)
            at += step
            for frame in drained(end):
                made += frame.samples
                yield frame
        for entry in entries:
            entry.push(None)
        for frame in drained(end):
            made += frame.samples
            yield frame
        if made < count:
            yield silence(self._shape, count - made)

    def _graph(self, steps: list[str]) -> tuple[Any, list[Any], Any]:
        graph = new_graph()
        entries = []
        if len(steps) > 1:
            mixed = graph.add("amix", f"inputs={len(steps)}:normalize=0:duration=longest")
        else:
            mixed = graph.add("anull")
        for number, chain in enumerate(steps):
            node = self._entry(graph)
            entries.append(node)
            for step in _split(chain):
                name, _, arguments = step.partition("=")
                following = graph.add(name, arguments)
                node.link_to(following)
                node = following
            node.link_to(mixed, 0, number)
        end = graph.add("abuffersink")
        shaped = graph.add(
            "aformat",
            f"sample_fmts={FORMAT}:channel_layouts={self._shape.layout}:sample_rates={self._shape.rate}",
        )
        mixed.link_to(shaped)
        shaped.link_to(end)
        graph.configure()
        return graph, entries, end

    def _master(self, fade_in: int, total: int, fade_out: int) -> tuple[Any, list[Any], Any]:
        """The filters for all of the film's sound: its fades, and a limiter."""
        steps = []
        if fade_in:
            steps.append(f"afade=t=in:ss=0:ns={fade_in}")
        if fade_out:
            steps.append(f"afade=t=out:ss={total - fade_out}:ns={fade_out}")
        steps.append(_LIMIT)
        return self._graph([",".join(steps)])

    def _entry(self, graph: Any) -> Any:
        return graph.add_abuffer(
            sample_rate=self._shape.rate,
            format=FORMAT,
            layout=self._shape.layout,
            time_base=Fraction(1, self._shape.rate),
        )

    def _read(self, track: Track, count: int) -> AudioFrame:
        try:
            return track.read(count)
        except Fault as fault:
            if track is self._music:
                raise Fault(fault.words, role="music") from fault
            if self._narration is not None and track is self._narration[1]:
                raise Fault(fault.words, piece=self._narration[0], role="narration") from fault
            number = next(number for number, one in self._pieces.items() if one is track)
            raise Fault(fault.words, piece=number) from fault

    def _close(self) -> None:
        tracks = [*self._pieces.values(), *([self._narration[1]] if self._narration else [])]
        if self._narration is not None and not self._narration[1].is_over:
            self.notes.append(f"The narration of piece {self._narration[0] + 1} is longer than the film.")
        for track in [*tracks, *([self._music] if self._music else [])]:
            track.close()


def _steps(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, _BLOCK)
        count -= _BLOCK


def _split(chain: str) -> list[str]:
    """The filters of a chain. A comma inside a formula is escaped with a backslash."""
    parts = chain.replace("\\,", "\0").split(",")
    return [part.replace("\0", "\\,") for part in parts if part]
