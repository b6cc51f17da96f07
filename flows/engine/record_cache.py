"""What a run remembers of its videos until its gallery is made: thousands of records in little memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from together_video.gallery import GalleryRow, marked
from together_video.ledger.records import VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.ledger.summary import Summary


class RecordCache(Mapping[str, VideoRecord]):
    """Records by the id of their video, each as packed JSON: 1 kB instead of 7 kB for the model."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}

    def keep(self, record: VideoRecord) -> None:
        self._packed[record.id] = zlib.compress(record.model_dump_json().encode(), 1)

    def __getitem__(self, video: str) -> VideoRecord:
        return VideoRecord.model_validate_json(zlib.decompress(self._packed[video]))

    def __contains__(self, video: object) -> bool:
        return video in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class CachedRows(Sequence[GalleryRow]):
    """The rows of a gallery, each unpacked when it is read."""

    def __init__(
        self,
        summary: Summary,
        plans: Sequence[VideoPlan],
        records: RecordCache,
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        self._members = list(zip(summary.videos, plans, strict=True))
        self._records = records
        self._marks = marks or {}

    @overload
    def __getitem__(self, place: int) -> GalleryRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[GalleryRow]: ...
    def __getitem__(self, place: int | slice) -> GalleryRow | list[GalleryRow]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        outcome, plan = self._members[place]
        row = GalleryRow(outcome=outcome, record=self._records.get(outcome.id), plan=plan)
        return marked(row, self._marks)

    def __len__(self) -> int:
        return len(self._members)
