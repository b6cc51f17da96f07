"""The requests to S3 that docs/s3-costs.md lists, measured on the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.blocks.ledger.durations import DurationStatistics
from prefect_together_video.flows.audit import audit_archive
from prefect_together_video.flows.batch import generate_batch
from prefect_together_video.flows.collect import collect_videos
from prefect_together_video.flows.inbox import watch_inbox
from prefect_together_video.flows.video import generate_video
from tests.docs.markdown import page as page_of
from tests.docs.markdown import table
from together_video.polling.learner import DurationFacts

pytestmark = pytest.mark.anyio

Make = Callable[..., Any]
OPERATIONS = ("PUT", "LIST", "POST", "GET", "HEAD", "DELETE")


@pytest.fixture
def archive_at(seaweed: Any, new_archive: Make) -> Make:
    """An archive in a new bucket of a server that verifies checksums, reached by another address."""

    def make(url: str, **fields: Any) -> VideoArchive:
        archive = new_archive(
            seaweed.url, (seaweed.access_key, seaweed.secret_key), prefix="production", **fields
        )
        parameters = archive.credentials.aws_client_parameters.model_copy(update={"endpoint_url": url})
        credentials = archive.credentials.model_copy(update={"aws_client_parameters": parameters})
        return archive.model_copy(update={"credentials": credentials})

    return make


async def test_what_s3_is_asked_for(
    watch: Make,
    seaweed: Any,
    archive_at: Make,
    api: Any,
    poll: Any,
    small: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table of requests, measured on the wire; what other tests have left in their spool is not looked for."""
    monkeypatch.setenv("TOGETHER_VIDEO_SPOOL", str(tmp_path / "spool"))
    seen = watch(seaweed.url)

    async def counted(archive: VideoArchive, flow: Any, **given: Any) -> Counter[str]:
        together = {} if flow is audit_archive else {"together": api.credentials()}
        state = await flow.fn(**together, **given, archive=archive)
        assert state.is_completed(), state.message
        return Counter(call.operation for call in seen.calls(archive.bucket))

    def video(name: str) -> dict[str, Any]:
        return {"request": small(name), "poll": poll}

    archive = archive_at(seen.url)
    await counted(archive, generate_video, **video("first: it writes store.json"))
    start = (
        again := await counted(archive, generate_video, **video("first: it writes store.json"))
    ) - Counter(GET=1)
    async with archive.open() as ledger:
        kept = await ledger.store.list(ledger.layout.models(""))
        await ledger.store.delete(found.key for found in kept)
    seen.calls(archive.bucket)
    of_a_day = await counted(archive, generate_video, **video("first: it writes store.json")) - again
    one = await counted(archive, generate_video, **video("a fox")) - start
    listed = [small("one"), small("two")]
    page = await counted(archive, generate_batch, requests=listed, poll=poll) - start - one - one
    rebuilt = await counted(archive, collect_videos)
    idle = await counted(archive, collect_videos)
    inbox = await counted(archive, watch_inbox)
    audits = [
        await counted(archive, audit_archive, **given)
        for given in ({}, {}, {"full": True}, {"deep": True, "full": True})
    ]
    # Else it would wait for as long as a video usually takes.
    quick = DurationFacts(
        model=small("an owl").model, written_at=datetime(2026, 1, 1, tzinfo=UTC), seconds=(1.0,) * 30
    )
    async with archive.open() as ledger:
        await DurationStatistics(ledger.store, ledger.layout).keep(quick)
    seen.calls(archive.bucket)
    learning = await counted(archive, generate_video, request=small("an owl")) - start - one
    limited = archive_at(seen.url, monthly_limit_usd=100)
    await counted(limited, generate_video, **video("first: it writes store.json"))
    # It makes the index, of which each further video adds an object.
    await counted(limited, collect_videos)
    bounded = await counted(limited, generate_video, **video("a fox")) - start - one
    both = await counted(limited, generate_batch, requests=listed, poll=poll, in_flight=1)
    each = both - start - page - one - one - bounded - Counter(GET=1)

    def row(counts: Counter[str]) -> list[str]:
        return [str(counts[name]) for name in OPERATIONS]

    # The archive holds four videos by then, and the index one object, which is replaced where a line has changed.
    first, nothing_new, full, deep = audits
    listings, changed = Counter(LIST=nothing_new["LIST"]), Counter(PUT=1, DELETE=1)
    # The first also writes that the index is complete.
    of_four = first - nothing_new - changed - Counter(PUT=1)
    assert full == nothing_new + of_four
    every, every_deep = (
        Counter({name: number // 4 for name, number in counts.items()})
        for counts in (of_four, deep - listings - changed)
    )
    assert again == start + Counter(GET=1)
    assert [cells[1:] for cells in table(page_of("s3-costs"), "what | PUT")] == [
        row(start),
        row(of_a_day),
        row(one),
        row(each),
        row(bounded - each),
        row(learning),
        row(again - start),
        row(page),
        row(idle),
        # It reads the line and the record of each of the four videos, as no line says what the listing does.
        row(rebuilt - idle - Counter(GET=8)),
        row(inbox),
        row(nothing_new),
        row(changed),
        row(every),
        row(every_deep),
    ]
