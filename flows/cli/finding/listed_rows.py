"""The rows of `list` for programs. Each column is defined here once for JSON, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, get_type_hints

from prefect_together_video.flows.cli.finding.listed import Batch, moment_of
from together_video.ledger.index import Entry
from together_video.ledger.layout import Layout
from together_video.ledger.place import ArchivePlace
from together_video.money import usd_number, usd_number_or_none

#: Name and type of each column, in order.
Columns = Mapping[str, Any]


class VideoRow(TypedDict):
    """A video, with US dollars and seconds. Amounts perhaps paid or in flight are the highest estimates."""

    id: str
    state: str
    at: str
    model: str
    prompt: str
    varies: str
    batch: str | None
    cost_usd: float | None
    perhaps_paid: bool
    perhaps_paid_usd: float
    in_flight_usd: float
    seconds: float | None
    mark: str | None
    note: str
    labels: dict[str, str]
    edition: str
    take: int
    job_id: str | None
    key: str | None
    uri: str | None
    error: str | None


class BatchRow(TypedDict):
    """A batch. The amounts are US dollars, and count only its own purchases."""

    id: str
    at: str
    title: str
    videos: int
    archived: int
    paid_usd: float
    perhaps_paid_usd: float
    in_flight_usd: float
    starred: int
    rejected: int
    page: str | None
    page_uri: str | None


def columns_of(kind: type[Any]) -> Columns:
    return get_type_hints(kind)


def video_row(entry: Entry, place: ArchivePlace, layout: Layout) -> VideoRow:
    key = entry.key if layout.is_video_file(entry.key) else None
    account = entry.account
    return {
        "id": entry.id,
        "state": entry.state,
        "at": entry.at,
        "model": entry.model,
        "prompt": entry.prompt,
        "varies": entry.varies,
        "batch": entry.batch,
        "cost_usd": usd_number_or_none(entry.cost_usd),
        "perhaps_paid": entry.is_perhaps_paid,
        "perhaps_paid_usd": usd_number(account.perhaps_paid),
        "in_flight_usd": usd_number(account.in_flight),
        "seconds": entry.seconds,
        "mark": entry.mark,
        "note": entry.note,
        "labels": entry.labels,
        "edition": entry.edition,
        "take": entry.take,
        "job_id": entry.job,
        "key": key,
        "uri": None if key is None else place.uri(key),
        "error": entry.error,
    }


def batch_row(batch: Batch, place: ArchivePlace, layout: Layout) -> BatchRow:
    page = layout.batch(batch.id, "index.html") if batch.has_page else None
    return {
        "id": batch.id,
        "at": moment_of(batch.id),
        "title": batch.title,
        "videos": batch.videos,
        "archived": batch.archived,
        "paid_usd": usd_number(batch.account.paid),
        "perhaps_paid_usd": usd_number(batch.account.perhaps_paid),
        "in_flight_usd": usd_number(batch.account.in_flight),
        "starred": batch.starred,
        "rejected": batch.rejected,
        "page": page,
        "page_uri": None if page is None else place.uri(page),
    }
