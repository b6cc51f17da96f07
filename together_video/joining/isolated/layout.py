"""Which frame of which piece the film shows when, and which of them are copied.

Frames are counted at the film's rate, from 0, in each piece and in the film.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from together_video.joining.isolated.survey import Clip

#: Profiles of H.264 that the encoder can keep to, and its names of them.
PROFILES = {66: "baseline", 77: "main", 100: "high"}


@dataclass(frozen=True)
class Span:
    """Frames of the film from `start` on that are made in one way: of `piece`, from its frame `first` on; in a
    crossfade also of `other`.
    """

    start: int
    count: int
    piece: int
    first: int
    copied: bool = False
    other: int | None = None
    other_first: int = 0

    @property
    def end(self) -> int:
        return self.start + self.count


@dataclass(frozen=True)
class Placed:
    """One piece in the film: frames left out at its beginning, frames that are shown, where they begin in the film,
    and how many of them the crossfade into it takes.
    """

    skipped: int
    count: int
    start: int
    crossfade: int
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The whole film. `pattern` is the number of the piece whose packets set how all of them are coded; None where all
    are encoded.
    """

    width: int
    height: int
    fps: Fraction
    frames: int
    placed: tuple[Placed, ...]
    spans: tuple[Span, ...]
    fade_in: int
    fade_out: int
    pattern: int | None
    notes: tuple[str, ...] = field(default=())

    @property
    def encodes(self) -> bool:
        return any(not span.copied for span in self.spans)


def frames_of(clip: Clip, fps: Fraction) -> int:
    return clip.frames if clip.rate == fps else max(1, round(clip.seconds * fps))
