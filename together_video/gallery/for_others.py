"""What a gallery shows to people outside the team: the videos, but not what reviewers wrote or where runs are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from together_video.gallery.about import About
from together_video.gallery.rows import GalleryRow
from together_video.ledger.records import RunRef


class ForOthers(Sequence[GalleryRow]):
    """Rows without marks, notes and names of runs, each made on demand."""

    def __init__(self, rows: Sequence[GalleryRow]) -> None:
        self._rows = rows

    @overload
    def __getitem__(self, place: int) -> GalleryRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[GalleryRow]: ...
    def __getitem__(self, place: int | slice) -> GalleryRow | list[GalleryRow]:
        found = self._rows[place]
        return [_plain(row) for row in found] if not isinstance(found, GalleryRow) else _plain(found)

    def __len__(self) -> int:
        return len(self._rows)


def about_for_others(about: About | None) -> About | None:
    """Without the address of the team's Prefect server."""
    return about and about.model_copy(update={"run_url": None, "run_name": None})


def _plain(row: GalleryRow) -> GalleryRow:
    record = row.record and row.record.model_copy(update={"run": RunRef()})
    return row.model_copy(update={"mark": None, "note": "", "record": record})
