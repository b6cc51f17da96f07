"""The pages of a batch in the bucket: as many as it takes, each within a browser's reach."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from prefect_together_video.blocks import VideoArchive
from prefect_together_video.flows.cli.galleries.gallery_export import choose, copy_out, export
from prefect_together_video.flows.engine.record_cache import CachedRows, RecordCache
from prefect_together_video.flows.reporting.gallery_upload import about_run, publish
from together_video.gallery.page import ROWS_A_PAGE
from together_video.ledger.records import VideoPlan
from together_video.ledger.summary import Summary, VideoOutcome, VideoState
from together_video.prompts import Brief
from together_video.requests import VideoRequest


async def published(
    archive: VideoArchive, count: int, batch: str = "b1", brief: Brief | None = None
) -> tuple[Summary, dict[str, str]]:
    """The summary and the objects of a batch of `count` videos that were not started."""
    plans = [VideoPlan(request=VideoRequest(model="m", prompt=f"kite {n}")) for n in range(count)]
    summary = Summary.of(VideoOutcome.of_plan(plan, VideoState.SKIPPED, error="No time.") for plan in plans)
    async with archive.open() as ledger:
        rows = CachedRows(summary, plans, RecordCache())
        summary = await publish(ledger, batch, "Kites", rows, summary, about=about_run(batch, "Kites", brief))
        place = ledger.layout.batch(batch, "")
        found = {}
        for listed in await ledger.store.list(place):
            stored = await ledger.store.get(listed.key)
            assert stored is not None
            found[listed.key.removeprefix(place)] = stored.data.decode()
    return summary, found


@pytest.mark.anyio
async def test_a_batch_of_hundreds_has_several_pages(archive: VideoArchive) -> None:
    """The summary names the first; all videos are on one of them, and all in one summary document."""
    count = 2 * ROWS_A_PAGE + 1
    summary, found = await published(archive, count)
    assert sorted(found) == ["batch.json", "index-2.html", "index-3.html", "index.html"]
    assert (summary.page or "").endswith("batches/b1/index.html")
    cards = {name: len(re.findall("<article", text)) for name, text in found.items()}
    assert cards == {
        "batch.json": 0,
        "index.html": ROWS_A_PAGE,
        "index-2.html": ROWS_A_PAGE,
        "index-3.html": 1,
    }
    assert len(json.loads(found["batch.json"])["videos"]) == count


@pytest.mark.anyio
async def test_a_page_that_is_made_again_keeps_its_heading(archive: VideoArchive, tmp_path: Path) -> None:
    """Title, brief, style and time are those of the batch; the page names its batch for the file of marks."""
    batch = "20260304T093000-0a1b2c"
    _, found = await published(archive, 2, batch, Brief(subject="Kites over a <bay>", style="calm"))
    async with archive.open() as ledger:
        chosen = await choose(ledger, given=batch, latest=1)
        made = await export(ledger, tmp_path, chosen, link_seconds=None)
    again, first = made.page.read_text(encoding="utf-8"), found["index.html"]

    def heading(text: str) -> str:
        return text[text.index("<header") : text.index('<dl class="figures">')]

    assert heading(again) == heading(first)
    assert all(words in heading(again) for words in ("Kites</h1>", "Kites over a &lt;bay&gt;", "calm"))
    assert f'"batch":"{batch}"' in again


def test_a_copy_brings_all_pages(
    archive: VideoArchive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto_url: str
) -> None:
    """The links between the pages hold in the copy."""
    summary, found = asyncio.run(published(archive, ROWS_A_PAGE + 1))
    for name, value in {
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    page = copy_out(summary, archive.bucket, tmp_path)
    assert page is not None
    assert {path.name for path in page.parent.iterdir()} == set(found) - {"batch.json"}
