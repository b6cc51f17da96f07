"""Which frame of which piece the film shows at what time, and which frames are copied.

Frames are counted at the film's rate, from 0, in each piece and in the film.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from together_video.joining.isolated.survey import Clip

#: Profiles of H.264 that the encoder can keep to, and its names for them.
PROFILES = {66: "baseline", 77: "main", 100: "high"}


@dataclass(frozen=True)
class Span:
    """Frames of the film, starting at `start`, that are made in one way: from `piece`, starting at its frame `first`,
    and in a crossfade also from `other`.
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
    """One piece in the film: frames left out at its start, frames shown, where they start in the film, and how many of
    them are part of the crossfade into it.
    """

    skipped: int
    count: int
    start: int
    crossfade: int
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The whole film. `pattern` is the number of the piece that sets the coding of all copied packets. None if all
    frames are encoded.
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
