"""Records, videos and posters like those of a year of batches, made without generating videos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from together_video.ledger.records import RunRef, StoredObject, VideoPlan, VideoRecord
from together_video.ledger.reviews import Mark
from together_video.requests import VideoRequest

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
#: Videos of one batch; one video in so many has a mark; one in so many failed.
_BATCH, _MARKED, _FAILED = 200, 50, 40
#: Minutes between two videos: 100,000 videos make a year.
_MINUTES = 5


class Written(NamedTuple):
    """An object of the archive: its key, its content and its type."""

    key: str
    content: bytes
    kind: str


def archived(numbers: Iterable[int], start: str = "") -> Iterator[list[Written]]:
    """The objects of each of these videos, in the order in which they are written: files, record, mark. Keys begin with
    `start`.
    """
    for number in numbers:
        record = record_of(number)
        objects: list[Written] = []
        if record.state == "archived":
            stem = f"{start}videos/{record.recorded_at:%Y-%m-%d}/a-kite-over-a-stormy-sea-at-dusk-{record.id}"
            video = Written(f"{stem}.mp4", b"video %d" % number, "video/mp4")
            poster = Written(f"{stem}.jpg", b"poster %d" % number, "image/jpeg")
            record = record.model_copy(update={"video": _stored(video), "poster": _stored(poster)})
            objects += [video, poster]
        objects.append(
            Written(
                f"{start}records/{record.id}.json",
                record.model_dump_json(indent=1).encode(),
                "application/json",
            )
        )
        if number % _MARKED == 0:
            mark = mark_of(record.id)
            objects.append(
                Written(f"{start}reviews/{record.id}/{mark.object_name}", mark.content, "application/json")
            )
        yield objects


def _stored(one: Written) -> StoredObject:
    digest = hashlib.sha256(one.content).hexdigest()
    return StoredObject(key=one.key, size=len(one.content), sha256=digest, content_type=one.kind)


def mark_of(video: str) -> Mark:
    return Mark.model_validate({"id": video, "mark": "star", "at": "2026-12-31T12:00:00Z", "who": "Ann"})


def record_of(number: int) -> VideoRecord:
    """A record without its files."""
    at = _FIRST + timedelta(minutes=_MINUTES * number)
    batch = _FIRST + timedelta(minutes=_MINUTES * (number - number % _BATCH))
    request = VideoRequest.model_construct(
        model="pixverse/pixverse-v5",
        prompt=f"kite {number} over a stormy sea at dusk, the camera follows it",
        width=864,
        height=480,
        seconds="5",
        labels={"campaign": f"c{number % 7}"},
    )
    plan = VideoPlan.model_construct(
        request=request, batch_id=f"{batch:%Y%m%dT%H%M%S}-abcdef", estimate_usd=Decimal("0.30")
    )
    return VideoRecord.model_construct(
        id=f"{number * 0x9E3779B97F4A7C15F39CC060 % 2**96:024x}",
        state="archived" if number % _FAILED else "failed",
        plan=plan,
        job_id=f"job-{number}",
        claimed_at=at,
        submitted_at=at,
        recorded_at=at + timedelta(minutes=2),
        cost_usd=Decimal("0.28"),
        job={"id": f"job-{number}", "status": "completed", "outputs": {"cost": 0.28}, "model": "pixverse"},
        run=RunRef(flow_run_name="a batch", host="worker-1"),
    )
