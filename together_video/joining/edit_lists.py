"""The cut for other programs: an edit list in OpenTimelineIO, which editing programs open or convert.

It needs the extra `film` (`pip install "prefect-together-video[film]"`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from together_video.errors import ConfigurationError
from together_video.joining.cuts import Cut
from together_video.joining.films import JoinPlan, PlannedPiece
from together_video.text import one_line


def edit_list(cut: Cut, plan: JoinPlan, *, title: str, link: Callable[[Path], str] | None = None) -> str:
    """The film as a timeline: a track each for the pictures (with crossfades, and captions as markers), the pieces'
    sound, narration and music.

    Args:
        link: gives the address of a file for the editing program. By default its path as a `file:` URL.

    Raises:
        ConfigurationError: OpenTimelineIO is not installed.
    """
    try:
        import opentimelineio as otio
    except ImportError as error:
        raise ConfigurationError(
            "An edit list needs OpenTimelineIO, which is not installed. "
            'Run: pip install "prefect-together-video[film]".'
        ) from error
    made = _Timeline(otio, plan, link or (lambda path: path.absolute().as_uri()))
    timeline = otio.schema.Timeline(one_line(title, 200))
    timeline.global_start_time = made.time(0)
    timeline.tracks.append(made.pictures(cut))
    for track in (made.sound(cut), made.narration(cut), made.music(cut)):
        if track is not None:
            timeline.tracks.append(track)
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


class _Timeline:
    def __init__(self, otio: Any, plan: JoinPlan, link: Callable[[Path], str]) -> None:
        self._otio, self._plan, self._link = otio, plan, link

    def time(self, frames: int) -> Any:
        return self._otio.opentime.RationalTime(frames, float(self._plan.fps))

    def pictures(self, cut: Cut) -> Any:
        """Clips that meet in the middle of their crossfade, as usual in a timeline."""
        track = self._track("Pictures", "Video")
        for number, (piece, placed) in enumerate(zip(cut.pieces, self._plan.pieces, strict=True)):
            if placed.crossfade:
                before = self._before(placed.crossfade)
                track.append(
                    self._otio.schema.Transition(
                        "Crossfade",
                        "SMPTE_Dissolve",
                        in_offset=self.time(before),
                        out_offset=self.time(placed.crossfade - before),
                    )
                )
            clip = self._clip(piece.path, *self._range(number, placed))
            if words := one_line(piece.caption):
                marker = self._otio.schema.Marker(words)
                marker.marked_range = clip.source_range
                clip.markers.append(marker)
            track.append(clip)
        return track

    def sound(self, cut: Cut) -> Any:
        """The pieces' own sound. None if none is used."""
        if not any(placed.has_sound for placed in self._plan.pieces):
            return None
        track = self._track("Sound", "Audio")
        for number, (piece, placed) in enumerate(zip(cut.pieces, self._plan.pieces, strict=True)):
            first, count = self._range(number, placed)
            track.append(self._clip(piece.path, first, count) if placed.has_sound else self._gap(count))
        return track

    def narration(self, cut: Cut) -> Any:
        """Each narration, until its piece ends. None if there is none."""
        if not any(piece.narration for piece in cut.pieces):
            return None
        track = self._track("Narration", "Audio")
        for piece, placed in zip(cut.pieces, self._plan.pieces, strict=True):
            count = placed.until - placed.first_frame
            track.append(self._clip(piece.narration, 0, count) if piece.narration else self._gap(count))
        return track

    def music(self, cut: Cut) -> Any:
        if cut.music is None:
            return None
        track = self._track("Music", "Audio")
        track.append(self._clip(cut.music.path, 0, self._plan.frames))
        return track

    def _range(self, number: int, placed: PlannedPiece) -> tuple[int, int]:
        """A piece's frames, from the middle of its first crossfade to the middle of its last."""
        following = self._plan.pieces[number + 1].crossfade if number + 1 < len(self._plan.pieces) else 0
        before = self._before(placed.crossfade)
        return placed.skipped + before, placed.frames - before - (following - self._before(following))

    @staticmethod
    def _before(crossfade: int) -> int:
        """Frames of a crossfade before its middle."""
        return crossfade // 2

    def _track(self, name: str, kind: str) -> Any:
        return self._otio.schema.Track(name, kind=kind)

    def _gap(self, count: int) -> Any:
        return self._otio.schema.Gap(source_range=self._span(0, count))

    def _clip(self, path: Path, first: int, count: int) -> Any:
        reference = self._otio.schema.ExternalReference(target_url=self._link(path))
        return self._otio.schema.Clip(
            one_line(path.name, 200), media_reference=reference, source_range=self._span(first, count)
        )

    def _span(self, first: int, count: int) -> Any:
        return self._otio.opentime.TimeRange(self.time(first), self.time(count))
